"""Every statement of the core has its words in PostgreSQL, and every table its columns."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.records import SqliteRecords, core_statements
from core.records.spans import BLOCK
from tailrace_records_postgres.marks import NUL, numbered, restored, storable
from tailrace_records_postgres.statements import ACROSS, own_statements, statements, translated

ONLY_HERE = {
    "organization_of_execution", "organization_of_task", "organization_of_key", "organizations_owned_by", "beat_of",
    "inbox_of", "insert_logs", "insert_metrics",
}  # fmt: skip
KEPT_BY_TRIGGERS = {
    "keep_task_inserts", "keep_task_changes", "keep_execution_inserts", "keep_execution_changes", "keep_newest_events",
}  # fmt: skip
"""What SQLite does with triggers made on demand; here functions.sql has them."""
OWN_INDEXES = {"task_executions_by_place", "task_executions_far", "evaluations_once", "reads_once", "inbox_of"}
OWN_COLUMNS = {"inbox": {"organization_id"}}
REPLACED = {
    "add_log_file": "f73ae9e3", "api_key": "a558f09e", "come_due": "8a3487d0", "count_logs": "b91040d5",
    "delete_logs": "79c9938f", "end_attempt": "4fb9b96e", "end_task": "3c2905ee", "end_task_with_result": "dcd9606b",
    "enter_task": "6176cffa", "flows_newest": "22944011", "forget_execution_spans": "519a6724",
    "forget_takeovers": "ccadc42f", "forget_task_spans": "dc2a0db8", "has_api_keys": "da03689b", "insert_body": "ded28253",
    "insert_summary_value": "097aff6d", "keep_result": "c1cfaded", "left_by": "a006574d", "organizations": "0ab93cac",
    "owners": "717208f3", "reads_by": "817e72f2", "reads_by_place": "eb0d625c", "reopen_task": "0130abad",
    "session": "0aba0873", "set_kv": "e27b7acd", "tell_parent": "3ff4c9de",
    "top_block_of_flow_executions": "2b5fc5c5", "top_block_of_task_executions": "9c149e4a",
    "with_messages": "632d1054",
}  # fmt: skip
"""Of each statement with words of its own the digest of the core's: whoever changes that changes this one too."""


@pytest.fixture
def engine(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(database) as connection:
        connection.execute("SET search_path = tailrace")
        yield connection


@pytest.mark.postgres
@pytest.mark.parametrize("name", sorted(set(statements()) - KEPT_BY_TRIGGERS))
def test_a_statement_can_be_prepared(name: str, engine: psycopg.Connection[tuple[object, ...]]) -> None:
    engine.execute(f"PREPARE this AS {statements()[name]}".encode(), prepare=False)


@pytest.mark.postgres
@pytest.mark.parametrize("name", sorted(ACROSS))
def test_what_looks_across_may_read_what_it_needs(name: str, engine: psycopg.Connection[tuple[object, ...]]) -> None:
    values = ", ".join("'1'" for kind in ACROSS[name].takes.split(",") if kind)
    engine.execute(f"SELECT * FROM across_{name}({values})".encode())


def test_a_statement_of_ours_has_its_place_in_the_core() -> None:
    assert set(own_statements()) - set(core_statements()) == ONLY_HERE
    assert set(ACROSS) <= set(own_statements())
    assert not KEPT_BY_TRIGGERS & set(own_statements())


def test_whoever_changes_a_statement_of_the_core_looks_at_ours() -> None:
    """ACROSS ones are made of the core's; new ones need `records migrate`, and so a new version."""
    core = core_statements()
    found = {name: hashlib.sha256(translated(core[name]).encode()).hexdigest()[:8] for name in own_statements() if name in core}
    assert found == REPLACED


@pytest.mark.postgres
def test_the_tables_have_the_columns_of_a_home(server: str, engine_url: str, home: Path) -> None:
    SqliteRecords(home, durable=False, now=1).close()
    file = sqlite3.connect(home / "records.db")
    tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    expected = {name: {row[1] for row in file.execute(f"PRAGMA table_info({name})")} for name in tables}
    file.close()
    found: dict[str, set[str]] = {}
    with psycopg.connect(server) as connection:
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'tailrace'"
        ):
            found.setdefault(table, set()).add(column)
    assert {name: columns - OWN_COLUMNS.get(name, set()) for name, columns in found.items()} == expected


@pytest.mark.postgres
def test_the_tables_have_the_indexes_of_a_home(server: str, engine_url: str, home: Path) -> None:
    SqliteRecords(home, durable=False, now=1).close()
    file = sqlite3.connect(home / "records.db")
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'"
    expected = {name for (name,) in file.execute(query)}
    file.close()
    with psycopg.connect(server) as connection:
        rows = connection.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = 'tailrace'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        ).fetchall()
    assert {name for (name,) in rows} == expected | OWN_INDEXES


def test_blocks_of_time_spans_are_as_long_as_those_of_the_core() -> None:
    """functions.sql and statements.sql say it too."""
    assert BLOCK == 1024


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a = ? AND b = ?", "a = $1 AND b = $2"),
        ("(?, ?2, ?, (SELECT ?2))", "($1, $2, $3, (SELECT $2))"),
        ("a = ?2 AND b = ?", "a = $2 AND b = $3"),
        ("a = '?' AND b = ? -- isn't ?\nAND c = ?", "a = '?' AND b = $1 -- isn't ?\nAND c = $2"),
        ("a = ? OR ? IS NULL", "a = $1 OR $2::text IS NULL"),
        ("?1 IS NULL OR a = ?1", "$1 IS NULL OR a = $1"),
    ],
)
def test_marks_are_numbered_as_sqlite_counts_them(sql: str, expected: str) -> None:
    assert numbered(sql) == expected


def test_what_differs_by_a_word_is_translated() -> None:
    assert translated("INSERT OR IGNORE INTO t (a) VALUES (?)\n\n-- of the next") == (
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING"
    )
    assert translated("SELECT 1 FROM t INDEXED BY i WHERE t.path_json = ?") == (
        "SELECT 1 FROM t WHERE place(t.path_json) = place($1) AND t.path_json = $1"
    )


def test_texts_that_postgresql_cannot_hold_come_back() -> None:
    assert storable(("a\0b", 1, None, "\ud800")) == (f"a{NUL}b", 1, None, "\ufffd")
    assert restored([("x", 1), (f"a{NUL}b", None)]) == [("x", 1), ("a\0b", None)]
