"""Lists of executions and outputs, and how many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from core.host.views import ExecutionFilter, ExecutionView, OutputFilter, Page, TaskExecutionView
from core.records.database import Database
from core.records.listing import Listing
from core.records.queries import dates_of, execution_conditions, output_conditions
from core.records.rows import BRIEF, brief_view, execution_view, task_view
from core.records.texts import marks


def output_listing(database: Database, organization: str, which: OutputFilter) -> Listing:
    conditions = output_conditions(database, organization, which)
    columns = BRIEF if which.brief else "*"
    return Listing(database, "task_executions", organization, conditions, dates_of(which), columns)


class Lists:
    """The lists of a record store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def outputs(self, organization: str, which: OutputFilter) -> Page[TaskExecutionView]:
        found = output_listing(self._db, organization, which).page(
            which.limit, which.starting_after, which.ending_before, oldest_first=which.oldest_first
        )  # fmt: skip
        tags = pairs_of(self._db, "tags", "task_execution_id", [row["id"] for row in found.rows])
        view = brief_view if which.brief else task_view
        shown = tuple(view(row, tags[row["id"]]) for row in found.rows)
        return Page(shown, found.next is not None, found.next)

    def executions(self, organization: str, which: ExecutionFilter) -> Page[ExecutionView]:
        conditions = execution_conditions(self._db, organization, which)
        listing = Listing(self._db, "flow_executions", organization, conditions, dates_of(which))
        found = listing.page(which.limit, which.starting_after, which.ending_before)
        labels = pairs_of(self._db, "labels", "flow_execution_id", [row["id"] for row in found.rows])
        shown = tuple(execution_view(row, labels[row["id"]]) for row in found.rows)
        return Page(shown, found.next is not None, found.next)

    def count_executions(self, organization: str, which: ExecutionFilter) -> tuple[tuple[str, str, int], ...]:
        conditions = execution_conditions(self._db, organization, which)
        checks = " AND ".join(("t.organization_id = ?", *(condition.check for condition in conditions)))
        values = (organization, *(value for condition in conditions for value in condition.values))
        sql = f"SELECT namespace, flow_id, count(*) FROM flow_executions t WHERE {checks} GROUP BY 1, 2 ORDER BY 1, 2"
        return tuple(self._db.select(sql, values))


def pairs_of(database: Database, table: str, owner: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """The tags or labels of many rows by one query, in the order of their keys."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    if ids:
        sql = f"SELECT {owner}, key, value FROM {table} WHERE {owner} IN ({marks(ids)}) ORDER BY {owner}, key"
        for identifier, key, value in database.select(sql, tuple(ids)):
            found[identifier][key] = value
    return found
