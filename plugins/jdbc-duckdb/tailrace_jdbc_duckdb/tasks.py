"""The task types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sdk.context import RunContext
from core.sdk.properties import prop
from core.sdk.tasks import TaskOutput
from tailrace_jdbc_duckdb.common import DuckDbTask
from tailrace_jdbc_duckdb.session import run_sql


class Query(DuckDbTask, type="jdbc.duckdb.Query", aliases=("io.kestra.plugin.jdbc.duckdb.Query",)):
    """Run one SQL statement with DuckDB."""

    after_sql: str | None = prop(
        "A statement that runs after `sql` in the same transaction; when it fails, both are undone.",
        name="afterSQL",
        default=None,
        render=False,
    )

    class Output(TaskOutput):
        row: dict[str, Any] | None = prop("The first row (FETCH_ONE), null when there is none.", default=None)
        rows: list[dict[str, Any]] | None = prop("The rows (FETCH).", default=None)
        uri: str | None = prop("The file of the rows (STORE).", default=None)
        size: int | None = prop("How many rows were fetched or stored.", default=None)
        columns: list[str] | None = prop("The names of the columns.", default=None)
        database_uri: str | None = prop("The stored database (`outputDbFile`).", default=None)
        output_files: dict[str, str] | None = prop("Name → URI of each file in `outputFiles`.", default=None)

    def run(self, ctx: RunContext) -> Output:
        given = run_sql(self, ctx, transaction=bool(self.after_sql), after_sql=self.after_sql, single=True)
        result = given.results[0] if given.results else {}
        return self.Output(**result, database_uri=given.database_uri, output_files=given.output_files)

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rows and columns."""
        return _counts([output]) if output.get("size") is not None else {}


class Queries(DuckDbTask, type="jdbc.duckdb.Queries", aliases=("io.kestra.plugin.jdbc.duckdb.Queries",)):
    """Run several SQL statements with DuckDB."""

    transaction: bool = prop(
        "Run all statements in one transaction, undone when one fails; else each is committed by itself.", default=True
    )

    class Output(TaskOutput):
        outputs: list[dict[str, Any]] = prop(
            "One entry for each statement that has a result set, with `row`, `rows` or `uri`, `size` and `columns`."
        )
        database_uri: str | None = prop("The stored database (`outputDbFile`).", default=None)
        output_files: dict[str, str] | None = prop("Name → URI of each file in `outputFiles`.", default=None)

    def run(self, ctx: RunContext) -> Output:
        given = run_sql(self, ctx, transaction=self.transaction, after_sql=None, single=False)
        return self.Output(
            outputs=given.results, database_uri=given.database_uri, output_files=given.output_files
        )

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        """Results, and the rows and columns of all of them."""
        results = output.get("outputs", [])
        return {"results": len(results), **_counts(results)}


def _counts(results: list[Any]) -> dict[str, int]:
    size = sum(result.get("size") or 0 for result in results)
    return {"row_count": size, "columns": sum(len(result.get("columns") or ()) for result in results), "size": size}
