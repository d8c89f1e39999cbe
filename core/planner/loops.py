"""A branch that is chosen, and the loop over values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from core.model.messages import Evaluated, EvaluationKey, TaskKey
from core.model.nodes import Children, Choice, Each
from core.model.truth import truthy
from core.planner.draft import Draft, Kind
from core.planner.facts import FILE, ITEMS, ITERATION, LINES, VALUES
from core.planner.groups import FATAL, WINDOW, advance, end_task, fill, open_step, worse
from core.planner.iterations import (
    ask_file,
    ask_iterations,
    file_written,
    iteration_answered,
    iteration_over,
    loop_over,
    open_next,
    tasks_ended,
)  # fmt: skip
from core.sdk.storage import is_storage_uri

BRANCH = "branch"
READ = "read"
Items = list[list[str | None]] | None

# -- Choice


def start_choice(draft: Draft, key: TaskKey, node: Choice) -> str | None:
    if "{" not in node.value:
        return _choose(draft, key, node, node.value)
    draft.count(key).phase = "asking"
    ask_branch(draft, key, node)
    return None


def ask_branch(draft: Draft, key: TaskKey, node: Choice) -> None:
    draft.ask(EvaluationKey(key, BRANCH), node.value)


def choice_answered(draft: Draft, key: TaskKey, node: Choice, message: Evaluated) -> str | None:
    draft.remember(message.key, message.value, message.error)
    if draft.counters(key).phase != "asking" or message.key.purpose != BRANCH:
        draft.rule("late answer")
        return None
    if message.error:
        draft.rule("the choice can't be rendered")
        return end_task(draft, key, "FAILED", message.error)
    return _choose(draft, key, node, "" if message.value is None else str(message.value))


def _choose(draft: Draft, key: TaskKey, node: Choice, text: str) -> str | None:
    if node.by_truth:
        holds = truthy(text)
        branch = "true" if holds else "false"
        draft.give(key, {"evaluationResult": holds})
    else:
        branch = text
        draft.give(key, {"value": text, "defaults": text not in node.branches})
    if branch not in node.branches and node.otherwise is None:
        draft.rule("no branch")
        flow = draft.facts.flow
        warning = f"No task found on flow '{flow.namespace}.{flow.id}', task '{key.task_id}'"  # the reference's words
        return end_task(draft, key, "FAILED", f"no case is `{text}`, and there are no defaults", warning)
    draft.rule("branch chosen")
    group = draft.count(key)
    group.phase, group.note = "tasks", branch
    return advance(draft, key)


def run_choice(draft: Draft, key: TaskKey, node: Choice, child: TaskKey | None) -> bool:
    branch = node.branches.get(draft.counters(key).note, node.otherwise)
    return fill(draft, key, branch or (), 1)


# -- Each


def start_each(draft: Draft, key: TaskKey, node: Each) -> str | None:
    values = node.values
    if "{" in _texts(values):
        draft.count(key).phase = "asking"
        draft.ask(EvaluationKey(key, VALUES), values)
        return None
    return _values_known(draft, key, node, values)


def ask_each(draft: Draft, key: TaskKey, node: Each) -> None:
    """The values, what iterations give whose tasks are over, or the file of all that."""
    phase = draft.counters(key).phase
    if phase == "asking" and "{" not in _texts(node.values):
        _ask_lines(draft, key, str(node.values))
    elif phase == "asking":
        draft.ask(EvaluationKey(key, VALUES), node.values)
    elif phase == "storing":
        ask_file(draft, key)
    else:
        ask_iterations(draft, key, node)


def each_answered(draft: Draft, key: TaskKey, node: Each, message: Evaluated) -> str | None:
    purpose = message.key.purpose
    if purpose.startswith(ITERATION):
        of_all = purpose.startswith(FILE)
        return (file_written if of_all else iteration_answered)(draft, key, node, message)
    if draft.counters(key).phase != "asking" or purpose not in (VALUES, READ):
        draft.rule("late answer")
        return None
    if message.error:
        draft.remember(EvaluationKey(key, VALUES), None, message.error)
        draft.rule("the values can't be rendered")
        return end_task(draft, key, "FAILED", message.error)
    if purpose == READ:
        lines = str(message.value).split("\n")
        return _loop(draft, key, [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])])
    return _values_known(draft, key, node, message.value)


def _values_known(draft: Draft, key: TaskKey, node: Each, given: object) -> str | None:
    """Loop over them, or have the file read whose lines they are."""
    if not node.as_items or not isinstance(given, str) or not is_storage_uri(given.strip()):
        return _loop(draft, key, given)
    draft.rule("read the lines of a file")
    draft.count(key).phase = "asking"
    _ask_lines(draft, key, given.strip())
    return None


def _ask_lines(draft: Draft, key: TaskKey, uri: str) -> None:
    draft.remember(EvaluationKey(key, LINES), uri)
    draft.ask(EvaluationKey(key, READ), "{{ read(uri) }}", seen={"uri": uri})


def _texts(values: object) -> str:
    """All that may hold an expression; maps by their repr, which keeps braces: they are always asked for."""
    return "".join(map(str, values)) if isinstance(values, (list, tuple)) else str(values)


def _loop(draft: Draft, key: TaskKey, given: object) -> str | None:
    node = draft.node(key)
    items: Items = None
    if isinstance(node, Each) and node.as_items:
        values, items, error = loop_items(given)
    else:
        values, error = loop_values(given)
    draft.remember(EvaluationKey(key, VALUES), list(values), error)
    if items is not None:
        draft.remember(EvaluationKey(key, ITEMS), items)
    if error:
        draft.rule("values that can't be looped over")
        return end_task(draft, key, "FAILED", error)
    draft.rule("values known")
    draft.count(key).phase = "tasks"
    return advance(draft, key)


def loop_values(given: object) -> tuple[tuple[str, ...], str]:
    """(the texts to loop over, each once; why there are none).

    A text must be a JSON array; of a written list only texts, whole numbers and maps are elements (the reference's
    `resolveEachTasks`). What is no text becomes compact JSON.
    """
    if isinstance(given, str):
        try:
            elements = json.loads(given)
        except ValueError:
            return (), f"the values are not a list: {given[:100]}"
        if not isinstance(elements, list):
            return (), f"the values are not a list: {given[:100]}"
    elif isinstance(given, (list, tuple)):
        elements = list(given)
        for element in elements:
            if isinstance(element, (bool, float, list, tuple)):
                return (), f"Unknown value element type: {type(element).__name__}"
    else:
        return (), f"the values are not a list: {given!r}"[:120]
    missing = sum(element is None for element in elements)
    if missing:
        return (), f"Found '{missing}' null values on Each, with values={_listed(elements)}"
    return tuple(dict.fromkeys(map(_text, elements))), ""


def loop_items(given: object) -> tuple[tuple[str, ...], Items, str]:
    """(a name for each iteration; what they stand for, None where the names say it; why there are none).

    The entries of a map are named by their keys; a value that comes again by its text and its number.
    """
    entries = given
    if isinstance(given, str):
        try:
            entries = json.loads(given)
        except ValueError:
            entries = None
    if isinstance(entries, Mapping):
        return tuple(map(str, entries)), [[str(key), _text(value)] for key, value in entries.items()], ""
    if not isinstance(entries, (list, tuple)):
        return (), None, f"the values are neither a list nor a map: {str(given)[:100]}"
    texts = [_text(value) for value in entries]
    known = set(texts)
    if len(known) == len(texts):
        return tuple(texts), None, ""
    names: dict[str, None] = {}
    for number, text in enumerate(texts):
        name = text
        while name in names or (name != text and name in known):
            name = f"{name} #{number}"
        names[name] = None
    return tuple(names), [[None, text] for text in texts], ""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else _shown(value)


def _listed(value: object) -> str:
    """A list as the reference's message shows it: texts without quotes, maps with `=`."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_listed, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}={_listed(item)}' for key, item in value.items())}}}"
    return _text(value)


