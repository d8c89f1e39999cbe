"""Shell tasks, and that the names the plugin lists are those of its classes."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import tailrace_scripts_shell
from core.builtin.process import Process
from core.sdk import TaskFailed, to_plain
from core.testing.plain_context import PlainContext
from tailrace_scripts_shell.tasks import Commands, Script


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path, environment={"PATH": os.environ["PATH"]}, runner=Process())


def test_the_listed_names_are_those_of_the_classes() -> None:
    for ref in tailrace_scripts_shell.task_types():
        module, _, name = ref.target.partition(":")
        cls = getattr(import_module(module), name)
        assert (ref.name, ref.aliases, ref.title) == (cls.type, cls.aliases, cls.__doc__.splitlines()[0])


def test_a_script_is_one_program_text(ctx: PlainContext) -> None:
    script = 'greet() {\n  echo "hello $1"\n}\ngreet "a  b"\ncat <<END\n$0\nEND\n'
    output = to_plain(Script(script=script).run(ctx))
    assert output["exitCode"] == 0
    assert ctx.log.lines == [("INFO", "hello a  b"), ("INFO", "/bin/sh")]


def test_commands_share_a_shell(ctx: PlainContext) -> None:
    Commands(commands=["a=1", "echo $a"], before_commands=["echo before"]).run(ctx)
    assert ctx.log.lines == [("INFO", "before"), ("INFO", "1")]


@pytest.mark.parametrize("task", [Script(script="false\necho after"), Commands(commands=["false", "echo after"])])
def test_both_stop_at_the_first_failure(ctx: PlainContext, task: Script | Commands) -> None:
    with pytest.raises(TaskFailed) as caught:
        task.run(ctx)
    assert str(caught.value) == "Command failed with exit code 1"
    assert ctx.log.lines == []


@pytest.mark.parametrize("task", [Script(script="a | b"), Commands(commands=["a", "b"])])
def test_both_run_in_the_default_image_for_which_a_local_shell_can_stand_in(task: Script | Commands) -> None:
    choice = task.runner_choice()
    assert (choice.image, choice.official) == ("ubuntu", True)


@pytest.mark.parametrize(
    ("image", "official"),
    [("debian:12", True), ("alpine", True), ("bash:5", True), ("amazon/aws-cli", False), ("jq", False)],
)
def test_only_images_that_hold_no_more_than_a_system_can_be_done_without(image: str, official: bool) -> None:
    assert Script(script="true", container_image=image).runner_choice().official is official


def test_the_interpreter_can_be_another_shell(ctx: PlainContext) -> None:
    options: dict[str, Any] = {"interpreter": ["/bin/bash", "-c"]}
    Script(script='a=(one two); echo "${a[1]}"', **options).run(ctx)
    assert ctx.log.lines == [("INFO", "two")]
