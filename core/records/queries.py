"""Lists of executions and outputs: filters joined by AND, newest first, keyset pages on `seq`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import Invalid, NotFound
from core.host.views import ExecutionFilter, OutputFilter
from core.model.state import STATES, STATUSES, states_of
from core.records.database import Database

MAX_LIMIT = 1000


class Query:
    """A SELECT in the making: conditions and their values; texts of users are always values, never SQL."""

    def __init__(self, organization: str) -> None:
        self.conditions = ["organization_id = ?"]
        self.values: list[Any] = [organization]

    def where(self, condition: str, *values: Any) -> None:
        self.conditions.append(condition)
        self.values.extend(values)

    def any_of(self, column: str, values: Sequence[str]) -> None:
        if values:
            self.where(f"{column} IN ({', '.join('?' * len(values))})", *values)

    def namespaces(self, values: Sequence[str]) -> None:
        """Exact names, or with `.*` at the end the name and everything below it."""
        if not values:
            return
        parts, bound = [], []
        for value in values:
            if value.endswith(".*"):
                base = value[:-2]
                parts.append("namespace = ? OR (namespace >= ? AND namespace < ?)")
                bound += [base, base + ".", base + "/"]
            else:
                parts.append("namespace = ?")
                bound.append(value)
        self.where("(" + " OR ".join(parts) + ")", *bound)

    def between(self, after: int | None, before: int | None) -> None:
        if after is not None:
            self.where("created_at >= ?", after)
        if before is not None:
            self.where("created_at < ?", before)

    def pairs(self, table: str, owner: str, wanted: Sequence[str]) -> None:
        """Rows of a side table, `key` or `key:value`; any of them."""
        if not wanted:
            return
        parts, bound = [], []
        for text in wanted:
            key, colon, value = text.partition(":")
            parts.append("(key = ? AND value = ?)" if colon else "key = ?")
            bound += [key, value] if colon else [key]
        self.where(f"id IN (SELECT {owner} FROM {table} WHERE organization_id = ? AND ({' OR '.join(parts)}))",
                   self.values[0], *bound)  # fmt: skip

    def page(self, database: Database, table: str, limit: int, starting_after: str | None) -> list[dict[str, Any]]:
        """One row more than the page has, so that the caller knows whether there is a next one."""
        if not 1 <= limit <= MAX_LIMIT:
            raise Invalid(f"the limit {limit} is out of range", expected=f"1 to {MAX_LIMIT}")
        if starting_after is not None:
            found = database.select(
                f"SELECT seq FROM {table} WHERE organization_id = ? AND id = ?", (self.values[0], starting_after)
            )
            if not found:
                raise NotFound(f"`{starting_after}` is not the id of a row to start after")
            self.where("seq < ?", found[0][0])
        sql = f"SELECT * FROM {table} WHERE {' AND '.join(self.conditions)} ORDER BY seq DESC LIMIT ?"
        return database.select_maps(sql, (*self.values, limit + 1))


def output_query(organization: str, which: OutputFilter) -> Query:
    query = Query(organization)
    query.any_of("flow_execution_id", which.flow_execution_id)
    query.any_of("flow_id", which.flow_id)
    query.any_of("task_name", which.task_name)
    query.namespaces(which.namespace)
    query.any_of("state", _known(which.state, STATES, "state"))
    query.between(which.created_after, which.created_before)
    query.pairs("tags", "task_execution_id", which.tag)
    statuses = _known(which.status, STATUSES, "status")
    if "deleted" not in statuses:
        query.where("deleted_at IS NULL")
    if statuses:
        parts: list[str] = []
        bound: list[Any] = []
        for status in statuses:
            if status == "deleted":
                parts.append("deleted_at IS NOT NULL")
            elif status == "stale":
                parts.append("(deleted_at IS NULL AND stale_since IS NOT NULL)")
            else:
                states = states_of(status)
                marks = ", ".join("?" * len(states))
                parts.append(f"(deleted_at IS NULL AND stale_since IS NULL AND state IN ({marks}))")
                bound += states
        query.where("(" + " OR ".join(parts) + ")", *bound)
    return query


def execution_query(organization: str, which: ExecutionFilter) -> Query:
    query = Query(organization)
    query.where("deleted_at IS NULL")
    query.any_of("flow_id", which.flow_id)
    query.namespaces(which.namespace)
    query.any_of("state", _known(which.state, STATES, "state"))
    query.between(which.created_after, which.created_before)
    query.pairs("labels", "flow_execution_id", which.label)
    wanted = [state for status in _known(which.status, STATUSES, "status") for state in states_of(status)]
    if which.status:
        query.any_of("state", wanted or ("",))
    return query


def _known(given: Sequence[str], choices: Sequence[str], what: str) -> Sequence[str]:
    for value in given:
        if value not in choices:
            raise Invalid(f"`{value}` is not a {what}", expected="one of " + ", ".join(choices))
    return given
