"""From a task's properties to what it gives: files in, statements run, results and files out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from core.sdk import Invalid
from core.sdk.context import RunContext
from core.sdk.files import inside, store_output, write_input_files
from tailrace_jdbc_duckdb.common import DuckDbTask
from tailrace_jdbc_duckdb.database import Database, Rows, opened
from tailrace_jdbc_duckdb.location import locate, private_directory
from tailrace_jdbc_duckdb.statements import bind_names

if TYPE_CHECKING:
    import duckdb

EXTENSIONS = {"JSONL": "jsonl", "PARQUET": "parquet", "CSV": "csv"}
ONE_STATEMENT = "Query task support only a single SQL statement. Use the Queries task to run multiple statements."


@frozen
class Script:
    """The statements of a task and the values for their parameters."""

    statements: Sequence[duckdb.Statement]
    values: Mapping[str, object] = field(factory=dict)


@frozen
class Given:
    """What a task gave. results: one map for each statement that had a result set."""

    results: list[dict[str, Any]]
    database_uri: str | None
    output_files: dict[str, str] | None


def run_sql(task: DuckDbTask, ctx: RunContext, *, transaction: bool, after_sql: str | None, single: bool) -> Given:
    """Do what a task asks. Nothing is stored unless all of it succeeded.

    transaction: one for all statements. after_sql: a last statement, in the transaction of the others.
    single: refuse more than one statement. Raises Invalid, Forbidden, NotFound, TaskFailed, Interrupted.
    """
    for line in task.without_effect():
        ctx.log.warn(line)
    paths = {name: inside(ctx.working_dir, name) for name in task.output_files}
    if task.input_files is not None:
        write_input_files(ctx, task.input_files, ctx.working_dir)
    try:
        return _run(task, ctx, paths, transaction, after_sql, single)
    finally:
        shutil.rmtree(private_directory(ctx))


def _run(
    task: DuckDbTask, ctx: RunContext, paths: Mapping[str, Path], transaction: bool, after_sql: str | None, single: bool
) -> Given:
    location = locate(task, ctx)
    with opened(ctx, location) as database:
        if task.time_zone_id:
            database.set_time_zone(task.time_zone_id)
        script = _script(task.sql, task, ctx, database, paths)
        if single and len(script.statements) > 1:
            raise Invalid(ONE_STATEMENT)
        after = _script(after_sql, task, ctx, database, paths) if after_sql else Script(())
        if len(after.statements) > 1:
            raise Invalid("`afterSQL` holds more than one statement", expected="a single SQL statement")
        for path in paths.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        with database.transaction(transaction):
            found = _run_all(script, task, ctx, database, single)
            for statement in after.statements:
                database.run(statement, after.values, "NONE", where="afterSQL")
    return Given(
        results=[_result(rows, task, ctx) for rows in found],
        output_files={name: store_output(ctx, ctx.working_dir, name) for name in paths} or None,
        database_uri=_store_database(location.path, ctx) if task.output_db_file and location.path else None,
    )


def _script(sql: str, task: DuckDbTask, ctx: RunContext, database: Database, paths: Mapping[str, Path]) -> Script:
    rendered = str(ctx.render(sql, {"outputFiles": {name: str(path) for name, path in paths.items()}}))
    if task.parameters is None:
        values: Mapping[str, object] = {}
    else:
        bound = bind_names(rendered, task.parameters)
        rendered, values = bound.sql, {**dict.fromkeys(bound.unset), **task.parameters}
        for name in bound.unset:
            ctx.log.warn(f"the parameter `:{name}` has no value, null is bound")
    statements = database.statements(rendered)
    if not statements:
        raise Invalid("the SQL holds no statement", expected="a SQL statement")
    return Script(statements, values)


def _run_all(script: Script, task: DuckDbTask, ctx: RunContext, database: Database, single: bool) -> list[Rows]:
    """Run the statements in order; the results of those that had one."""
    fetching, found = task.fetching(), []
    for number, statement in enumerate(script.statements, 1):
        where = "" if single else f"statement {number} of {len(script.statements)}"
        if fetching == "STORE":
            name = f"result{'' if single else f'-{number}'}.{EXTENSIONS[task.store_format]}"
            target = private_directory(ctx) / name
            rows = database.store(statement, script.values, target, task.store_format, where=where)
        else:
            rows = database.run(statement, script.values, fetching, where=where)
        if rows is not None:
            found.append(rows)
    if found and fetching != "NONE":
        tags = {"fetch": str(fetching in ("FETCH", "FETCH_ONE")).lower(), "store": str(fetching == "STORE").lower()}
        ctx.metric("fetch.size", sum(rows.size for rows in found), tags=tags)
    return found


def _result(rows: Rows, task: DuckDbTask, ctx: RunContext) -> dict[str, Any]:
    """A result under the names of the outputs."""
    fetching = task.fetching()
    if fetching == "NONE":
        return {}
    result: dict[str, Any] = {"size": rows.size, "columns": rows.columns}
    if rows.file is not None:
        return result | {"uri": ctx.storage.put(rows.file, rows.file.name).uri}
    if fetching == "FETCH_ONE":
        return result | {"row": rows.rows[0] if rows.rows else None}
    return result | {"rows": rows.rows}


def _store_database(path: Path, ctx: RunContext) -> str:
    """Store the closed database; one outside the working directory stays where it is."""
    if path.is_relative_to(ctx.working_dir.resolve()):
        return ctx.storage.put(path, path.name).uri
    with path.open("rb") as stream:
        return ctx.storage.put(stream, path.name).uri
