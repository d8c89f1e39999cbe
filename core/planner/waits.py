"""What waits for a time or a person: Repeat between its rounds, Wait, and a paused execution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.errors import Invalid
from core.model.decisions import RunTask, WakeAt
from core.model.durations import parse_duration
from core.model.messages import (
    Due,
    Evaluated,
    EvaluationKey,
    PauseRequested,
    ResumeRequested,
    TaskKey,
    TaskWaits,
)
from core.model.nodes import Repeat, Wait, Work
from core.model.state import ENDED
from core.model.truth import truthy
from core.planner.draft import HELD, Draft, Kind
from core.planner.ends import ask_end, goes_on, is_leaving, stopped_as
from core.planner.facts import SETTINGS
from core.planner.groups import (
    FATAL,
    WARNS,
    WHY,
    advance,
    begin_queued,
    child_ended,
    end_task,
    fill,
    finish_group,
    open_step,
    settle,
)  # fmt: skip
from core.planner.retries import run_again

UNTIL = "until"
TIMEOUT = "TIMEOUT"
ENOUGH = "enough"
NOT_RESUMED = "the pause was not resumed in time"


def micros(value: object) -> int:
    """An ISO duration in microseconds. Raises Invalid."""
    span = parse_duration(str(value))
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _settings(draft: Draft, key: TaskKey, written: Mapping[str, object]) -> Mapping[str, object] | None:
    """The node's limits, rendered; None when they have to be asked for first."""
    if not any(isinstance(value, str) and "{" in value for value in written.values()):
        return written
    known: object = draft.answer(key, SETTINGS)
    if known is None:
        draft.rule("ask for the limits")
        draft.count(key).phase = "asking"
        _ask_settings(draft, key, written)
        return None
    return known if isinstance(known, Mapping) else written  # an answer that is no map says nothing of them


def _ask_settings(draft: Draft, key: TaskKey, written: Mapping[str, object]) -> None:
    asked = {name: value for name, value in written.items() if value is not None}
    draft.ask(EvaluationKey(key, SETTINGS), asked)


# -- Repeat


def _limits(node: Repeat) -> dict[str, object]:
    return {
        "interval": node.interval, "max_turns": node.max_turns, "max_duration": node.max_duration,
        "failure_on_max": node.failure_on_max,
    }  # fmt: skip


def start_repeat(draft: Draft, key: TaskKey, node: Repeat) -> str | None:
    if _settings(draft, key, _limits(node)) is None:
        return None
    return _round(draft, key, 1, draft.counters(key).turn)


def _round(draft: Draft, key: TaskKey, number: int, turn: int) -> str | None:
    draft.rule("round")
    draft.give(key, {"iterationCount": number})
    group = draft.count(key)
    group.cursor, group.worst, group.phase, group.done = 0, "SUCCESS", "tasks", 0
    group.round, group.turn = number, turn
    return advance(draft, key)


def run_repeat(draft: Draft, key: TaskKey, node: Repeat, child: TaskKey | None) -> bool:
    """The children of one round; after the last of them the condition is asked for, and the loop goes on."""
    if fill(draft, key, node.children, 1):
        return True
    counters = draft.counters(key)
    if counters.worst in FATAL or counters.note:
        return False
    if "{" in node.until:
        draft.count(key).phase = "asking"
        ask_repeat(draft, key, node)
        return True
    return _again(draft, key, node, node.until)


def ask_repeat(draft: Draft, key: TaskKey, node: Repeat) -> None:
    counters = draft.counters(key)
    if counters.round:
        draft.ask(EvaluationKey(key, UNTIL, counters.turn), node.until)
    else:
        _ask_settings(draft, key, _limits(node))


def repeat_answered(draft: Draft, key: TaskKey, node: Repeat, message: Evaluated) -> str | None:
    draft.remember(message.key, message.value, message.error)
    counters = draft.counters(key)
    asked = (UNTIL, counters.turn) if counters.round else (SETTINGS, 0)
    if counters.phase != "asking" or message.key[1:] != asked:
        draft.rule("late answer")
        return None
    if message.error:
        draft.rule("the loop's condition or limits can't be rendered")
        return end_task(draft, key, "FAILED", message.error)
    if message.key.purpose == SETTINGS:
        return _round(draft, key, 1, draft.counters(key).turn)
    if _again(draft, key, node, "" if message.value is None else str(message.value)):
        return None
    return finish_group(draft, key, node)


