"""The store on PostgreSQL keeps the contract of record stores."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import pytest

from core.host.records import RecordStore
from core.testing import RecordStoreContract
from tailrace_records_postgres.database import PostgresDatabase
from tailrace_records_postgres.store import PostgresRecords

HEARD_SECONDS = 0.3


class Attentive(PostgresRecords):
    """Asked in the very moment of a commit: what wakes others takes a moment to arrive."""

    def changed(self) -> bool:
        end = monotonic() + HEARD_SECONDS
        while not (heard := super().changed()) and monotonic() < end:
            sleep(0.01)
        return heard


@pytest.mark.postgres
class TestPostgresRecords(RecordStoreContract):
    @pytest.fixture(autouse=True)
    def _fresh(self, database: str) -> None:
        self.url = database
        self.count = 0

    def make(self, directory: Path) -> RecordStore:
        self.count += 1
        return Attentive(PostgresDatabase(self.url, f"store {self.count}"))