def _shown(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def run_each(draft: Draft, key: TaskKey, node: Each, child: TaskKey | None) -> bool:
    """Open elements while fewer than the limit are open. Where an element stands, its one open child says."""
    values: Sequence[str] = draft.answer(key, VALUES) or ()
    if node.side_by_side:
        return _side_by_side(draft, key, node, values)
    group, children = draft.count(key), node.children
    if child is not None and (node.as_items or child.task_id != children[-1].id):
        following = children[[step.id for step in children].index(child.task_id) + 1 :]
        _child_over(draft, key, node, child, following, _iteration(draft, child, values))
    if not node.transmit_failed:  # what has failed has ended its own element and nothing else
        group.worst = "SUCCESS"
    limit = node.limit or WINDOW
    while group.running < limit and group.cursor < len(values) and group.worst not in FATAL and not group.note:
        at = group.cursor
        group.cursor += 1
        if not group.done >> at & 1:
            open_next(draft, key, node, group, children, (*key.path, values[at]), at)
            if not node.transmit_failed:
                group.worst = "SUCCESS"
    return group.running > 0 or (node.as_items and loop_over(draft, key, node))


def _child_over(
    draft: Draft, key: TaskKey, node: Each, child: TaskKey, following: Children, iteration: int
) -> None:
    """Go on in the element of a child that has ended, unless something has failed."""
    fatal = draft.counters(key).worst in FATAL
    if node.as_items:
        state = draft.ended_in(child)
        cut = fatal and state not in FATAL and any(not step.disabled for step in following)
        tasks_ended(draft, key, iteration, "KILLED" if cut else state)
    if not fatal:
        open_next(draft, key, node, draft.count(key), following, child.path, iteration)
    elif node.as_items:
        iteration_over(draft, key, node, iteration)


def _iteration(draft: Draft, child: TaskKey, values: Sequence[str]) -> int:
    task = draft.facts.tasks.get(child)
    known = task.iteration if task else None
    return values.index(child.path[-1]) if known is None else known


def _side_by_side(draft: Draft, key: TaskKey, node: Each, values: Sequence[str]) -> bool:
    """Every pair of element and child by itself; the cursor counts pairs."""
    group = draft.count(key)
    children = [step for step in node.children if not step.disabled]
    limit = node.limit or WINDOW
    while group.running < limit and group.cursor < len(values) * len(children) and group.worst not in FATAL:
        pair = group.cursor
        group.cursor += 1
        if group.done >> pair & 1:
            continue
        element, at = divmod(pair, len(children))
        ended = open_step(draft, children[at], key, (*key.path, values[element]), group.turn, element)
        if ended is None:
            group.running += 1
        else:
            group.worst = worse(group.worst, ended)
    return group.running > 0


CHOICE = Kind(start_choice, run_choice, ask_branch, choice_answered)
EACH = Kind(start_each, run_each, ask_each, each_answered)