def _again(draft: Draft, key: TaskKey, node: Repeat, until: str) -> bool:
    """Whether another round is to come; if so the loop now waits for it."""
    group, task = draft.count(key), draft.task(key)
    if truthy(until):
        draft.rule("the loop's condition holds")
        group.phase, group.note = "tasks", ENOUGH
        return False
    settings = _settings(draft, key, _limits(node)) or _limits(node)
    try:
        interval, reached = _reached(draft, settings, group.round, task.since if task else 0)
    except (Invalid, ValueError) as error:
        draft.rule("the loop's limits are not what they should be")
        group.phase, group.worst, group.note = "tasks", "FAILED", f"{WHY}{error}"
        return False
    if reached:
        failed = truthy(str(settings.get("failure_on_max", False)).lower())
        draft.rule(f"max {reached} reached")
        group.phase, group.note = "tasks", f"{WHY if failed else WARNS}Max {reached} reached"
        if failed:
            group.worst = "FAILED"
        return False
    due_at = draft.facts.now + interval
    group.phase = "waiting"
    draft.move(key, "PAUSED", due_at=due_at)
    draft.effects.append(WakeAt(key, due_at))
    return True


def _reached(draft: Draft, settings: Mapping[str, object], rounds: int, since: int) -> tuple[int, str]:
    """(microseconds between rounds, which limit is reached or nothing)"""
    turns, duration = settings.get("max_turns"), settings.get("max_duration")
    interval = micros(settings["interval"])
    if turns is not None and rounds >= int(str(turns)):
        return interval, "iterations"
    if duration is not None and draft.facts.now - since >= micros(duration):
        return interval, "duration"
    return interval, ""


def repeat_due(draft: Draft, key: TaskKey, node: Repeat) -> str | None:
    draft.move(key, "RUNNING")
    return _round(draft, key, draft.counters(key).round + 1, draft.next_turn())


# -- Wait


def _spans(node: Wait) -> dict[str, object]:
    return {"duration": node.duration, "timeout": node.timeout, "behavior": node.behavior}


def ask_wait(draft: Draft, key: TaskKey, node: Wait) -> None:
    _ask_settings(draft, key, _spans(node))


def start_wait(draft: Draft, key: TaskKey, node: Wait) -> str | None:
    settings = _settings(draft, key, _spans(node))
    if settings is None:
        return None
    try:
        due_at, meaning = _wait_ends(draft, settings)
    except Invalid as error:
        draft.rule("a span that is none")
        return end_task(draft, key, "FAILED", str(error))
    draft.rule("pause")
    running = 0
    if node.on_pause is not None and not node.on_pause.disabled:
        running = int(open_step(draft, node.on_pause, key, key.path, draft.counters(key).turn) is None)
    group = draft.count(key)
    group.phase, group.note, group.running = "waiting", meaning, running
    draft.move(key, "PAUSED", due_at=due_at)
    if due_at:
        draft.effects.append(WakeAt(key, due_at))
    return None


def _wait_ends(draft: Draft, settings: Mapping[str, object]) -> tuple[int, str]:
    """(when the waiting ends by itself, 0 for never; what that means). Raises Invalid."""
    ends = []
    behavior = str(settings.get("behavior") or "RESUME").upper()
    if behavior not in ("RESUME", "WARN", "FAIL", "CANCEL"):
        raise Invalid(f"`{behavior}` is not a behavior", expected="RESUME, WARN, FAIL or CANCEL")
    if settings.get("duration") is not None:
        ends.append((draft.facts.now + micros(settings["duration"]), behavior))
    if settings.get("timeout") is not None:
        ends.append((draft.facts.now + micros(settings["timeout"]), TIMEOUT))
    return min(ends) if ends else (0, "")


def wait_answered(draft: Draft, key: TaskKey, node: Wait, message: Evaluated) -> str | None:
    draft.remember(message.key, message.value, message.error)
    if draft.counters(key).phase != "asking" or message.key.purpose != SETTINGS:
        draft.rule("late answer")
        return None
    if message.error:
        draft.rule("a span can't be rendered")
        return end_task(draft, key, "FAILED", message.error)
    return start_wait(draft, key, node)


def run_wait(draft: Draft, key: TaskKey, node: Wait, child: TaskKey | None) -> bool:
    return fill(draft, key, node.children, 1)


def wait_due(draft: Draft, key: TaskKey, node: Wait) -> str | None:
    meaning = draft.counters(key).note
    draft.rule(f"the pause is over: {meaning}")
    if meaning == "CANCEL":
        ask_end(draft, "CANCELLED", NOT_RESUMED)
        return None
    worst = {"WARN": "WARNING", "FAIL": "FAILED", TIMEOUT: "FAILED"}.get(meaning, "SUCCESS")
    return _go_on(draft, key, worst, f"{WHY}{NOT_RESUMED}" if worst == "FAILED" else "")


