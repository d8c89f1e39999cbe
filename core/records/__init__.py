"""What is remembered: the SQLite store, and what a store over another database of SQL is made of."""

from core.records.database import Cursor, Database
from core.records.sql_records import SqlRecords
from core.records.store import SqliteRecords

__all__ = ["Cursor", "Database", "SqlRecords", "SqliteRecords"]
