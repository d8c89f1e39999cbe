"""Where a script runs: the image, the runner, and what is known of both before the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.builtin.process import Process
from core.errors import Invalid, Unreachable
from core.sdk.context import RunContext
from core.sdk.properties import prop, to_plain
from core.sdk.runners import Command, CommandResult, TaskRunner
from core.sdk.script_workspace import Workspace
from core.sdk.scripts import DockerOptions, Launch, ScriptTask, split_image
from core.sdk.wishes import Requirement, RunnerChoice
from core.testing.plain_context import PlainContext


class Sh(ScriptTask):
    """Commands of a shell."""

    default_image = "plain"
    official_images = frozenset({"plain"})
    commands: list[str] = prop("The commands.")

    def launch(self, space: Workspace) -> Launch:
        return Launch(self.shell(space, self.commands))


class Container(TaskRunner, type="tests.Container"):
    """Stands for a runner with images: keeps what it was asked for."""

    containers = True
    user: str = prop("User.", default="")
    network_mode: str = prop("Network.", default="")
    seen: list[Any] = prop("What was run, and by whom.", factory=list)

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        self.seen.append((self, command))
        return CommandResult(0, {"containerId": "c0ffee"})


def choice(**properties: Any) -> RunnerChoice:
    return Sh(commands=["true"], **properties).runner_choice()


def test_the_image_is_the_types_own_or_what_the_flow_says() -> None:
    docker = DockerOptions(image="old")
    assert [choice().image, choice(container_image="a").image, choice(docker=docker).image] == ["plain", "a", "old"]
    assert choice(container_image="a", docker=docker).image == "old"


@pytest.mark.parametrize(
    ("image", "official"),
    [
        (None, True), ("plain", True), ("plain:1", True), ("library/plain", True), ("docker.io/library/plain:1", True),
        ("docker.io/plain@sha256:00", True), ("mine/plain", False), ("ghcr.io/plain:1", False), ("plainer", False),
        ("localhost:5000/plain", False),
    ],
)  # fmt: skip
def test_only_the_official_image_can_be_done_without(image: str | None, official: bool) -> None:
    assert choice(container_image=image).official is official


def test_docker_options_need_docker() -> None:
    assert choice(docker=DockerOptions(image="plain")).official
    assert not choice(docker=DockerOptions(image="plain", user="1000")).official


def test_the_old_runner_property_wins_over_task_runner() -> None:
    process = Process()
    assert choice(task_runner=process).requested is process
    old = choice(task_runner=process, runner="DOCKER")
    assert (old.requested, old.setting) == (None, "docker")
    assert choice(runner="PROCESS").setting == "process"


def test_what_is_needed_is_known_before_the_run() -> None:
    def needed(**properties: Any) -> tuple[Requirement, ...]:
        return Sh(commands=["true"], **properties).requires()

    assert needed() == (Requirement("runner", image="plain", official=True),)
    assert needed(task_runner=Process()) == (
        Requirement("runner", image="plain", official=True, requested="runner.Process"),
    )
    assert needed(runner="DOCKER", container_image="a") == (Requirement("runner", image="a", setting="docker"),)
    assert needed(container_image="{{ inputs.image }}") == ()
    for name in ("docker", "task_runner", "runner"):  # texts of any type, before they are rendered
        assert needed(**{name: "{{ inputs.where }}"}) == ()


def test_a_place_that_the_flow_names_is_not_looked_for_on_this_machine() -> None:
    class Remote(Container, type="tests.Remote"):
        """A runner at a place of its own."""

        @property
        def elsewhere(self) -> bool:
            return True

    for properties in ({"task_runner": Remote()}, {"docker": DockerOptions(host="tcp://docker.example:2375")}):
        sh = Sh(commands=["true"], **properties)
        assert (sh.runner_choice().elsewhere, sh.requires()) == (True, ())
    assert not choice(task_runner=Container()).elsewhere


def test_docker_options_are_handed_to_the_container_runner(tmp_path: Path) -> None:
    runner = Container(user="0")
    ctx = PlainContext(tmp_path, runner=runner)
    docker = DockerOptions(image="old", user="1000", network_mode="none")
    output = to_plain(Sh(commands=["true"], docker=docker).run(ctx))
    made, command = runner.seen[0]
    assert (made.user, made.network_mode, command.image) == ("1000", "none", "old")
    assert output["taskRunner"] == {"containerId": "c0ffee"}
    with pytest.raises(Invalid, match=r"^`docker.shmSize` means nothing to the runner `tests.Container`$"):
        Sh(commands=["true"], docker=DockerOptions(shm_size="1GB")).run(ctx)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("python", ("python", "")),
        ("docker.io/library/python:3.12-slim@sha256:00", ("python", "3.12-slim")),
        ("ghcr.io/a/b:latest", ("ghcr.io/a/b", "latest")),
    ],
)
def test_an_image_is_a_name_and_a_tag(image: str, parts: tuple[str, str]) -> None:
    assert split_image(image) == parts


def test_what_a_crash_left_running_is_gone_on_with(tmp_path: Path) -> None:
    class Surviving(Container, type="tests.Surviving"):
        """A runner that finds the container of an earlier start."""

        def reattach(self, ctx: RunContext, command: Command) -> CommandResult:
            command.on_line("stdout", '::{"outputs": {"a": 1}}::')
            return CommandResult(0, {"containerId": "old"})

    runner = Surviving()
    output = to_plain(Sh(commands=["true"]).run(PlainContext(tmp_path, runner=runner)))
    assert (output["vars"], output["taskRunner"], runner.seen) == ({"a": 1}, {"containerId": "old"}, [])


def test_commands_need_an_interpreter() -> None:
    with pytest.raises(Invalid) as caught:
        Sh(commands=["ls"], interpreter=[])
    assert str(caught.value) == (
        "`interpreter` is empty\n  expected: a program and its arguments, such as [/bin/sh, -c]"
    )


class Chooses(PlainContext):
    """An engine that takes this machine, told otherwise nothing; Docker answers, or not."""

    docker: TaskRunner | None = None

    def choose_runner(self, choice: RunnerChoice) -> TaskRunner:
        if isinstance(choice.requested, TaskRunner):
            return choice.requested
        if choice.setting != "docker":
            return Left(name="process")
        if self.docker is None:
            raise Unreachable("there is no Docker engine")
        return self.docker


class Left(TaskRunner, type="tests.Left"):
    """Tells that it was asked to end what is left."""

    name: str = prop("What it tells.")

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        return CommandResult(0)

    def stop_left(self, ctx: RunContext) -> None:
        ctx.log.info(self.name)


def asked(ctx: PlainContext, **properties: Any) -> list[str]:
    Sh(commands=["true"], **properties).stop_left(ctx)
    return [message for _, message in ctx.log.lines]


def test_what_is_left_is_ended_where_the_flow_says_that_it_ran(tmp_path: Path) -> None:
    assert asked(Chooses(tmp_path), task_runner=Left(name="named")) == ["named"]
    assert asked(Chooses(tmp_path), runner="PROCESS") == ["process"]


def test_what_is_left_is_ended_wherever_it_may_have_run_when_the_flow_does_not_say(tmp_path: Path) -> None:
    """The engine that died may have been told another runner than this one."""
    ctx = Chooses(tmp_path)
    assert asked(ctx) == ["process", "process"]
    ctx.docker = Left(name="docker")
    assert asked(ctx)[2:] == ["process", "docker", "process"]


def test_that_the_place_where_it_ran_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="there is no Docker engine"):
        asked(Chooses(tmp_path), runner="DOCKER")
