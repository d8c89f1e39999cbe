"""The logs of tasks with `logToFile`, read from their files for people."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice

from core.errors import Invalid, NotFound
from core.host.log_files import read
from core.host.records import RecordStore
from core.host.views import LogFilter, LogView
from core.model.data import evolve
from core.sdk.context import LEVELS
from core.sdk.storage import StorageBackend, storage_path

MOST, LONGEST = 10_000, 200
"""Lines of one look, characters of a text to look for."""
FILED = 1 << 40
"""The `seq` of the lines of files: behind those of the record, in the order of the tasks."""


def filed_logs(
    records: RecordStore, storage: StorageBackend, organization: str, execution_id: str, task_name: str | None,
    levels: Collection[str], after: int, limit: int,
) -> tuple[LogView, ...]:  # fmt: skip
    """At most `limit` lines after one of them, or from the first."""
    filed = _filed(records, storage, organization, execution_id)
    fitting = (one for one in filed if one.seq > after and one.level in levels and task_name in (None, one.task_name))
    return tuple(islice(fitting, limit))


def found_logs(
    records: RecordStore, storage: StorageBackend, organization: str, execution_id: str, which: LogFilter
) -> tuple[LogView, ...]:
    """Lines of the record and of files. Those of files do not say of which task execution they are.

    Raises Invalid (no such level; too many lines, or too long a text to look for).
    """
    if which.level not in LEVELS:
        raise Invalid(f"`{which.level}` is not a log level", expected=", ".join(LEVELS))
    if not 1 <= which.limit <= MOST or len(which.find) > LONGEST:
        raise Invalid("these log lines can't be looked for", expected=f"1 to {MOST} lines, {LONGEST} characters")
    filed = (line for line in _filed(records, storage, organization, execution_id) if _fits(line, which))
    if which.before is None:
        lines = records.product.find_logs(organization, execution_id, which)
        return (*lines, *islice(filed, which.limit - len(lines)))
    newest = deque(filed, which.limit)
    left = which.limit - len(newest)
    return (
        *(records.product.find_logs(organization, execution_id, evolve(which, limit=left)) if left else ()), *newest
    )  # fmt: skip


def _fits(line: LogView, which: LogFilter) -> bool:
    return (
        which.after < line.seq and (which.before is None or line.seq < which.before)
        and which.task_name in (None, line.task_name) and which.task_execution_id is None
        and LEVELS.index(line.level) >= LEVELS.index(which.level)
        and which.find.casefold() in line.message.casefold()
    )  # fmt: skip


def _filed(
    records: RecordStore, storage: StorageBackend, organization: str, execution_id: str
) -> Iterator[LogView]:
    for number, (task, attempt, (at, level, message)) in enumerate(
        _lines(records, storage, organization, execution_id), FILED
    ):
        yield LogView(number, at, level, task, attempt, message)


def _lines(
    records: RecordStore, storage: StorageBackend, organization: str, execution_id: str
) -> Iterator[tuple[str, int, tuple[int, str, str]]]:
    for task, attempt, uri in records.log_files(execution_id):
        try:
            file = storage.open(organization, storage_path(uri))
        except NotFound:  # it was purged
            continue
        with file:
            for line in read(file):
                yield task, attempt, line
