"""What an iteration of a loop over items is asked when its tasks are over, and what the loop gives of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core.model.decisions import Counters, Evaluate
from core.model.messages import Evaluated, EvaluationKey, TaskKey
from core.model.nodes import Children, Each
from core.model.truth import truthy
from core.planner.draft import Draft
from core.planner.facts import BREAK, FILE, ITEMS, ITERATION, LINES, OUTPUTS_OF, VALUES
from core.planner.groups import FATAL, WHY, advance, finish_group, open_step, worse

BROKEN = "broken"
"""Note of a loop in which no other iteration begins, since its `breakWhen` was true."""
_NOT_GOOD = ("KILLED", "FAILED", "WARNING")


def _key(draft: Draft, loop: TaskKey, name: str, number: int = 0) -> EvaluationKey:
    return EvaluationKey(loop, f"{name} {draft.counters(loop).turn}", number)


# -- how an iteration ended


def tasks_ended(draft: Draft, loop: TaskKey, number: int, state: str) -> None:
    """An iteration is at least as bad as this; SUCCESS needs no word."""
    if state in _NOT_GOOD and worse(known := _state(draft, loop, number), state) != known:
        draft.remember(_key(draft, loop, f"{ITERATION}{state}", number), True)


def _state(draft: Draft, loop: TaskKey, number: int) -> str:
    return next(
        (state for state in _NOT_GOOD if draft.known(_key(draft, loop, f"{ITERATION}{state}", number))), "SUCCESS"
    )


# -- what it is asked


def _question(draft: Draft, loop: TaskKey, node: Each, number: int) -> str:
    """What an iteration has not said yet, "" when nothing is missing. One that failed gives nothing."""
    good = _state(draft, loop, number) not in FATAL
    if node.outputs and good and not draft.known(_key(draft, loop, OUTPUTS_OF, number)):
        return OUTPUTS_OF
    if node.break_when is not None and (good or not node.transmit_failed):
        return "" if draft.known(_key(draft, loop, BREAK, number)) else BREAK
    return ""


def iteration_over(draft: Draft, loop: TaskKey, node: Each, number: int) -> None:
    """Its tasks are over. While it is asked what it gives, it counts as running."""
    if not node.outputs and node.break_when is None:
        return
    name = _question(draft, loop, node, number)
    if name:
        draft.rule("ask an iteration")
        group = draft.count(loop)
        group.running, group.round = group.running + 1, group.round + 1
        _ask(draft, loop, node, name, number)


def _ask(draft: Draft, loop: TaskKey, node: Each, name: str, number: int) -> None:
    key = _key(draft, loop, name, number)
    if name == OUTPUTS_OF:
        draft.ask(key, {output.id: output.value for output in node.outputs}, typed=True)
        return
    given = draft.known(_key(draft, loop, OUTPUTS_OF, number))
    seen = {"state": _state(draft, loop, number), "outputs": (given and given[0]) or {}}
    draft.ask(key, node.break_when, seen={"iteration": seen})


def ask_iterations(draft: Draft, loop: TaskKey, node: Each) -> None:
    """Ask again for what those have not said whose tasks are over, for a new owner."""
    names: Sequence[str] = draft.answer(loop, VALUES) or ()
    running = {key.path[-1] for key, task in draft.open_tasks() if task.parent == loop}
    for number in _begun(draft, loop):
        name = "" if names[number] in running else _question(draft, loop, node, number)
        if name:
            _ask(draft, loop, node, name, number)


def iteration_answered(draft: Draft, loop: TaskKey, node: Each, message: Evaluated) -> str | None:
    """An iteration has said what it gives, or whether it is the last one."""
    key, number = message.key, message.key.round
    name = key.purpose.rpartition(" ")[0]
    if draft.counters(loop).phase != "tasks" or key != _key(draft, loop, name, number) or draft.known(key):
        draft.rule("late answer")
        return None
    draft.rule("an iteration has answered")
    draft.remember(key, message.value, message.error)
    group = draft.count(loop)
    if message.error:
        draft.rule("what an iteration gives can't be rendered")
        if name == OUTPUTS_OF:
            tasks_ended(draft, loop, number, "FAILED")
        if name == BREAK or node.transmit_failed:
            group.worst, group.note = "FAILED", f"{WHY}{message.error}"
    elif name == BREAK and truthy(None if message.value is None else str(message.value)):
        draft.rule("break")
        group.note = group.note or BROKEN
    following = _question(draft, loop, node, number)
    if following:
        _ask(draft, loop, node, following, number)
        return None
    group.running, group.round = group.running - 1, group.round - 1
    return advance(draft, loop)


def open_next(
    draft: Draft, key: TaskKey, node: Each, group: Counters, steps: Children, path: tuple[str, ...], iteration: int
) -> None:
    """Open the next child of an iteration, the first of those that are left. group: where the loop stands."""
    for step in steps:
        if step.disabled:
            continue
        ended = open_step(draft, step, key, path, group.turn, iteration)
        if ended is None:
            group.running += 1
            return
        group.worst = worse(group.worst, ended)
        if node.as_items:
            tasks_ended(draft, key, iteration, ended)
        if group.worst in FATAL:
            break
    if node.as_items:
        iteration_over(draft, key, node, iteration)


# -- after a restart


def take_over(draft: Draft, loop: TaskKey, node: Each, number: int, before: int, states: Iterable[str]) -> bool:
    """Keep an iteration whose tasks ended so, with what it had said when the loop's turn was `before`. False: it had
    not said all.
    """
    taken = []
    for name, asked in ((OUTPUTS_OF, bool(node.outputs)), (BREAK, node.break_when is not None)):
        if asked:
            said = draft.known(EvaluationKey(loop, f"{name} {before}", number))
            if said is None or said[1]:
                return False
            taken.append((name, said[0]))
    for state in states if node.as_items else ():
        tasks_ended(draft, loop, number, state)
    for name, value in taken:
        draft.remember(_key(draft, loop, name, number), value)
        if name == BREAK and truthy(None if value is None else str(value)):
            draft.count(loop).note = BROKEN
    return True


def keep_iteration(
    draft: Draft, loop: TaskKey, node: Each, number: int, before: int, states: Sequence[str]
) -> None:
    """The same; what it had not said, it is asked now."""
    if not take_over(draft, loop, node, number, before, states):
        enter_iteration(draft, loop, node, number, states, "SUCCESS")


def enter_iteration(
    draft: Draft, loop: TaskKey, node: Each, number: int, states: Iterable[str], ended: str | None,
    child: TaskKey | None = None,
) -> None:  # fmt: skip
    """An iteration goes on behind tasks that ended so, with `child`. ended: how that ended at once; None: it runs."""
    for state in (*states, ended or "SUCCESS") if node.as_items else ():
        tasks_ended(draft, loop, number, state)
    if ended is None or node.side_by_side:
        return
    group = draft.count(loop)
    left: Children = ()
    if child is not None and group.worst not in FATAL:
        left = node.children[[step.id for step in node.children].index(child.task_id) + 1 :]
    open_next(draft, loop, node, group, left, child.path if child is not None else (), number)
    if not node.transmit_failed:  # what has failed has ended its own iteration and nothing else
        group.worst = "SUCCESS"


# -- what the loop gives


def loop_over(draft: Draft, loop: TaskKey, node: Each) -> bool:
    """Its iterations are over: give what came of them. Whether it still waits for its file to be written."""
    group = draft.count(loop)
    if group.note[:1] == WHY:
        group.worst = "FAILED"
    stored = node.stored if node.stored is not None else draft.answer(loop, LINES) is not None
    if node.outputs and stored:
        group.phase = "storing"
        ask_file(draft, loop)
        return True
    outputs = {"outputs": _collected(draft, loop)} if node.outputs else {}
    draft.give(loop, {**_counted(draft, loop), **outputs})
    return False


def ask_file(draft: Draft, loop: TaskKey) -> None:
    """Have what the iterations gave written to a file."""
    draft.rule("store what the iterations gave")
    draft.effects.append(Evaluate(_key(draft, loop, FILE), None, rows=tuple(_collected(draft, loop))))


def file_written(draft: Draft, loop: TaskKey, node: Each, message: Evaluated) -> str | None:
    """The file is there, or can't be written."""
    if draft.counters(loop).phase != "storing" or message.key != _key(draft, loop, FILE):
        draft.rule("late answer")
        return None
    group = draft.count(loop)
    group.phase = "tasks"
    if message.error:
        draft.rule("what the iterations gave can't be stored")
        group.worst, group.note = "FAILED", f"{WHY}{message.error}"
    uri = {} if message.error else {"uri": message.value}
    draft.give(loop, {**_counted(draft, loop), **uri})
    return finish_group(draft, loop, node)


