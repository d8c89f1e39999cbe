"""What a case expects, compared with the records: the reference's words for it, and ours, in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.host.views import TaskExecutionView
from core.testing.apps import revealed
from tests.conformance.flow_story import Moment, Story

Row = TaskExecutionView

TOLD = frozenset(
    {"notes", "raises", "http", "executions", "same_execution_id", "parent_id", "new_task_run_ids", "error_contains",
     "violations", "subflow", "state_histories_prefix"}
)  # fmt: skip
"""Keys that are looked at elsewhere: about an error, another execution, or the answer of a server."""


def check(story: Story, expect: Mapping[str, Any], moment: Moment | None, error: str = "", first: str = "") -> None:
    """Compare every key. error: why there is no execution. first: the execution that the case began with."""
    wanted = [*expect.get("error_contains", ()), *expect.get("violations", ())]
    if wanted or "raises" in expect:
        assert moment is None, f"nothing was refused, it is {moment.execution.state}"
        said = _in_words_of_1x(error)
        assert [text for text in wanted if _in_words_of_1x(text) not in said] == [], error
        return
    assert moment is not None, error
    for key, value in expect.items():
        if key not in TOLD and value is not None:
            CHECKS[key](story, moment, value)
    _others(story, expect, moment, first)


def _in_words_of_1x(text: str) -> str:
    """The last table of the 1.x additions has another text for a value that is missing; the form of the server's
    message around it (`Invalid entity`) is no part of ours."""
    missing = re.sub(r"Invalid input for `(.+?)`, missing required input, but received `null`",
                     r"Missing required input:\1", text)  # fmt: skip
    return "" if text == "Invalid entity" else re.sub(r"^\w+: (?=Invalid input)", "", missing)


# -- the execution


def _state(story: Story, moment: Moment, value: str) -> None:
    history = [state for state, _ in moment.execution.history]
    assert moment.execution.state == value, f"{history}; {_told(moment)}"


def _state_not(story: Story, moment: Moment, value: str) -> None:
    assert moment.execution.state != value


def _history_count(story: Story, moment: Moment, value: int) -> None:
    """A derived execution of the reference begins with a copy of its origin's history; ours has its own."""
    history = list(moment.execution.history)
    if moment.execution.original_id not in (None, moment.execution.id):
        history = [*story.look(story.ids[0]).execution.history, history[-1]]
    assert len(history) == value, history


