"""Python tasks, with real processes and environments."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import tailrace_scripts_python
from core.builtin.process import Process
from core.sdk import Command, CommandResult, Invalid, RunContext, TaskFailed, TaskRunner, prop, to_plain
from core.testing.plain_context import PlainContext
from tailrace_scripts_python.tasks import Commands, Script

NewContext = Callable[[], PlainContext]


class Container(TaskRunner, type="tests.Container"):
    """Stands for a runner with images: keeps the commands it was given."""

    containers = True
    seen: list[Command] = prop("What was run.", factory=list)

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        self.seen.append(command)
        return CommandResult(0)


def run(ctx: PlainContext, script: str, **properties: Any) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(Script(script=script, **properties).run(ctx))
    return plain


def said(ctx: PlainContext, level: str = "INFO") -> list[str]:
    """The script's own lines."""
    return [line for at, line in ctx.log.lines if at == level and not line.startswith("Making an environment")]


def test_the_listed_names_are_those_of_the_classes() -> None:
    for ref in tailrace_scripts_python.task_types():
        module, _, name = ref.target.partition(":")
        cls = getattr(import_module(module), name)
        assert (ref.name, ref.aliases, ref.title) == (cls.type, cls.aliases, cls.__doc__.splitlines()[0])


# -- the script


def test_a_script_knows_the_words_of_json_and_its_neighbours(ctx: PlainContext) -> None:
    output = run(
        ctx,
        "import helper, json\n"
        "data = [{'a': null, 'b': true, 'c': false}]\n"
        "print(helper.WORD, json.dumps(data))\n"
        'print(\'::{"outputs": {"rows": 1}}::\')\n'
        "open('out.txt', 'w').write('x')\n",
        input_files={"helper.py": "WORD = [true, 'help']"},
        output_files=["*"],
    )
    assert said(ctx) == ['[True, \'help\'] [{"a": null, "b": true, "c": false}]']
    assert output["vars"] == {"rows": 1}
    assert sorted(output["outputFiles"]) == ["helper.py", "out.txt"]


def test_a_failure_names_the_scripts_own_line(ctx: PlainContext) -> None:
    with pytest.raises(TaskFailed, match=r"^Command failed with exit code 1$"):
        run(ctx, "from __future__ import annotations\n\n1 / 0\n")
    assert said(ctx, "ERROR")[1].endswith('.py", line 3, in <module>')
    assert said(ctx, "ERROR")[-1] == "ZeroDivisionError: division by zero"