def _begun(draft: Draft, loop: TaskKey) -> Iterator[int]:
    """The numbers of the iterations that have begun, and of those that a restart has kept."""
    counters = draft.counters(loop)
    yield from range(counters.cursor)
    yield from (at for at in range(counters.cursor, counters.done.bit_length()) if counters.done >> at & 1)


def _counted(draft: Draft, loop: TaskKey) -> dict[str, object]:
    counters, node = draft.counters(loop), draft.node(loop)
    plain = counters.worst == "SUCCESS" and isinstance(node, Each) and node.transmit_failed  # no need to look at each
    ends: dict[str, int] = {}
    count = 0
    for number in _begun(draft, loop):
        state = "SUCCESS" if plain else _state(draft, loop, number)
        ends[state] = ends.get(state, 0) + 1
        count += 1
    return {"iterationCount": count, "runningIterations": 0, "terminatedIterations": ends}


def _collected(draft: Draft, loop: TaskKey) -> list[dict[str, object]]:
    """What each iteration gave that has ended well, in their order."""
    names: Sequence[str] = draft.answer(loop, VALUES) or ()
    items = draft.answer(loop, ITEMS)
    rows: list[dict[str, object]] = []
    for number in _begun(draft, loop):
        given = draft.known(_key(draft, loop, OUTPUTS_OF, number))
        if given is not None and not given[1]:
            key, value = items[number] if items else (None, names[number])
            item = {"value": value, "iteration": number, "key": key}
            rows.append({"item": item, "outputs": given[0]})
    return rows
