"""SQL on files and DuckDB databases. DuckDB is imported when a query runs."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl

TYPES = (
    TypeRef(
        target="tailrace_jdbc_duckdb.tasks:Query",
        name="jdbc.duckdb.Query",
        aliases=("io.kestra.plugin.jdbc.duckdb.Query",),
        title="Run one SQL statement with DuckDB.",
    ),
    TypeRef(
        target="tailrace_jdbc_duckdb.tasks:Queries",
        name="jdbc.duckdb.Queries",
        aliases=("io.kestra.plugin.jdbc.duckdb.Queries",),
        title="Run several SQL statements with DuckDB.",
    ),
)


TRIGGERS = (
    TypeRef(
        target="tailrace_jdbc_duckdb.trigger:Trigger",
        name="jdbc.duckdb.Trigger",
        aliases=("io.kestra.plugin.jdbc.duckdb.Trigger",),
        title="Start a flow when a query gives rows.",
        kind="trigger",
    ),
)


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    return TYPES


@hookimpl
def triggers() -> tuple[TypeRef, ...]:
    return TRIGGERS
