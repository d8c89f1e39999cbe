"""Which task runner a script gets when the flow does not say, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.errors import Unreachable
from core.sdk.runners import TaskRunner
from core.sdk.wishes import RunnerChoice

DOCKER = "runner.Docker"
PROCESS = "runner.Process"
OTHER_RUNNER = "start a Docker engine, or run the task on this machine: `taskRunner: {type: runner.Process}`"


def choose_runner(
    choice: RunnerChoice,
    setting: str,
    docker_unavailable: Callable[[], str],
    make: Callable[[str], TaskRunner],
    requested_unavailable: Callable[[TaskRunner], str],
) -> tuple[TaskRunner, str]:
    """The runner, and a line for people when something stands in for the image that the flow names.

    A runner named by the flow is taken as it is. Else `docker` and `process` mean what they say; `auto` takes Docker
    when an engine answers, else this machine when the image is the language's official one. Raises Unreachable.
    """
    named = choice.requested
    if isinstance(named, TaskRunner):
        reason = "" if choice.elsewhere else requested_unavailable(named)
        if reason:
            raise Unreachable(reason, hint=OTHER_RUNNER)
        return named, ""
    wish = choice.setting or setting
    if wish == "process":
        return make(PROCESS), ""
    reason = "" if choice.elsewhere else docker_unavailable()
    if not reason:
        return make(DOCKER), ""
    if wish == "docker":
        other = "write `runner: PROCESS` on the task" if choice.setting else "run with --runner process"
        raise Unreachable(reason, hint=f"start a Docker engine, or {other}")
    if choice.official:
        return make(PROCESS), f"no Docker engine: {choice.stand_in} stands in for the image `{choice.image}`"
    raise Unreachable(
        f"the image `{choice.image}` needs a Docker engine, and there is none: {reason}",
        expected="a Docker engine, or an official image of the script's language",
        hint="start a Docker engine, or run the script on this machine with --runner process",
    )


def unavailable_reason(runner: type[TaskRunner] | None, environment: Mapping[str, str]) -> str:
    """Why a kind of runner can't run here; None stands for one that is not installed."""
    return "the plugin tailrace-runner-docker is not installed" if runner is None else runner.unavailable(environment)
