"""The properties that the task types and the trigger have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from core.sdk.properties import Described, prop, properties
from core.sdk.tasks import RunnableTask

FetchType = Literal["NONE", "FETCH", "FETCH_ONE", "STORE"]
StoreFormat = Literal["JSONL", "PARQUET", "CSV"]
IN_MEMORY = "jdbc:duckdb:"
NOTHING = "nothing; leave it out"
_WITHOUT_EFFECT = {
    "username": "DuckDB has no users",
    "password": "DuckDB has no users",
    "fetchSize": "DuckDB writes stored rows by itself",
    "connectionPooling": "every task opens its own connection",
    "connectionPoolSize": "every task opens its own connection",
}
"""What the reference gives to all databases and DuckDB has no use for, and why."""


class DuckDbProperties(Described):
    """What is asked of DuckDB, and what is to be kept."""

    sql: str = prop(
        "The SQL. `{{ outputFiles.name }}` is the path of an output file, `{{ workingDir }}` the directory of the "
        "input files.",
        render=False,
    )
    parameters: dict[str, Any] | None = prop("Values bound to `:name` (or `$name`) in the SQL.", default=None)
    url: str = prop(
        "`jdbc:duckdb:` for a database in memory, or `jdbc:duckdb:/path/of/a/file.db`; a relative path begins in the "
        "working directory. Options of DuckDB follow as `;name=value`.",
        default=IN_MEMORY,
    )
    database_uri: str | None = prop("URI of a stored database, opened as a copy.", default=None)
    database_file: str | None = prop("Path of a database file, instead of `url`.", default=None)
    output_db_file: bool = prop("Store the database afterwards; its URI is the output `databaseUri`.", default=False)
    input_files: dict[str, Any] | str | None = prop(
        "Files for the working directory: name → text or URI of a stored file, or the JSON text of such a map.",
        default=None,
    )
    output_files: list[str] = prop(
        "Names of files that the SQL writes to `{{ outputFiles.name }}` and that are stored afterwards.", factory=list
    )
    fetch_type: FetchType = prop(
        "What becomes of the rows. FETCH: all of them are the output `rows`; FETCH_ONE: the first one is `row`; STORE: "
        "they are a file, whose URI is `uri`; NONE: nothing.",
        default="NONE",
    )
    store_format: StoreFormat = prop("The format of a stored result: JSON Lines, Parquet or CSV.", default="JSONL")
    time_zone_id: str | None = prop("Time zone of the session, like `Europe/Berlin`.", default=None)
    fetch: bool = prop("All rows as output.", default=False, deprecated="fetchType: FETCH")
    fetch_one: bool = prop("The first row as output.", default=False, deprecated="fetchType: FETCH_ONE")
    store: bool = prop("The rows as a file.", default=False, deprecated="fetchType: STORE")
    username: str | None = prop("Has no effect.", default=None, deprecated=NOTHING)
    password: str | None = prop("Has no effect.", default=None, deprecated=NOTHING, secret=True)
    fetch_size: int | None = prop("Has no effect.", default=None, deprecated=NOTHING)
    connection_pooling: bool | None = prop("Has no effect.", default=None, deprecated=NOTHING)
    connection_pool_size: int | None = prop("Has no effect.", default=None, deprecated=NOTHING)

    def without_effect(self) -> Iterator[str]:
        """What is written and changes nothing, each with its reason."""
        for attribute, declared in properties(type(self)):
            if declared.name in _WITHOUT_EFFECT and getattr(self, attribute.name) is not None:
                yield f"`{declared.name}` has no effect: {_WITHOUT_EFFECT[declared.name]}"

    def fetching(self) -> FetchType:
        """What becomes of the rows; the older booleans win, in their order."""
        if self.fetch:
            return "FETCH"
        if self.fetch_one:
            return "FETCH_ONE"
        return "STORE" if self.store else self.fetch_type


class DuckDbTask(DuckDbProperties, RunnableTask):
    """Base of the tasks that run SQL."""
