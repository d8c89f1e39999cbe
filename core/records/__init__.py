"""What is remembered: the SQLite store, and what a store over another database of SQL is made of."""

from core.records.database import Cursor, Database
from core.records.sql_records import SqlRecords
from core.records.statements import statements as core_statements
from core.records.store import SqliteRecords
from core.records.writer import Writer

__all__ = ["Cursor", "Database", "SqlRecords", "SqliteRecords", "Writer", "core_statements"]
