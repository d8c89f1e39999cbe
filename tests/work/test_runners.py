"""Which runner a script gets, and what people are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from core.builtin.process import Process
from core.errors import Unreachable
from core.sdk.runners import TaskRunner
from core.sdk.wishes import RunnerChoice
from core.work.runners import choose_runner

NONE = "no container engine answers"


def choose(wish: str = "auto", docker: str = NONE, named: str = NONE, **choice: Any) -> tuple[str, str]:
    """The name of the chosen runner, and the line for people. docker, named: why they can't run."""

    class Made(Process):
        """Stands for the runner of a name."""

    names: list[str] = []

    def make(name: str) -> TaskRunner:
        names.append(name)
        return Made()

    given = RunnerChoice(**{"image": "plain", "official": False, **choice})
    runner, line = choose_runner(given, wish, lambda: docker, make, lambda _: named)
    return names[0] if names else runner.type, line


def test_docker_is_taken_when_an_engine_answers() -> None:
    assert choose(docker="") == choose(docker="", official=True) == choose("docker", docker="") == ("runner.Docker", "")


@pytest.mark.parametrize(
    ("stand_in", "line"),
    [
        ({}, "no Docker engine: this machine with its own tools stands in for the image `plain`"),
        ({"stand_in": "a barn"}, "no Docker engine: a barn stands in for the image `plain`"),
    ],
)
def test_what_stands_in_for_an_official_image_is_told(stand_in: dict[str, str], line: str) -> None:
    assert choose(official=True, **stand_in) == ("runner.Process", line)


def test_another_image_is_refused_with_both_ways_out() -> None:
    with pytest.raises(Unreachable) as caught:
        choose()
    assert str(caught.value) == (
        "the image `plain` needs a Docker engine, and there is none: no container engine answers\n"
        "  expected: a Docker engine, or an official image of the script's language\n"
        "  to do: start a Docker engine, or run the script on this machine with --runner process"
    )


def test_a_setting_means_what_it_says() -> None:
    assert choose("process") == choose("docker", setting="process") == ("runner.Process", "")


@pytest.mark.parametrize(
    ("wish", "setting", "other"),
    [("docker", "", "run with --runner process"), ("process", "docker", "write `runner: PROCESS` on the task")],
)
def test_who_wants_docker_is_told_the_other_way_where_it_can_be_gone(wish: str, setting: str, other: str) -> None:
    with pytest.raises(Unreachable) as caught:
        choose(wish, official=True, setting=setting)
    assert str(caught.value) == f"{NONE}\n  to do: start a Docker engine, or {other}"


def test_a_named_runner_is_taken_as_it_is_or_refused() -> None:
    assert choose(requested=Process(), named="") == ("runner.Process", "")
    with pytest.raises(Unreachable, match=NONE):
        choose(requested=Process())


def test_an_engine_that_the_flow_names_is_not_looked_for_here() -> None:
    assert choose(requested=Process(), elsewhere=True) == ("runner.Process", "")
    assert choose(elsewhere=True) == ("runner.Docker", "")
