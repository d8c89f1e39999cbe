"""The steps of a case, and its action where that is told in words: what is asked of the app, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import TailraceError
from core.host.views import ExecutionChanged, Happening, TaskChanged
from core.loading import parse_yaml
from core.model.inputs import resolve_inputs
from tests.conformance.flow_beside import two_at_once
from tests.conformance.flow_expect import check
from tests.conformance.flow_story import Moment, Story, read_flow


def play(story: Story) -> None:
    """Do what the case says, and compare all that it expects."""
    case = story.case
    special = SPECIAL.get(case["id"]) or SPECIAL.get(case["kind"])
    if special is not None:
        special(story)
    elif case.get("steps"):
        _steps(story)
    elif (
        case["expect"].get("state") == "CREATED"
        or "raises" in case["expect"]
        or ("typed_inputs" in case["expect"] and case["kind"] == "inputs")
    ):
        check(story, case["expect"], *_created(story))
    else:
        check(story, case["expect"], story.started())


def _created(story: Story) -> tuple[Moment | None, str]:
    """An execution that is only created, or why it was not."""
    try:
        return story.look(story.create()), ""
    except TailraceError as error:
        return None, str(error)


# -- steps one after another


def _steps(story: Story) -> None:
    moment: Moment | None = None
    error = ""
    for step in story.case["steps"]:
        expect = step.get("expect") or {}
        found, error = STEPS[step["action"]](story, step.get("args") or {}, expect)
        check(story, expect, found, error, first=story.ids[0] if story.ids else "")
        moment = found or moment
    check(story, story.case["expect"], moment if "raises" not in story.case["expect"] else None, error)


Step = Callable[[Story, dict[str, Any], dict[str, Any]], tuple[Moment | None, str]]


def _run(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    return story.started(), ""


def _until_paused(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    story.started()
    return story.at(story.ids[-1], "PAUSED"), ""


def _wait(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    moment = story.look(story.ids[-1])
    return story.run(story.ids[-1]) if moment.execution.state == "CREATED" else moment, ""


def _resume(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    inputs = dict(args.get("inputs") or {})
    if "data" in inputs:
        path = story.folder / "data.txt"
        path.write_text(story.ids[-1], "utf-8")
        inputs["data"] = str(path)
    try:
        story.app.executions.resume(story.ids[-1], inputs)
    except TailraceError as error:
        return None, str(error)
    return _gone_on(story, expect), ""


def _restart(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    story.app.executions.restart(story.ids[-1])
    return _gone_on(story, expect), ""


def _replay(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    task, _, value = str(args.get("from") or args.get("from_task") or "").partition("@")
    derived = story.app.executions.replay(story.ids[-1], from_task=task or None, value=value or None)
    story.ids.append(derived.id)
    return story.look(derived.id) if expect.get("state") == "CREATED" else _gone_on(story, expect), ""


def _kill(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    story.app.executions.kill(story.ids[-1])
    (moment,) = story.wait_for_ended([story.look(story.ids[-1])])
    return moment, ""


def _force_run(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    story.app.executions.force_run(story.ids[-1])
    return story.run(story.ids[-1]), ""


def _mark_as(story: Story, args: dict[str, Any], expect: dict[str, Any]) -> tuple[Moment | None, str]:
    """A paused task marked RUNNING is what resuming does; an ended one is given another state."""
    task, _, value = str(args["task"]).partition("@")
    if args["state"] == "RUNNING":
        return _resume(story, {}, expect)
    if args != story.case["steps"][1]["args"]:
        story.started()  # each is asked of an execution as it was before the others
    story.app.executions.change_state(story.ids[-1], task, args["state"], value=value or None)
    return _gone_on(story, expect), ""


def _gone_on(story: Story, expect: dict[str, Any]) -> Moment:
    """Run on; shown is the end, or the moment of RESTARTED where the case looks at what is about to run."""
    ended = story.run(story.ids[-1])
    return story.at(story.ids[-1], "RESTARTED") if expect.get("state") == "RESTARTED" else ended


STEPS: dict[str, Step] = {
    "run": _run, "execute": _run, "run-until-paused": _until_paused, "wait": _wait, "resume": _resume,
    "resume again": _resume, "restart": _restart, "replay": _replay, "mark-as": _mark_as, "kill": _kill,
    "force-run": _force_run,
}  # fmt: skip


# -- actions told in words


def _paused_and_resumed(story: Story) -> None:
    _until_paused(story, {}, {})
    inputs = {"asked": "myString", "data": ""} if "inputs" in story.case["id"] else {}
    moment, error = _resume(story, {"inputs": inputs}, {})
    check(story, story.case["expect"], moment, error)


def _paused_and_killed(story: Story) -> None:
    _until_paused(story, {}, {})
    story.app.executions.kill(story.ids[-1])
    check(story, story.case["expect"], story.look(story.ids[-1]))


def _paused_and_forced(story: Story) -> None:
    _until_paused(story, {}, {})
    story.app.executions.force_run(story.ids[-1])
    check(story, story.case["expect"], story.run(story.ids[-1]))


def _while_running(ask: str) -> Callable[[Story], None]:
    def told(story: Story) -> None:
        execution_id = story.create()
        asked: list[str] = []

        def follow(happening: Happening) -> None:
            if isinstance(happening, TaskChanged) and happening.state == "RUNNING" and not asked:
                asked.append(happening.task_name)
                (story.app.executions.kill if ask == "kill" else story.app.executions.pause)(execution_id)
            if ask == "pause" and isinstance(happening, ExecutionChanged) and happening.state == "PAUSED":
                story.app.executions.resume(execution_id)

        moment = story.run(execution_id, follow)
        if ask == "pause":
            assert "PAUSED" in [state for state, _ in moment.execution.history]
            assert moment.execution.state == "SUCCESS"
        check(story, story.case["expect"], moment)

    return told


def _resumed_by_a_task(story: Story) -> None:
    paused = story.run(story.create({}, read_flow(story.app, story.case["needs"][0])))
    assert paused.execution.state == "PAUSED"
    moment = story.run(story.create({"executionId": paused.execution.id}))
    check(story, story.case["expect"], moment)
    assert story.run(paused.execution.id).execution.state == "SUCCESS"


def _validated(story: Story) -> None:
    """Every input is there, whatever is missing: none is left out by a condition."""
    values, _ = resolve_inputs(story.flow.inputs, story.case["inputs"], lambda template, seen: template, parse_yaml)
    found = [one.id for one in story.flow.inputs if one.id.split(".")[0] in values]
    assert found == [one.id for one in story.flow.inputs]


SPECIAL: dict[str, Callable[[Story], None]] = {
    "api-resume": _paused_and_resumed,
    "api-resume-with-inputs": _paused_and_resumed,
    "api-kill-paused": _paused_and_killed,
    "api-force-run-paused": _paused_and_forced,
    "api-kill": _while_running("kill"),
    "api-pause-running": _while_running("pause"),
    "api-validate-inputs": _validated,
    "resume-task": _resumed_by_a_task,
    "concurrency": two_at_once,
}
