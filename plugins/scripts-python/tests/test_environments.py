"""Isolated environments: made once, shared safely, never changed by a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.builtin.process import Process
from core.sdk import Command, CommandResult, Interrupted, RunContext, TaskFailed, Unreachable
from core.testing.plain_context import PlainContext
from tailrace_scripts_python.environments import Maker, Recipe, is_own_version, is_ready, overlay, own_version

NewContext = Callable[[], PlainContext]
needs_uv = pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")


class CountingProcess(Process, type="tests.CountingProcess"):
    """A process runner that keeps what it was asked to run."""

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        seen.append(command.argv)
        return super().run(ctx, command)


seen: list[tuple[str, ...]] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def tiny(wheels: Path, requirement: str = "tiny==1.0") -> Recipe:
    return Recipe("", (("--no-index", "-f", str(wheels), requirement),))


def maker(ctx: PlainContext, prefer: str = "UV") -> Maker:
    return Maker(ctx, CountingProcess(), prefer)  # type: ignore[arg-type]


def ask(environment: Path, code: str) -> str:
    result = subprocess.run([environment / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@pytest.mark.parametrize("prefer", [pytest.param("UV", marks=needs_uv), "PIP"])
def test_an_environment_holds_what_its_recipe_says_and_nothing_of_the_engine(
    ctx: PlainContext, wheels: Path, prefer: str
) -> None:
    path = maker(ctx, prefer).cached(tiny(wheels))
    assert is_ready(path)
    assert ask(path, "import tiny, sys; print(tiny.VERSION, sys.prefix)") == f"1.0 {path}"
    assert ask(path, "import importlib.util as u; print(u.find_spec('attrs'), u.find_spec('pip') is not None)") == (
        "None True"
    )
    tool = "uv" if prefer == "UV" else "pip"
    assert [line for level, line in ctx.log.lines if level == "INFO"] == [
        f"Making an environment of Python {own_version()} with tiny==1.0, with {tool}"
    ]


def test_a_second_run_starts_no_process(new_ctx: NewContext, wheels: Path) -> None:
    first = maker(new_ctx()).cached(tiny(wheels))
    assert seen
    seen.clear()
    again = new_ctx()
    assert maker(again).cached(tiny(wheels)).resolve() == first.resolve()
    assert (seen, again.log.lines) == ([], [])


def test_another_recipe_is_another_environment(wheels: Path) -> None:
    keys = {
        recipe.key()
        for recipe in (
            tiny(wheels), tiny(wheels, "tiny==2.0"), Recipe(""), Recipe("3.9"), Recipe("", (("tiny==1.0",),)),
            Recipe("", (("a",), ("b",))), Recipe("", (("a", "b"),)),
        )
    }  # fmt: skip
    assert len(keys) == 7
    assert Recipe("").key() == Recipe(own_version()).key()


def test_many_at_once_make_it_once(new_ctx: NewContext, wheels: Path) -> None:
    contexts = [new_ctx() for _ in range(4)]
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda ctx=ctx: paths.append(maker(ctx).cached(tiny(wheels)))) for ctx in contexts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 4
    assert len({path.resolve() for path in paths}) == 1
    assert sum("venv" in argv for argv in seen) == 1


def test_a_half_made_environment_is_made_anew(new_ctx: NewContext, wheels: Path) -> None:
    path = maker(new_ctx()).cached(tiny(wheels))
    (path / "ready").unlink()
    (path / "left-over").touch()
    path = maker(new_ctx()).cached(tiny(wheels))
    assert is_ready(path)
    assert not (path / "left-over").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(new_ctx: NewContext, wheels: Path) -> None:
    path = maker(new_ctx()).cached(tiny(wheels))
    (path / "bin" / "python").unlink()
    (path / "bin" / "python").symlink_to("/nowhere/python")
    assert ask(maker(new_ctx()).cached(tiny(wheels)), "print(1)") == "1"


def test_a_package_that_can_not_be_installed_fails_with_the_installers_last_words(
    ctx: PlainContext, wheels: Path
) -> None:
    recipe = tiny(wheels, "tiny==3.0")
    with pytest.raises(TaskFailed) as caught:
        maker(ctx).cached(recipe)
    first, *last = str(caught.value).splitlines()
    assert first == "The Python environment could not be made: installing tiny==3.0 failed"
    assert 0 < len(last) <= 15
    assert "tiny==3.0" in " ".join(last)
    assert [line for level, line in ctx.log.lines if level == "DEBUG"][-len(last) :] == last
    assert not is_ready(ctx.cache_dir / "python" / recipe.key())


@needs_uv
def test_a_python_that_is_nowhere_is_said_to_be_missing(ctx: PlainContext) -> None:
    with pytest.raises(Unreachable) as caught:
        maker(ctx).cached(Recipe("3.99"))
    assert caught.value.what.startswith("There is no Python 3.99 for this script\n")
    assert caught.value.hint == "install Python 3.99, or run the task in a container"
    with pytest.raises(Unreachable) as caught:
        maker(ctx, "PIP").cached(Recipe("3.99"))
    assert str(caught.value) == (
        "There is no Python 3.99 for this script on this machine\n"
        "  to do: install Python 3.99, or uv, which fetches it; or run the task in a container"
    )


def test_uv_is_looked_for_on_the_path_and_beside_the_engines_python(ctx: PlainContext, tmp_path: Path) -> None:
    (tmp_path / "uv").touch(mode=0o755)
    ctx.environment = {"PATH": str(tmp_path)}
    beside = Path(sys.executable).parent / "uv"
    assert maker(ctx)._uv() == str(tmp_path / "uv")
    assert maker(ctx, "PIP")._uv() is None
    ctx.environment = {"PATH": "/nowhere"}
    assert maker(ctx)._uv() == (str(beside) if beside.exists() else None)


def test_waiting_for_another_maker_ends_with_a_stop(new_ctx: NewContext, wheels: Path) -> None:
    ctx = new_ctx()
    recipe = tiny(wheels)
    lock = ctx.cache_dir / "python" / f"{recipe.key()}.lock"
    lock.parent.mkdir()
    with maker(ctx)._lock(lock):
        other = new_ctx()
        timer = threading.Timer(0.2, other.stop)
        timer.start()
        with pytest.raises(Interrupted, match="stopped while another task made the same Python environment"):
            maker(other).cached(recipe)
        timer.join()


def test_what_is_installed_over_an_environment_does_not_change_it(
    ctx: PlainContext, wheels: Path, tmp_path: Path
) -> None:
    base = maker(ctx).cached(tiny(wheels))
    over = tmp_path / "over"
    overlay(base, over)
    assert ask(over, "import tiny, sys; print(tiny.VERSION, sys.prefix)") == f"1.0 {over}"
    pip: list[str | Path] = [over / "bin" / "pip", "install", "-q", "--no-index", "-f", wheels, "tiny==2.0", "small"]
    subprocess.run(pip, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
    said = subprocess.run([over / "bin" / "tiny"], check=True, capture_output=True, text=True)
    assert said.stdout == f"2.0 {over}\n"
    assert ask(over, "import small; print(small.VERSION)") == "1.0"
    assert ask(base, "import tiny, importlib.util as u; print(tiny.VERSION, u.find_spec('small'))") == "1.0 None"
    assert subprocess.run([base / "bin" / "tiny"], capture_output=True, text=True).stdout == f"1.0 {base}\n"


@pytest.mark.parametrize(
    ("version", "own"),
    [
        (str(sys.version_info.major), True),
        (own_version(), True),
        (".".join(map(str, sys.version_info[:3])), True),
        (f"{own_version()}.99", False),
        ("2.7", False),
        ("3.1", sys.version_info[:2] == (3, 1)),
    ],
)
def test_the_engines_own_python_is_known_by_any_length_of_version(version: str, own: bool) -> None:
    assert is_own_version(version) is own