def resume_wait(draft: Draft, key: TaskKey, message: ResumeRequested) -> str | None:
    draft.rule("resumed")
    on = datetime.fromtimestamp(draft.facts.now // 1000 / 1000, UTC).isoformat(timespec="milliseconds")
    resumed = {"by": message.by or None, "on": on.replace("+00:00", "Z"), "to": "RUNNING"}
    given = {"onResume": dict(message.inputs)} if message.inputs else {}
    draft.give(key, {**given, "resumed": resumed})
    return _go_on(draft, key, "SUCCESS")


def _go_on(draft: Draft, key: TaskKey, worst: str, why: str = "") -> str | None:
    group = draft.count(key)
    group.phase, group.worst, group.note = "tasks", worst, why
    node: Any = draft.node(key)
    if worst != "FAILED" or node.policy.errors or node.policy.finally_:  # else nothing of it runs any more
        draft.move(key, "RUNNING")
    return advance(draft, key)


# -- messages


def due(draft: Draft, message: Due) -> None:
    """The time has come for one that waits; nothing begins while somebody pauses the execution."""
    key = message.key
    task = draft.task(key)
    if task is None or not task.due_at or (draft.halted and not goes_on(draft, task)):
        draft.rule("late timer")
    elif draft.facts.now < task.due_at:
        draft.rule("early timer")
        draft.effects.append(WakeAt(key, task.due_at))
    elif draft.held:
        draft.rule("due while paused")
    else:
        _its_time(draft, key, task.state)


def _its_time(draft: Draft, key: TaskKey, state: str) -> None:
    if state == "RETRYING":
        draft.rule("retry")
        settle(draft, key, run_again(draft, key))
        return
    node: Any = draft.node(key)
    if isinstance(node, Work):
        draft.rule("its wait is over")
        draft.hold(key, 0)
        draft.effects.append(RunTask(key))
        return
    comes_due = draft.kind(type(node)).due
    if comes_due is not None:
        settle(draft, key, comes_due(draft, key, node))


def task_waits(draft: Draft, message: TaskWaits) -> None:
    """An attempt gave its thread back."""
    task = draft.task(message.key)
    if task is None or not task.running or task.due_at:
        draft.rule("late wait")
    elif draft.halted and not is_leaving(draft):
        draft.rule("no time to wait")
        state = stopped_as(draft, task)
        draft.end(message.key, state)
        child_ended(draft, message.key, task.parent, state)
    else:
        draft.rule("wait")
        draft.hold(message.key, message.due_at, message.state)
        draft.effects.append(WakeAt(message.key, message.due_at))


def pause(draft: Draft, message: PauseRequested) -> None:
    """Nothing new begins until somebody resumes; what runs goes on to its end."""
    if draft.held or draft.state not in ("RUNNING", "PAUSED", "RETRYING") or draft.halted:
        draft.rule("nothing to pause")
        return
    draft.rule("paused")
    draft.note(HELD)
    draft.set_state("PAUSED")


def resume(draft: Draft, message: ResumeRequested) -> None:
    """Lift a pause of the execution; without one, let the waiting tasks go on."""
    if draft.halted:
        draft.rule("nothing to resume")
    elif draft.held and message.key is None:
        lift(draft)
    else:
        waiting = [key for key, _ in draft.open_tasks() if _can_resume(draft, key) and message.key in (None, key)]
        if not waiting:
            draft.rule("nothing to resume")
        if waiting and draft.state not in ENDED:
            draft.set_state("RUNNING", through="RESTARTED")
        for key in waiting:
            settle(draft, key, resume_wait(draft, key, message))


def _can_resume(draft: Draft, key: TaskKey) -> bool:
    return isinstance(draft.node(key), Wait) and draft.counters(key).phase == "waiting"


def lift(draft: Draft) -> None:
    """Begin what was opened while the execution was paused, and what came due."""
    draft.rule("resumed")
    draft.note("")
    draft.set_state("RUNNING", through="RESTARTED")
    for key, task in list(draft.open_tasks()):
        if task.state == "QUEUED":
            settle(draft, key, begin_queued(draft, key))
        elif task.due_at and task.due_at <= draft.facts.now:
            _its_time(draft, key, task.state)


REPEAT = Kind(start_repeat, run_repeat, ask_repeat, repeat_answered, repeat_due)
WAIT = Kind(start_wait, run_wait, ask_wait, wait_answered, wait_due)