def _labels_exact(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    assert dict(moment.execution.labels) == _filled(story, moment, value)


def _labels_include(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    assert _filled(story, moment, value).items() <= dict(moment.execution.labels).items()


def _flow_outputs(story: Story, moment: Moment, value: Mapping[str, Any]) -> None:
    assert moment.execution.outputs == value, moment.execution.outputs


def _typed_inputs(story: Story, moment: Moment, value: Mapping[str, Any]) -> None:
    found = moment.execution.inputs
    for name, expected in value.items():
        if isinstance(expected, str) and expected.startswith("kestra://"):
            assert re.fullmatch(r"storage:///.+/inputs/file/.+", str(found[name]))
        elif name != "secret":
            assert name in found
            assert _plain(found[name]) == expected, (name, found[name])


def _plain(value: Any) -> Any:
    """Dates and durations in their texts."""
    from core.expressions.values import text_of

    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else text_of(value)


# -- its task executions


def _count(story: Story, moment: Moment, value: int) -> None:
    assert len(moment.tasks) == value, _told(moment)


def _count_min(story: Story, moment: Moment, value: int) -> None:
    assert len(moment.tasks) >= value, _told(moment)


def _states(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    assert {name: _task(moment, name).state for name in value} == dict(value), _told(moment)


def _states_by_index(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    assert {index: moment.tasks[int(index)].state for index in value} == dict(value), _told(moment)


def _states_min(story: Story, moment: Moment, value: Mapping[str, int]) -> None:
    found = Counter(task.state for task in moment.tasks)
    assert all(found[state] >= least for state, least in value.items()), _told(moment)


def _order(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    assert {index: moment.tasks[int(index)].task_name for index in value} == dict(value), _told(moment)


def _not_executed(story: Story, moment: Moment, value: list[str]) -> None:
    assert not {task.task_name for task in moment.tasks} & set(value), _told(moment)


def _attempts(story: Story, moment: Moment, value: Mapping[str, int]) -> None:
    assert {name: len(_task(moment, name).attempts) for name in value} == dict(value), _told(moment)


def _attempts_by_index(story: Story, moment: Moment, value: Mapping[str, int]) -> None:
    assert {index: len(moment.tasks[int(index)].attempts) for index in value} == dict(value), _told(moment)


def _attempts_min(story: Story, moment: Moment, value: Mapping[str, int]) -> None:
    for name, least in value.items():
        assert all(len(task.attempts) >= least for task in moment.tasks if task.task_name == name), _told(moment)


def _attempt_states(story: Story, moment: Moment, value: Mapping[str, list[str]]) -> None:
    for name, states in value.items():
        assert [attempt.state for attempt in _task(moment, name).attempts] == states, _told(moment)


def _histories(story: Story, moment: Moment, value: Mapping[str, Mapping[str, int] | list[str]]) -> None:
    """How often a task execution, or the execution, had a state; or all of its states."""
    for name, expected in value.items():
        history = (moment.execution if name == "execution" else _task(moment, name)).history
        states = [state for state, _ in history]
        found = Counter(states)
        shown = states if isinstance(expected, list) else {state: found[state] for state in expected}
        assert shown == expected, _told(moment)


def _task_history_count(story: Story, moment: Moment, value: Mapping[str, int]) -> None:
    for name, count in value.items():
        task = moment.tasks[int(name)] if name.isdecimal() else _task(moment, name)
        assert len(task.history) == count, task.history


# -- outputs


def _outputs(story: Story, moment: Moment, value: Mapping[str, Any]) -> None:
    for path, expected in value.items():
        found = _in_our_words(_output(story, moment, path))
        assert found == _filled_value(story, moment, expected), path


def _outputs_contain(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    for path, expected in value.items():
        assert expected in str(_output(story, moment, path)), path


def _outputs_match(story: Story, moment: Moment, value: Mapping[str, str]) -> None:
    for path, pattern in value.items():
        found = str(_output(story, moment, path)).replace("storage:///", "kestra:///")
        assert re.search(pattern, found), (path, found)


def _iterations(story: Story, moment: Moment, value: Mapping[str, Mapping[str, int | None]]) -> None:
    """Child executions by state; a state that none is in any more is not told by us, and 0 by the reference."""
    for name, counts in value.items():
        found = _output(story, moment, f"{name}.iterations") or {}
        assert {state: found.get(state, 0) for state in counts} == {state: n or 0 for state, n in counts.items()}


def _output(story: Story, moment: Moment, path: str) -> Any:
    name, *properties = path.split(".")
    value = revealed(story.app, story.app.outputs.value(_task(moment, name).id))
    for part in properties:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _in_our_words(value: Any) -> Any:
    return value.replace("storage:///", "kestra:///") if isinstance(value, str) else value


# -- logs


def _logs(story: Story, moment: Moment, value: list[Mapping[str, str]]) -> None:
    lines = story.app.executions.logs(moment.execution.id)
    for wanted in value:
        said = [line.message for line in lines if wanted.get("task") in (None, line.task_name)]
        if "equals" in wanted:
            assert wanted["equals"] in said
        else:
            text = wanted["contains"].removeprefix("io.pebbletemplates.pebble.error.PebbleException: ")
            assert any(_in_our_signs(text) in message for message in said), said


def _no_logs(story: Story, moment: Moment, value: str | list[str]) -> None:
    names = [value] if isinstance(value, str) else value
    assert [line for line in story.app.executions.logs(moment.execution.id) if line.task_name in names] == []


def _log_count(story: Story, moment: Moment, value: int | Mapping[str, int]) -> None:
    """How many lines there are, of all or of each task."""
    found = Counter(line.task_name for line in story.app.executions.logs(moment.execution.id))
    assert (found.total() if isinstance(value, int) else {name: found[name] for name in value}) == value, found


def _in_our_signs(text: str) -> str:
    """A message as we write it: a masked secret has four dots; the place of an expression comes after its text."""
    text = re.sub(r"Unable to find (`.+?`) used in the expression `.*`", r"\1 is undefined", text)
    return "••••" if text == "***" else text.split(" ({{")[0]


# -- other executions


def _trigger_variables(story: Story, moment: Moment, value: Mapping[str, Any]) -> None:
    found = dict(moment.execution.trigger or {})
    assert _filled(story, moment, value).items() <= found.items(), found


def _others(story: Story, expect: Mapping[str, Any], moment: Moment, first: str) -> None:
    if "same_execution_id" in expect:
        assert (moment.execution.id == first) is expect["same_execution_id"]
    if expect.get("parent_id"):
        assert moment.execution.original_id == first
    if expect.get("new_task_run_ids"):
        assert not {task.id for task in moment.tasks} & {task.id for task in story.look(first).tasks}
    if "subflow" in expect:
        _subflow(story, expect["subflow"], moment)
    for expected in expect.get("executions", ()):
        if "flow" in expected:
            (child,) = story.others(expected["flow"])
            _state(story, child, expected["state"])
            _labels_include(story, moment, expected.get("labels_include", {}))
    if "executions" in expect and "flow" not in expect["executions"][0]:
        found = sorted([moment.execution.state, *(other.execution.state for other in story.others())])
        assert found == sorted(expected["state"] for expected in expect["executions"])


def _subflow(story: Story, expected: Mapping[str, Any], parent: Moment) -> None:
    children = story.wait_for_ended(story.others(expected["flow"]))
    assert len(children) == expected.get("executions", 1)
    for child in children:
        _state(story, child, expected["state"])
        _count(story, child, expected["task_run_count"])
        for name, pattern in expected.get("inputs_regex", {}).items():
            given = str(child.execution.inputs[name]).replace("storage:///", "kestra:///")
            assert re.fullmatch(pattern, given.replace("_", "-")), given
        if "trigger" in expected:
            wanted = _filled(story, parent, expected["trigger"]["variables"])
            assert wanted.items() <= dict(child.execution.trigger or {}).items()
        if "labels_exact" in expected:
            assert dict(child.execution.labels) == _filled(story, parent, expected["labels_exact"])
        wanted = _filled(story, parent, expected.get("labels_include", {}))
        assert wanted.items() <= dict(child.execution.labels).items()


# -- names


def _task(moment: Moment, name: str) -> Row:
    """`task`, `task@v1/v2` below loops, `#6` by its place; the last one where there are several."""
    if name.startswith("#"):
        return moment.tasks[int(name[1:])]
    name, _, values = name.partition("@")
    path = tuple(values.split("/")) if values else ()
    found = [
        task for task in moment.tasks if task.task_name == name and task.path[-len(path) or len(task.path) :] == path
    ]
    if not path:
        found = [task for task in moment.tasks if task.task_name == name]
    assert found, f"no task execution {name}@{values}: {_told(moment)}"
    return found[-1]


def _filled(story: Story, moment: Moment, value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _filled_value(story, moment, item) for key, item in value.items()}


def _filled_value(story: Story, moment: Moment, value: Any) -> Any:
    """A value with its placeholder filled in."""
    if not isinstance(value, str) or not value.startswith("<"):
        return value
    if value.startswith("<subflow"):
        (child,) = story.others()
        return child.execution.id
    if value.startswith("<taskrun.id of "):
        return _task(moment, value.removeprefix("<taskrun.id of ").rstrip(">")).id
    known = {"execution.id": moment.execution.id, "flow id": story.flow.id, "namespace": story.flow.namespace}
    return next(known[name] for name in known if value.rstrip(">").endswith(name))


def _told(moment: Moment) -> str:
    rows = [f"{task.task_name}{list(task.path) or ''} {task.state} {task.error}" for task in moment.tasks]
    return "\n".join([f"{moment.execution.state} {moment.execution.error}", *rows])


CHECKS: dict[str, Callable[[Story, Moment, Any], None]] = {
    "state": _state, "state_not": _state_not, "state_history_count": _history_count,
    "labels_exact": _labels_exact, "labels_include": _labels_include,
    "flow_outputs": _flow_outputs, "typed_inputs": _typed_inputs,
    "task_run_count": _count, "task_run_count_min": _count_min,
    "task_states": _states, "task_states_by_index": _states_by_index, "task_states_min": _states_min,
    "task_order": _order, "not_executed": _not_executed,
    "attempts": _attempts, "attempts_by_index": _attempts_by_index, "attempts_min": _attempts_min,
    "attempt_states": _attempt_states, "histories": _histories,
    "task_run_history_count": _task_history_count, "task_run_history_count_by_index": _task_history_count,
    "outputs": _outputs, "outputs_contains": _outputs_contain, "outputs_regex": _outputs_match,
    "iterations": _iterations, "logs": _logs, "no_logs_for": _no_logs, "log_count": _log_count,
    "trigger_variables": _trigger_variables,
}  # fmt: skip
