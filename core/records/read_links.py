"""What an output was made from and who read it, as people follow it: among the reads of its execution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice, pairwise
from typing import Any, NamedTuple

from core.host.overviews import Lineage, ReadLink
from core.model.messages import TaskKey
from core.records.database import Database
from core.records.lineage import ANY
from core.records.texts import key_of, marks, path_text

MOST = 200
"""Links of each kind."""
MOST_SPLITS = 100
"""Ways of taking a place apart whose loop values hold a `/`."""
PURPOSES = {
    "run_if": "runIf", "branch": "condition", "until": "condition", "settings": "properties", "request": "properties",
    "times": "properties",
}  # fmt: skip
"""Words of the language for what was evaluated."""


class _End(NamedTuple):
    """The task at the other end of a link."""

    id: str | None
    name: str
    value: str | None = None


class _Read(NamedTuple):
    """that: the id of what was read, or any of a task; None for what is no task's."""

    what: str
    purpose: str
    that: str | None


_NO_TASK = _End(None, "")


def lineage(database: Database, organization: str, output_id: str) -> Lineage:
    """Empty for an output that is not there."""
    rows = database.read_maps("task", (organization, output_id))
    if not rows:
        return Lineage((), ())
    sources, more_sources = _sources(database, organization, rows[0])
    readers, more_readers = _readers(database, organization, rows[0])
    return Lineage(sources, readers, more_sources or more_readers)


def _sources(database: Database, organization: str, row: dict[str, Any]) -> tuple[tuple[ReadLink, ...], bool]:
    found = list(dict.fromkeys(_reads_by(database, row)))
    shown = found[:MOST]
    ids = [one.that for one in shown if one.that is not None and not one.that.startswith(ANY)]
    ends = {end.id: end for end in _ends(database, organization, ids)}
    for one in shown:
        if one.that is not None and one.that.startswith(ANY) and one.that not in ends:
            ends[one.that] = _any_of(database, row["flow_execution_id"], one.that.removeprefix(ANY))
    links = (_link(one.what, one.purpose, ends.get(one.that, _NO_TASK)) for one in shown)
    return tuple(links), len(found) > MOST


def _reads_by(database: Database, row: dict[str, Any]) -> Iterator[_Read]:
    """What a task execution read, and what was read to decide about it."""
    execution = row["flow_execution_id"]
    for what, that in database.read("reads_by", (execution, row["id"], MOST + 1)):
        yield _Read(what, "properties", that)
    key = key_of(row["task_name"], row["path_json"], row["turn"])
    place = "/".join((execution, key.task_id, *key.path))
    for reader, what, that in database.read("reads_by_place", (execution, f"{place}/", f"{place}0", MOST + 1)):
        at, purpose, _ = reader.rsplit("/", 2)
        if at == place:
            yield _Read(what, _purpose(purpose), that)


def _any_of(database: Database, execution_id: str, name: str) -> _End:
    """The only task execution of a name, if there is only one."""
    rows = database.read("some_of_task", (execution_id, name, 2))
    return _End(rows[0][0], name, rows[0][1]) if len(rows) == 1 else _End(None, name)


def _readers(database: Database, organization: str, row: dict[str, Any]) -> tuple[tuple[ReadLink, ...], bool]:
    execution = row["flow_execution_id"]
    found = database.read("reads_of_task", (execution, row["id"], ANY + row["task_name"], MOST + 1))
    shown = found[:MOST]
    ends = {end.id: end for end in _ends(database, organization, [reader for reader, _ in shown if "/" not in reader])}
    links: dict[ReadLink, None] = {}
    places: dict[str, _End] = {}
    for reader, what in shown:
        if "/" not in reader:
            links[_link(what, "properties", ends.get(reader, _NO_TASK))] = None
            continue
        place, purpose, _ = reader.removeprefix(f"{execution}/").rsplit("/", 2)
        if place not in places:
            places[place] = _at_place(database, execution, place)
        links[_link(what, _purpose(purpose), places[place])] = None
    return tuple(links), len(found) > MOST


def _at_place(database: Database, execution_id: str, place: str) -> _End:
    """The task execution whose name and loop values, joined by `/`, are these; what is the flow's own is no task's."""
    name, *parts = place.split("/")
    if not name:
        return _NO_TASK
    known = database.read("a_path_of_task", (execution_id, name))
    for path in _splits(parts, len(key_of(name, known[0][0], 0).path)) if known else ():
        rows = database.read("newest_at", (execution_id, name, path_text(TaskKey(name, path))))
        if rows:
            return _End(rows[0][0], name, rows[0][1])
    return _End(None, name)


def _splits(parts: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    """Every way of joining neighbours so that so many values are left."""
    if count == 0:
        yield ()
        return
    for cuts in islice(combinations(range(1, len(parts)), count - 1), MOST_SPLITS):
        bounds = (0, *cuts, len(parts))
        yield tuple("/".join(parts[low:high]) for low, high in pairwise(bounds))


def _ends(database: Database, organization: str, ids: Sequence[str]) -> Iterator[_End]:
    wanted = tuple(dict.fromkeys(ids))
    if wanted:
        sql = f"SELECT id, task_name, value, organization_id FROM task_executions WHERE id IN ({marks(wanted)})"
        for identifier, name, value, owner in database.select(sql, wanted):
            if owner == organization:
                yield _End(identifier, name, value)


def _link(what: str, purpose: str, end: _End) -> ReadLink:
    return ReadLink(what, end.id, end.name, end.value, purpose)


def _purpose(recorded: str) -> str:
    """Behind a blank stands which attempt asked."""
    word = recorded.partition(" ")[0]
    return PURPOSES.get(word, word)