def test_the_exit_code_is_the_scripts(ctx: PlainContext) -> None:
    with pytest.raises(TaskFailed) as caught:
        run(ctx, "import sys; sys.exit(3)")
    assert str(caught.value) == "Command failed with exit code 3"
    with pytest.raises(TaskFailed) as caught:
        run(ctx, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert caught.value.what == "Command failed with exit code 137: it was ended by SIGKILL"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_a_script_know_the_words_too(ctx: PlainContext, method: str) -> None:
    script = (
        "import multiprocessing\n"
        "WORD = null\n"
        "def double(n):\n"
        "    return [2 * n, true, WORD]\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "        print(pool.map(double, [1, 2]))\n"
    )
    run(ctx, script)
    assert said(ctx) == ["[[2, True, None], [4, True, None]]"]


def test_the_prelude_leaves_the_path_and_lets_another_sitecustomize_work(ctx: PlainContext, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.site_word = 'seen'")
    script = "import sys; print(site_word, true, [p for p in sys.path if p.endswith('prelude')])"
    run(ctx, script, env={"PYTHONPATH": str(tmp_path)})
    assert said(ctx) == ["seen True []"]


def test_storage_uris_in_a_script_become_local_paths(ctx: PlainContext) -> None:
    (ctx.root / "given").write_text("stored")
    uri = ctx.storage.put(ctx.root / "given", "in.csv").uri
    run(ctx, f"print(open('{uri}').read())")
    assert said(ctx) == ["stored"]


def test_lines_of_a_script_are_not_held_back(ctx: PlainContext) -> None:
    run(ctx, "import os; print(os.environ['PYTHONUNBUFFERED'], os.environ['PIP_ROOT_USER_ACTION'])")
    run(ctx, "import os; print(os.environ['PYTHONUNBUFFERED'])", env={"PYTHONUNBUFFERED": "1"})
    assert said(ctx) == ["true ignore", "1"]


# -- its environment on this machine


def test_the_tutorials_script_runs_offline_and_without_pip_the_second_time(new_ctx: NewContext, wheels: Path) -> None:
    script = "import tiny, sys; print(tiny.VERSION, sys.prefix != sys.base_prefix)"
    before = [f"pip install --no-index -f {wheels} tiny==1.0"]
    first, second = new_ctx(), new_ctx()
    run(first, script, before_commands=before)
    for wheel in wheels.iterdir():
        wheel.unlink()
    run(second, script, before_commands=before)
    assert said(first) == said(second) == ["1.0 True"]
    assert len(first.log.lines) > 1
    assert second.log.lines == [("INFO", "1.0 True")]


def test_dependencies_are_installed_before_the_commands(ctx: PlainContext, wheels: Path) -> None:
    ctx.environment = {**ctx.environment, "PIP_FIND_LINKS": str(wheels), "PIP_NO_INDEX": "1"}
    run(ctx, "import tiny, small; print(tiny.VERSION)", dependencies=["tiny<2", "small"])
    assert said(ctx) == ["1.0"]


def test_other_commands_run_each_time_in_the_activated_environment(new_ctx: NewContext, wheels: Path) -> None:
    pip = f"pip install -q --no-index -f {wheels}"
    (wheels / "list.txt").write_text("small\n")
    before = [f"{pip} tiny==1.0", "tiny", f"{pip} -r {wheels}/list.txt", "export WORD=kept"]
    script = "import os, tiny, small; print(tiny.VERSION, small.VERSION, os.environ['WORD'])"
    for _ in range(2):
        ctx = new_ctx()
        run(ctx, script, before_commands=before)
        command, script_line = said(ctx)
        assert command.startswith(f"1.0 {ctx.working_dir}/.script-")
        assert script_line == "1.0 1.0 kept"
    other = new_ctx()
    with pytest.raises(TaskFailed):
        run(other, "import small", before_commands=before[:1])


def test_an_environment_activated_by_the_flow_is_used(ctx: PlainContext) -> None:
    before = ["python -m venv --without-pip mine", ". mine/bin/activate"]
    run(ctx, "import sys; print(sys.prefix)", before_commands=before)
    assert said(ctx) == [f"{ctx.working_dir}/mine"]


def test_commands_find_python_and_the_packages_programs(ctx: PlainContext, wheels: Path) -> None:
    task = Commands(
        commands=["python main.py", "tiny | cut -d' ' -f1", "which pip"],
        before_commands=[f"pip install --no-index -f {wheels} tiny==2.0"],
        input_files={"main.py": "import tiny; print(tiny.VERSION)"},
    )
    task.run(ctx)
    first, second, pip = said(ctx)
    assert (first, second) == ("2.0", "2.0")
    assert pip.startswith(str(ctx.working_dir))


def test_without_the_cache_every_run_makes_its_own(new_ctx: NewContext, wheels: Path) -> None:
    for _ in range(2):
        ctx = new_ctx()
        before = [f"pip install --no-index -f {wheels} small"]
        run(ctx, "import small", before_commands=before, dependency_cache_enabled=False)
        assert any(line.startswith("Making an environment") for _, line in ctx.log.lines)
        assert os.listdir(ctx.working_dir) == []
    assert os.listdir(ctx.cache_dir) == []


def test_local_packages_are_installed_anew_each_time(new_ctx: NewContext, wheels: Path) -> None:
    for _ in range(2):
        ctx = new_ctx()
        run(ctx, "import small; print(small.VERSION)", dependencies=[str(next(wheels.glob("small*")))])
        assert said(ctx) == ["1.0"]
        assert len(ctx.log.lines) > 1


@pytest.mark.parametrize("how", ["dependencies", "before_commands"])
def test_a_stored_package_can_be_installed(ctx: PlainContext, wheels: Path, how: str) -> None:
    uri = ctx.storage.put(wheels / "small-1.0-py3-none-any.whl", "dist/small-1.0-py3-none-any.whl").uri
    given: dict[str, Any] = {"dependencies": [uri], "before_commands": [f"pip install -q --no-index {uri}"]}
    run(ctx, "import small; print(small.VERSION)", **{how: given[how]})
    assert said(ctx)[-1] == "1.0"


def test_what_the_engines_python_is_told_does_not_reach_the_script(ctx: PlainContext, tmp_path: Path) -> None:
    ctx.environment = {**ctx.environment, "PYTHONPATH": str(tmp_path), "PYTHONHOME": str(tmp_path)}
    run(ctx, "import sys; print([p for p in sys.path if p.endswith(sys.argv[0])], 'core' in sys.modules)")
    Commands(commands=[f"python -c \"import sys; print('{tmp_path}' in sys.path)\""]).run(ctx)
    assert said(ctx) == ["[] False", "False"]


# -- versions and images


@pytest.mark.parametrize(
    ("properties", "version"),
    [
        ({}, ""),
        ({"container_image": "python"}, ""),
        ({"container_image": "python:slim"}, ""),
        ({"container_image": "python:3.9-slim"}, "3.9"),
        ({"container_image": "docker.io/library/python:3.9.1"}, "3.9.1"),
        ({"container_image": "python:3.9.0rc2-slim"}, "3.9.0"),
        ({"container_image": "mine:3.9"}, ""),
        ({"container_image": "python:3.9", "python_version": "3.8"}, "3.8"),
        ({"python_version": f"{sys.version_info.major}.{sys.version_info.minor}"}, ""),
    ],
)
def test_the_version_is_the_flows_then_the_official_images_then_the_engines(
    properties: dict[str, Any], version: str
) -> None:
    assert Script(script="", **properties).local_version() == version


@pytest.mark.parametrize("version", ["--help", ">=3.9", "3.9 x"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(Invalid) as caught:
        Script(script="", python_version=version)
    assert str(caught.value) == f"`{version}` is not a version of Python\n  expected: a version such as 3.12"


@pytest.mark.parametrize(
    ("properties", "image", "official"),
    [
        ({}, "python:3.13-slim", True),
        ({"python_version": "3.12"}, "python:3.12-slim", True),
        ({"container_image": "python:slim"}, "python:slim", True),
        ({"container_image": "docker.io/library/python:3"}, "docker.io/library/python:3", True),
        ({"container_image": "ghcr.io/kestra-io/kestrapy:latest"}, "ghcr.io/kestra-io/kestrapy:latest", False),
        ({"container_image": "ghcr.io/kestra-io/pydata:latest"}, "ghcr.io/kestra-io/pydata:latest", False),
    ],
)
def test_pythons_own_images_can_be_done_without(properties: dict[str, Any], image: str, official: bool) -> None:
    choice = Script(script="", **properties).runner_choice()
    assert (choice.image, choice.official) == (image, official)


# -- in a container


def test_in_a_container_everything_is_run_as_written(ctx: PlainContext) -> None:
    ctx.runner = runner = Container()
    before = ["pip install polars", "echo x"]
    run(ctx, "print(1)", before_commands=before, dependencies=["a>=1", "b"], env={"PYTHONPATH": "/lib"})
    [command] = runner.seen
    assert command.argv[:2] == ("/bin/sh", "-c")
    *first, last = command.argv[2].splitlines()
    assert first == ["set -e", "pip install 'a>=1' b", "pip install polars", "echo x"]
    path = last.removeprefix("python ")
    assert path.startswith(f"{ctx.working_dir}/.script-")
    assert command.env["PYTHONPATH"] == f"{path.removesuffix('.py')}/prelude:/lib"
    assert "VIRTUAL_ENV" not in command.env
    assert command.image == "python:3.13-slim"


def test_a_script_alone_needs_no_shell_in_a_container(ctx: PlainContext) -> None:
    ctx.runner = runner = Container()
    run(ctx, "print(1)")
    assert runner.seen[0].argv[0] == "python"
    run(ctx, "print(1)", interpreter=["/bin/bash", "-c"])
    assert runner.seen[1].argv[0] == "/bin/bash"


def test_a_version_that_an_image_does_not_have_is_a_warning(ctx: PlainContext) -> None:
    ctx.runner = Container()
    run(ctx, "", container_image="python:3.12-slim", python_version="3.12")
    assert ctx.log.lines == []
    run(ctx, "", container_image="mine", python_version="3.12")
    assert ctx.log.lines == [
        ("WARN", "The image `mine` brings its own Python; `pythonVersion: 3.12` has no effect")
    ]  # fmt: skip


def test_process_runner_named_by_the_flow_needs_no_image(ctx: PlainContext) -> None:
    ctx.runner = None
    run(ctx, "print(1)", task_runner=Process())
    assert said(ctx) == ["1"]
