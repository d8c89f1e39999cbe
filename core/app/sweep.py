"""Removes the bytes of files whose rows went with a commit."""

from __future__ import annotations

from core.errors import TailraceError
from core.host.records import RecordStore
from core.sdk.storage import StorageBackend, storage_path

AT_ONCE = 500


def sweep(organization: str, records: RecordStore, storage: StorageBackend) -> None:
    """Remove what was purged, by whomever; what can't be removed now is found again the next time."""
    while uris := records.doomed_files(organization, AT_ONCE):
        try:
            for uri in uris:
                storage.delete(organization, storage_path(uri))
        except TailraceError:
            return
        records.files_removed(organization, uris)
