"""What every record store keeps to. Inherit, and give a store:

class TestMine(RecordStoreContract):
    def make(self, directory: Path) -> RecordStore:
        return MyStore(directory)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.host.records import RecordStore
from core.testing.record_continuing import ContinuingRules
from core.testing.record_families import FamilyRules, QueueRules, StaleRules
from core.testing.record_overviews import FigureRules, LineageRules, OutlineRules
from core.testing.record_product import CorrectionRules, ExternalRules, TagRules
from core.testing.record_product_access import AuditRules, FeedRules, KeyRules
from core.testing.record_product_lists import ListRules
from core.testing.record_reading import OwnershipRules, ReadingRules
from core.testing.record_requests import RequestRules
from core.testing.record_waiting import WaitingRules
from core.testing.record_writing import WritingRules


class RecordStoreContract(
    WritingRules, RequestRules, ContinuingRules, OwnershipRules, QueueRules, FamilyRules, StaleRules, ReadingRules,
    WaitingRules, CorrectionRules, TagRules, ExternalRules, FeedRules, AuditRules, KeyRules, ListRules,
    OutlineRules, LineageRules, FigureRules,
):
    """Inherit in a class whose name begins with `Test`, and override `make`."""

    def make(self, directory: Path) -> RecordStore:
        """A store of the records that belong to the directory, which exists and is empty at the first call.

        Called again for the same directory it gives what another process would have: the same records.
        """
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[RecordStore]:
        made = self.make(tmp_path)
        yield made
        made.close()

    @pytest.fixture
    def second(self, store: RecordStore, tmp_path: Path) -> Iterator[RecordStore]:
        made = self.make(tmp_path)
        yield made
        made.close()
