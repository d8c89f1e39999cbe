"""Which commands are nothing but an installation."""

from __future__ import annotations

import pytest

from tailrace_scripts_python.pip_commands import are_plain, leading_installs, plain_installs, requirements


@pytest.mark.parametrize(
    ("command", "installs"),
    [
        ("pip install polars", [("polars",)]),
        ("pip install a b==1.0 'c>=2,<3' \"d[x]\"", [("a", "b==1.0", "c>=2,<3", "d[x]")]),
        ("pip install -q --upgrade --no-cache-dir --progress-bar off polars", [("polars",)]),
        ("pip install --root-user-action=ignore polars > /dev/null", [("polars",)]),
        ("pip3 install polars >/dev/null 2>&1", [("polars",)]),
        ("python -m pip install polars &> /dev/null", [("polars",)]),
        ("python3 -m pip install polars 2>/dev/null", [("polars",)]),
        ("uv pip install --system polars", [("polars",)]),
        ("pip install a && pip install b; pip install c", [("a",), ("b",), ("c",)]),
        ("# packages\npip install a\n\npip install b\n", [("a",), ("b",)]),
        (
            "pip install --index-url https://a.example/simple --extra-index-url=https://b.example/simple a",
            [("--index-url", "https://a.example/simple", "--extra-index-url", "https://b.example/simple", "a")],
        ),
        ("pip install --no-index -f /wheels --pre a", [("--no-index", "-f", "/wheels", "--pre", "a")]),
        ("pip install git+https://a.example/b.git@main#egg=b", [("git+https://a.example/b.git@main#egg=b",)]),
    ],
)  # fmt: skip
def test_installations_are_recognized(command: str, installs: list[tuple[str, ...]]) -> None:
    assert plain_installs(command) == installs


@pytest.mark.parametrize(
    "command",
    [
        "echo pip install polars",
        "pip install",
        "pip install -q",
        "pip install -r requirements.txt",
        "pip install a -c limits.txt",
        "pip install -e .",
        "pip install .",
        "pip install ./a",
        "pip install a.whl",
        "pip install /wheels/a.whl",
        "pip install ~/a",
        "pip install 'a @ file:///wheels/a.whl'",
        "pip install storage:///wheels/a.whl",
        "pip install 'a @ kestra:///wheels/a.whl'",
        "pip install -f wheels a",
        "pip install --target x a",
        "pip install --index-url",
        "pip install a>=2",
        "pip install a > log.txt",
        "pip install a | tail -1",
        "pip install a || true",
        "pip install a &",
        "(pip install a)",
        "pip install $PACKAGE",
        "pip install `cat a`",
        "pip install 'a",
        "pip install a # b",
        "pip install a && echo done",
        "PIP_NO_INDEX=1 pip install a",
        "pip download a",
        "pip uninstall a",
    ],
)
def test_everything_else_is_left_to_the_shell(command: str) -> None:
    assert plain_installs(command) is None


def test_only_installations_at_the_beginning_are_taken_out_of_the_commands() -> None:
    commands = ["pip install a", "pip install b", "echo x", "pip install c"]
    assert leading_installs(commands) == ((("a",), ("b",)), ("echo x", "pip install c"))
    assert leading_installs(["pip install a"]) == ((("a",),), ())
    assert leading_installs([]) == ((), ())


def test_what_is_shown_of_an_installation_has_no_options() -> None:
    assert requirements(("--index-url", "https://u:p@a.example", "a", "--no-deps", "b")) == ["a", "b"]


def test_local_packages_are_not_plain_requirements() -> None:
    assert are_plain(["a", "b==1", "git+https://a.example/b.git"])
    for text in ("./a", "/wheels/a", "a.whl", "a @ file:///a.whl", "-r a.txt"):
        assert not are_plain(["b", text])
