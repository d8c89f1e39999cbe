"""Makes and upgrades the tables, as their owner: roles, schema, functions, and who may what."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from core.records import core_statements
from core.sdk import Conflict, Invalid
from tailrace_records_postgres.failures import INIT, explained, shown, with_timeout
from tailrace_records_postgres.statements import ACROSS, FOLDER, migrations, translated

ENGINE = "tailrace_engine"
CONNECT_SECONDS = 10
MIGRATING = 7242
"""The advisory lock of whoever changes the schema."""
MICROS = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class Installed(NamedTuple):
    """What a database has. version: 0 when there are no records. engine: the role that engines connect as."""

    version: int
    engine: str
    owner: str


class Made(NamedTuple):
    """url: for engines and servers. new_role: their role was made now, and the password in the URL is nowhere else."""

    url: str
    engine: str
    new_role: bool


def init(url: str, engine: str = ENGINE) -> Made:
    """Make roles and tables; where they are, see that nothing is missing.

    url: of somebody who may make roles and schemas. Raises Unreachable, Conflict (a newer version), Invalid.
    """
    with explained(shown(url)), psycopg.connect(with_timeout(url, CONNECT_SECONDS)) as connection:
        _alone(connection)
        password = _make_role(connection, engine, login=True)
        _make_role(connection, _finder(engine), login=False)
        _check_role(connection, engine)
        connection.execute("CREATE SCHEMA IF NOT EXISTS tailrace")
        _migrate(connection, engine, shown(url))
        return Made(_engine_url(connection, url, engine, password), engine, password is not None)


def migrate(url: str) -> tuple[int, int]:
    """Upgrade the tables; the versions before and after. Raises Unreachable, Conflict."""
    with explained(shown(url)), psycopg.connect(with_timeout(url, CONNECT_SECONDS)) as connection:
        _alone(connection)
        before = _installed(connection)
        if not before.version:
            raise Conflict("there are no records to upgrade", where=shown(url), hint=INIT)
        _migrate(connection, before.engine, shown(url))
        return before.version, migrations()[-1][0]


def status(url: str) -> Installed:
    """What is there. Raises Unreachable."""
    with explained(shown(url)), psycopg.connect(with_timeout(url, CONNECT_SECONDS)) as connection:
        return _installed(connection)


def _alone(connection: Connection[TupleRow]) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))


def _installed(connection: Connection[TupleRow]) -> Installed:
    row = connection.execute(
        "SELECT pg_get_userbyid(p.proowner), pg_get_userbyid(n.nspowner) FROM pg_namespace n JOIN pg_proc p"
        " ON p.pronamespace = n.oid WHERE n.nspname = 'tailrace' AND p.proname = 'organization_of_execution'"
    ).fetchone()
    if row is None:
        return Installed(0, "", "")
    finder, owner = row
    connection.execute("SELECT set_config('tailrace.organization', '*', true)")
    version = connection.execute("SELECT coalesce(max(version), 0) FROM tailrace.schema_version").fetchone()
    return Installed(version[0] if version else 0, finder.removesuffix("_finder"), owner)


def _finder(engine: str) -> str:
    return f"{engine}_finder"


def _make_role(connection: Connection[TupleRow], name: str, *, login: bool) -> str | None:
    """The password of a new role; None for one that is there, or that nobody connects as."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
        return None
    may = "LOGIN" if login else "NOLOGIN"
    connection.execute(
        sql.SQL(f"CREATE ROLE {{}} {may} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS").format(sql.Identifier(name))
    )
    if not login:
        return None
    drawn = connection.execute("SELECT replace(gen_random_uuid()::text || gen_random_uuid(), '-', '')").fetchone()
    password = str(drawn[0]) if drawn else ""
    # Encrypted here, so that the server's log does not hold it.
    secret = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(secret)))
    return password


def _check_role(connection: Connection[TupleRow], engine: str) -> None:
    """A role that could set row-level security aside is no engine's."""
    row = connection.execute(
        "SELECT rolsuper OR rolbypassrls OR rolname = current_user FROM pg_roles WHERE rolname = %s", (engine,)
    ).fetchone()
    if row is not None and row[0]:
        raise Invalid(
            f"the role {engine} may see the rows of every organization",
            expected="a role without SUPERUSER and BYPASSRLS, which is not yours",
            hint="give another one with --role",
        )


def _migrate(connection: Connection[TupleRow], engine: str, where: str) -> None:
    connection.execute("SET LOCAL search_path = tailrace, pg_temp")
    found = _version(connection)
    if found > migrations()[-1][0]:
        raise Conflict("the records were written by a newer version", where=where, hint="upgrade this installation")
    finder = sql.Identifier(_finder(engine))
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(finder))
    for version, path in migrations():
        if version > found:
            _run(connection, path.read_text("utf-8"))
            connection.execute(f"INSERT INTO schema_version SELECT %s, {MICROS}", (version,))
    _run(connection, (FOLDER / "functions.sql").read_text("utf-8"))
    _look_across(connection)
    script = (FOLDER / "protection.sql").read_text("utf-8")
    for mark, role in (("{engine}", sql.Identifier(engine)), ("{finder}", finder)):
        script = script.replace(mark, role.as_string(connection))
    _run(connection, script)
    _give_away(connection, finder)
    connection.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(finder))


def _version(connection: Connection[TupleRow]) -> int:
    there = connection.execute("SELECT to_regclass('tailrace.schema_version') IS NOT NULL").fetchone()
    if not there or not there[0]:
        return 0
    connection.execute("SELECT set_config('tailrace.organization', '*', true)")
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def _run(connection: Connection[TupleRow], script: str) -> None:
    connection.execute(script.replace(" WORD", ' TEXT COLLATE "C"').encode(), prepare=False)


def _look_across(connection: Connection[TupleRow]) -> None:
    """A function for each statement of the core that looks at all organizations."""
    for name, across in ACROSS.items():
        connection.execute(f"DROP FUNCTION IF EXISTS across_{name}".encode())
        _run(
            connection,
            f"CREATE FUNCTION across_{name}({across.takes}) RETURNS TABLE ({across.gives}) LANGUAGE sql STABLE"
            " SECURITY DEFINER SET search_path = pg_catalog, tailrace, pg_temp"
            f" AS $across$ {translated(core_statements()[name])}\n $across$",
        )


def _give_away(connection: Connection[TupleRow], role: sql.Identifier) -> None:
    """Functions that look across organizations run as the finder, which may read just that."""
    connection.execute(sql.SQL("GRANT CREATE ON SCHEMA tailrace TO {}").format(role))
    rows = connection.execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'tailrace'::regnamespace AND prosecdef"
    ).fetchall()
    for (signature,) in rows:
        connection.execute(sql.SQL("ALTER FUNCTION {} OWNER TO {}").format(sql.SQL(signature), role))
    connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA tailrace FROM {}").format(role))


def _engine_url(connection: Connection[TupleRow], url: str, engine: str, password: str | None) -> str:
    """What engines connect with. The password is shown this once; an older one only its owner knows."""
    parts: dict[str, Any] = conninfo_to_dict(url)
    host, port, name = str(parts.get("host") or ""), parts.get("port"), connection.info.dbname
    user = f"{engine}:{password or 'PASSWORD'}"
    if host.startswith("/"):
        return f"postgresql://{user}@/{name}?host={host}" + (f"&port={port}" if port else "")
    return f"postgresql://{user}@{host or 'localhost'}{f':{port}' if port else ''}/{name}"
