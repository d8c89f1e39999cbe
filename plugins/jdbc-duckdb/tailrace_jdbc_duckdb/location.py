"""Which database a task opens."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from core.sdk import Invalid
from core.sdk.context import RunContext
from core.sdk.files import inside
from tailrace_jdbc_duckdb.common import IN_MEMORY, DuckDbTask

_FOREIGN = re.compile(r"[A-Za-z_]{2,}:|:memory:.")
_FILE_URL = "jdbc:duckdb: (in memory) or jdbc:duckdb:/path/of/a/file.db"


@frozen
class Location:
    """Where the database is: path None for one in memory. options: DuckDB's own, given in the URL."""

    path: Path | None
    options: Mapping[str, str]


def private_directory(ctx: RunContext) -> Path:
    """Where an attempt keeps files of its own: inside the working directory, which others may share."""
    directory = ctx.working_dir.resolve() / f".duckdb-{ctx.attempt_id}"
    directory.mkdir(exist_ok=True)
    return directory


def locate(task: DuckDbTask, ctx: RunContext) -> Location:
    """The database of a task; one from the storage is fetched. Raises Invalid, Forbidden, NotFound."""
    text, options = _parts_of(task.url)
    named = {"url": text, "databaseUri": task.database_uri, "databaseFile": task.database_file}
    given = [name for name, value in named.items() if value]
    if len(given) > 1:
        what = f"`{given[0]}` and `{given[1]}` both name a database"
        raise Invalid(what, where=f"$.{given[1]}", expected="one of them")
    if task.database_uri:
        path = private_directory(ctx) / "database.duckdb"
        ctx.storage.fetch(task.database_uri, path)
        return Location(_with_one_name(path), options)
    name = text or task.database_file
    if name:
        path = Path(name) if Path(name).is_absolute() else inside(ctx.working_dir, name)
        return Location(_with_one_name(path) if path.is_relative_to(ctx.working_dir.resolve()) else path, options)
    return Location(private_directory(ctx) / "database.duckdb" if task.output_db_file else None, options)


def _parts_of(url: str) -> tuple[str, dict[str, str]]:
    """The path in a URL ("" for a database in memory) and the options behind it."""
    name, *pairs = url.removeprefix(IN_MEMORY).split(";")
    if not url.startswith(IN_MEMORY) or _FOREIGN.match(name):
        raise Invalid(f"`{url}` is not the URL of a DuckDB file", where="$.url", expected=_FILE_URL)
    options = {}
    for pair in filter(None, pairs):
        option, equals, value = pair.partition("=")
        if not equals:
            raise Invalid(f"the option `{pair}` in `{url}` has no value", where="$.url", expected="`;name=value`")
        options[option.strip()] = value.strip()
    return name.removeprefix(":memory:"), options


def _with_one_name(path: Path) -> Path:
    """The file, copied when it may be a link into the storage: DuckDB writes to it."""
    if (path.exists() and path.stat().st_nlink > 1) or path.is_symlink():
        copy = path.with_name(f"{path.name}.copy")
        shutil.copyfile(path, copy)
        copy.replace(path)
    return path
