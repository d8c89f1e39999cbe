"""What is remembered: the SQLite store."""

from core.records.store import SqliteRecords

__all__ = ["SqliteRecords"]
