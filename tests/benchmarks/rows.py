"""Fills a record store with many task outputs, as a year of flows would have left them.

Usage: python tests/benchmarks/rows.py HOME|URL ROWS; URL is that of the owner of records in PostgreSQL that are empty,
or of nothing yet. The rows are made by SQLite's SQL, the same ones every time and in both: executions of 20 tasks (the
first one a loop of 20 000), 200 flows in 24 namespaces, every state, summaries, tags, bodies, corrections.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from core.records import SqliteRecords

LOOP = 20_000
PER_EXECUTION = 20
BEGAN = 1_700_000_000_000_000
BATCH = 250_000
TABLES = ("task_executions", "flow_executions", "task_output_bodies", "summary_values", "tags", "labels")


class Rows(NamedTuple):
    """Rows of a table, as a query of what was drawn."""

    table: str
    columns: str
    query: str


DRAWN = f"""CREATE TEMP TABLE drawn AS
WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2),
d AS MATERIALIZED (SELECT i, CASE WHEN i < {LOOP} THEN 0 ELSE i / {PER_EXECUTION} END AS e,
  (i * 2654435761) % 4294967296 / 7 AS h FROM n),
f AS MATERIALIZED (SELECT *, (e * 7919 % 200) * (e * 104729 % 200) / 200 AS flow,
  {BEGAN} + i * 250000 + h % 5000 * 1000 AS at FROM d)
SELECT i, e, h, flow, at, at + h % 60000000 AS ended, printf('018c0001-%04x-7000-8000-%012x', i / 65536, i) AS id,
  printf('018c0000-%04x-7000-8000-%012x', e / 65536, e) AS execution,
  'company.team' || (flow % 12) || CASE WHEN flow % 3 = 0 THEN '.nightly' ELSE '' END AS namespace,
  CASE WHEN h % 1000 < 940 THEN 'SUCCESS' WHEN h % 1000 < 970 THEN 'WARNING' WHEN h % 1000 < 985 THEN 'FAILED'
    WHEN h % 1000 < 992 THEN 'SKIPPED' WHEN h % 1000 < 996 THEN 'KILLED' ELSE 'CANCELLED' END AS state,
  '{{"rows":' || (h % 100000) || ',"uri":"storage:///' || i || '"}}' AS body FROM f"""
"""`h`: a number that looks drawn. The clocks of those who write differ by up to five seconds."""

TASKS = Rows("task_executions", """seq, id, organization_id, flow_execution_id, namespace, flow_id, flow_revision,
  task_name, type, path_json, turn, value, state, history_json, attempts_json, summary_json, output_size, output_sha256,
  output_preview, version, modified_by, created_at, updated_at, ended_at, stale_since, deleted_at""", f"""
SELECT i + 1, id, 'default', execution, namespace, 'flow_' || flow, 1,
  CASE WHEN i < {LOOP} THEN 'each' ELSE 'task_' || (flow % 5) || '_' || (i % {PER_EXECUTION}) END,
  CASE i % 3 WHEN 0 THEN 'http.Request' WHEN 1 THEN 'jdbc.duckdb.Query' ELSE 'scripts.python.Script' END,
  CASE WHEN i < {LOOP} THEN '["' || i || '"]' ELSE '[]' END, 0, CASE WHEN i < {LOOP} THEN '' || i END, state,
  '[["CREATED",' || at || '],["RUNNING",' || at || '],["' || state || '",' || ended || ']]',
  '[[1,"' || id || '","' || state || '",' || at || ',' || ended || ']]',
  '{{"rows":' || (h % 100000) || ',"code":' || CASE WHEN h % 100 < 95 THEN '200}}' ELSE '404}}' END, length(body),
  '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', body,
  CASE WHEN h % 500 = 0 THEN 2 ELSE 1 END, CASE WHEN h % 500 = 0 THEN 'key-' || (h % 9) ELSE 'system' END,
  at, ended, ended, CASE WHEN h % 300 = 1 THEN at + 1 END, CASE WHEN h % 200 = 2 THEN at + 1 END
FROM temp.drawn ORDER BY i""")
BODIES = Rows("task_output_bodies", "task_execution_id, organization_id, body", """
SELECT id, 'default', body FROM temp.drawn ORDER BY i""")
VALUES = Rows("summary_values", "organization_id, task_execution_id, path, text, number, task_execution_seq", """
SELECT 'default', id, path, CASE path WHEN 'kind' THEN 'kind_' || (h % 500) END,
  CASE path WHEN 'rows' THEN h % 100000 WHEN 'code' THEN CASE WHEN h % 100 < 95 THEN 200 ELSE 404 END END, i + 1
