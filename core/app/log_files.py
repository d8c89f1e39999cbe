"""The logs of tasks with `logToFile`, read from their files for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from core.errors import NotFound
from core.host.log_files import read
from core.host.records import RecordStore
from core.host.views import LogView
from core.sdk.storage import StorageBackend, storage_path

FILED = 1 << 40
"""The `seq` of the lines of files: behind those of the record, in the order of the tasks."""


def filed_logs(
    records: RecordStore, storage: StorageBackend, organization: str, execution_id: str, task_name: str | None,
    levels: Collection[str], after: int, limit: int,
) -> tuple[LogView, ...]:  # fmt: skip
    """At most `limit` lines after one of them, or from the first."""
    found: list[LogView] = []
    for number, line in enumerate(_lines(records, storage, organization, execution_id), FILED):
        if len(found) >= limit:
            break
        task, attempt, (at, level, message) = line
        if number > after and level in levels and task_name in (None, task):
            found.append(LogView(number, at, level, task, attempt, message))
    return tuple(found)


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
