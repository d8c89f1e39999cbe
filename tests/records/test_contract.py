"""The SQLite store keeps the contract of record stores."""

from __future__ import annotations

from pathlib import Path

from core.host.records import RecordStore
from core.records import SqliteRecords
from core.testing.record_store_contract import RecordStoreContract


class TestSqliteRecords(RecordStoreContract):
    def make(self, directory: Path) -> RecordStore:
        return SqliteRecords(directory, durable=False, now=1)
