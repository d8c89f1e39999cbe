"""What was committed, by any process, in order."""

from __future__ import annotations

from core.host.product import Event
from core.host.records import RecordStore


class FeedService:
    """Implements `core.host.services.Feed`. The record keeps events from the first time that somebody asks for them."""

    def __init__(self, organization: str, records: RecordStore) -> None:
        self._organization = organization
        self._product = records.product
        self._product.keep_events()

    def events(self, after: int, limit: int = 1000) -> tuple[Event, ...]:
        return self._product.events(self._organization, after, limit)

    def last(self) -> int:
        return self._product.last_event(self._organization)