FROM temp.drawn CROSS JOIN (SELECT 'code' AS path UNION ALL SELECT 'kind' UNION ALL SELECT 'rows')
WHERE path <> 'kind' OR i % 2 = 0""")
TAGS = Rows("tags", "organization_id, task_execution_id, key, value, task_execution_seq", """
SELECT 'default', id, key, CASE key WHEN 'team' THEN 'team_' || (h % 50) ELSE '' END, i + 1
FROM temp.drawn CROSS JOIN (SELECT 'reviewed' AS key, 100 AS every UNION ALL SELECT 'team', 20) WHERE i % every = 0""")
EXECUTIONS = Rows("flow_executions", """seq, id, organization_id, namespace, flow_id, flow_revision, state,
  history_json, counters_json, inputs_json, created_at, started_at, ended_at""", f"""
SELECT e + 1, execution, 'default', namespace, 'flow_' || flow, 1, CASE WHEN e % 20 = 0 THEN 'FAILED' ELSE 'SUCCESS' END,
  printf('[["CREATED",%d],["SUCCESS",%d]]', at, at + 60000000), '[0,0,"SUCCESS","tasks"]', '{{}}', at, at, at + 60000000
FROM temp.drawn WHERE i = 0 OR (i >= {LOOP} AND i % {PER_EXECUTION} = 0) ORDER BY i""")
ALL = (EXECUTIONS, TASKS, BODIES, VALUES, TAGS)
SPANS = """INSERT INTO time_spans SELECT '{0}', organization_id, seq / 1024, min(created_at), max(created_at), {1}
FROM {0} WHERE seq / 1024 < (SELECT max(seq) / 1024 FROM {0}) GROUP BY organization_id, seq / 1024"""


def fill(home: Path, rows: int) -> None:
    """Make a home, and that many task outputs in it."""
    home.mkdir(parents=True, exist_ok=True)
    SqliteRecords(home, durable=False, now=1).close()
    connection = sqlite3.connect(home / "records.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("PRAGMA temp_store = MEMORY")
    marks = ", ".join("?" * len(TABLES))
    later = connection.execute(
        f"SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name IN ({marks})",
        TABLES,
    ).fetchall()
    for kind, name, _ in later:
        connection.execute(f"DROP {kind} {name}")
    connection.execute("BEGIN")
    for start in range(0, rows, BATCH):
        connection.execute(DRAWN, (start, min(start + BATCH, rows)))
        for table, columns, query in ALL:
            connection.execute(f"INSERT INTO {table} ({columns}) {query}")
        connection.execute("DROP TABLE temp.drawn")
    connection.execute("INSERT INTO flow_places SELECT DISTINCT organization_id, namespace, flow_id FROM flow_executions")
    connection.execute(SPANS.format("task_executions", "min(updated_at), max(updated_at)"))
    connection.execute(SPANS.format("flow_executions", "0, 0"))
    for _, _, sql in later:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def fill_postgres(url: str, rows: int) -> str:
    """The same rows by COPY, and what autovacuum would do after it. The URL for engines.

    url: of the owner; the records are made when there are none.
    """
    import psycopg

    from tailrace_records_postgres.installation import init
    from tailrace_records_postgres.loading import loading

    made = init(url)
    with loading(url) as load, closing(sqlite3.connect(":memory:", isolation_level=None)) as source:
        for start in range(0, rows, BATCH):
            source.execute(DRAWN, (start, min(start + BATCH, rows)))
            for table, columns, query in ALL:
                load.rows(table, columns.replace(",", " ").split(), source.execute(query))
            source.execute("DROP TABLE temp.drawn")
        load.span()
    with psycopg.connect(url, autocommit=True) as connection:
        for table in (*TABLES, "time_spans", "flow_places"):
            connection.execute(f"VACUUM (ANALYZE) tailrace.{table}".encode())
    return made.url


if __name__ == "__main__":
    where, number = sys.argv[1], int(sys.argv[2])
    began = time.perf_counter()
    if "://" in where:
        print(f"engines connect with {fill_postgres(where, number)}")
    else:
        fill(Path(where), number)
    took = time.perf_counter() - began
    print(f"{number} rows in {took:.1f} s, {number / took:.0f} rows a second")
