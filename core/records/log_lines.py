"""Log lines of an execution as people look for them: from either end, with a text in them."""

from __future__ import annotations

import json

from core.host.views import LogFilter, LogView
from core.records.database import Database
from core.sdk.context import LEVELS

WINDOW = 50_000
"""Lines that one read examines at most: a rare text in very many lines holds nobody up."""
_COLUMNS = "seq, at, level, task_name, attempt, message, task_execution_id"


def log_lines(database: Database, organization: str, execution_id: str, which: LogFilter) -> tuple[LogView, ...]:
    """Oldest first."""
    condition, values = _condition(database, organization, execution_id, which)
    newest = which.before is not None
    end = "SELECT coalesce(max(seq), 0) FROM logs WHERE organization_id = ? AND flow_execution_id = ?"
    last = int(database.select(end, (organization, execution_id))[0][0])
    low, high = which.after, last if which.before is None else min(last, which.before - 1)
    found: list[LogView] = []
    while low < high and len(found) < which.limit:
        window = (max(low, high - WINDOW), high) if newest else (low, min(high, low + WINDOW))
        sql = (f"SELECT {_COLUMNS} FROM logs WHERE {condition} AND seq > ? AND seq <= ? "
               f"ORDER BY seq {'DESC' if newest else 'ASC'} LIMIT ?")  # fmt: skip
        rows = database.select(sql, (*values, *window, which.limit - len(found)))
        found += (LogView(*row) for row in rows)
        low, high = (low, window[0]) if newest else (window[1], high)
    return tuple(reversed(found) if newest else found)


def _condition(
    database: Database, organization: str, execution_id: str, which: LogFilter
) -> tuple[str, tuple[object, ...]]:
    parts = ["organization_id = ? AND flow_execution_id = ?"]
    values: list[object] = [organization, execution_id]
    if which.level != LEVELS[0]:
        parts.append("level IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(LEVELS[LEVELS.index(which.level) :]))
    for column, value in (("task_name", which.task_name), ("task_execution_id", which.task_execution_id)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if which.find:
        check, value = database.any_case(which.find)
        parts.append(check.format("message"))
        values.append(value)
    return " AND ".join(parts), tuple(values)
