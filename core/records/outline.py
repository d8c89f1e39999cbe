"""What ran in an execution, told by its tasks, at the price of one look at each row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from core.host.overviews import TaskOutline
from core.model.state import ENDED, states_of
from core.records.database import Database
from core.records.texts import first_running, marks

FAILED = ("FAILED", *(state for state in states_of("failed") if state != "FAILED"))
"""The states whose newest row is shown rather than one that went well; the first one that there is."""


class _Group(NamedTuple):
    """The rows of one task. first, last: their `seq`. others: (how many, newest) by state, without SUCCESS."""

    name: str
    many: int
    first: int
    last: int
    ended_at: int | None
    size: int
    others: Mapping[str, tuple[int, int]]

    @property
    def states(self) -> dict[str, int]:
        counts = {state: count for state, (count, _) in self.others.items()}
        good = self.many - sum(counts.values())
        return {"SUCCESS": good, **counts} if good > 0 else counts

    @property
    def shown(self) -> int:
        """The `seq` of the row that stands for all."""
        return next((self.others[state][1] for state in FAILED if state in self.others), self.last)


def outline(database: Database, organization: str, execution_id: str) -> tuple[TaskOutline, ...]:
    groups = _groups(database, organization, execution_id)
    rows = _rows(database, {seq for group in groups for seq in (group.first, group.last, group.shown)})
    names = _names(database, {row["parent_id"] for row in rows.values() if row["parent_id"] is not None})
    told = (_told(database, execution_id, group, rows, names) for group in groups)
    return tuple(one for one in told if one is not None)


def _groups(database: Database, organization: str, execution_id: str) -> list[_Group]:
    """In the order of their first rows."""
    found = database.read("outline_of", (organization, execution_id))
    if not found:
        return []
    span = (min(row[2] for row in found), max(row[3] for row in found))
    others: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for name, state, count, newest in database.read("outline_of_others", (organization, *span, execution_id)):
        others[name][state] = (count, newest)
    groups = [
        _Group(name, many, first, last, ended_at, int(size or 0), others[name])
        for name, many, first, last, ended_at, size in found
    ]
    return sorted(groups, key=lambda group: group.first)


def _rows(database: Database, places: Iterable[int]) -> dict[int, dict[str, Any]]:
    wanted = tuple(places)
    if not wanted:
        return {}
    sql = "SELECT seq, id, type, parent_id, created_at, history_json FROM task_executions"
    return {row["seq"]: row for row in database.select_maps(f"{sql} WHERE seq IN ({marks(wanted)})", wanted)}


def _names(database: Database, ids: Iterable[str]) -> dict[str, str]:
    wanted = tuple(ids)
    if not wanted:
        return {}
    return dict(database.select(f"SELECT id, task_name FROM task_executions WHERE id IN ({marks(wanted)})", wanted))


def _told(
    database: Database,
    execution_id: str,
    group: _Group,
    rows: Mapping[int, Mapping[str, Any]],
    names: Mapping[str, str],
) -> TaskOutline | None:
    """None for a group whose rows were purged meanwhile."""
    first, last, shown = (rows.get(seq) for seq in (group.first, group.last, group.shown))
    if first is None or last is None or shown is None:
        return None
    states = group.states
    started = first_running(first["history_json"])
    if started is None and not states.keys() <= {"CREATED", "QUEUED", "SKIPPED"}:
        found = database.read("first_that_ran", (execution_id, group.first, group.last, group.name))
        started = first_running(found[0][0]) if found else None
    parents = (names.get(row["parent_id"]) for row in (last, shown, first))  # a copy may have lost its group
    return TaskOutline(
        task_name=group.name,
        type=last["type"],
        parent=next((name for name in parents if name is not None), None),
        count=group.many,
        states=states,
        created_at=first["created_at"],
        started_at=started,
        ended_at=group.ended_at if states.keys() <= ENDED else None,
        id=shown["id"],
        output_size=group.size,
    )
