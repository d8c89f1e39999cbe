"""What the role of engines can see and do with SQL of its own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from core.host.views import OutputFilter
from core.testing.record_story import ACME, OTHER, Story
from tailrace_records_postgres.database import PostgresDatabase
from tailrace_records_postgres.installation import ENGINE
from tailrace_records_postgres.store import PostgresRecords

pytestmark = pytest.mark.postgres
Connection = psycopg.Connection[tuple[object, ...]]
OF_NOBODY = {"engines", "schema_version"}
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'tailrace'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"


@pytest.fixture
def filled(server: str, database: str) -> str:
    """Records in which every table has a row of each of two organizations."""
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute("SET search_path = tailrace")
        owner.execute("SET session_replication_role = replica")  # no triggers
        owner.execute("INSERT INTO engines VALUES ('e', 1, 1, 1)")
        for name in (ACME, OTHER):
            owner.execute("SELECT set_config('tailrace.organization', %s, false)", (name,))
            for (table,) in owner.execute(TABLES).fetchall():
                if table not in OF_NOBODY:
                    _insert(owner, str(table), name)
    return database


def _insert(owner: Connection, table: str, organization: str) -> None:
    """A row with whatever its columns take."""
    columns = owner.execute(
        "SELECT attname, format_type(atttypid, NULL), attnum FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND attname <> 'seq' AND attnotnull", (f"tailrace.{table}",),
    ).fetchall()  # fmt: skip
    kinds = {"inbox": "start", "metrics": "gauge"}
    special: dict[str, object] = {"kind": kinds.get(table, "x"), "role": "viewer", "seq": 1}
    if table == "organizations":
        special["id"] = organization
    names = [str(name) for name, _, _ in columns] + (["seq"] if table in ("logs", "metrics") else [])
    typed = {str(name): str(kind) for name, kind, _ in columns}
    values = [special.get(name, organization if typed.get(name) == "text" else 1) for name in names]
    marks = ", ".join(["%s"] * len(names))
    owner.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})".encode(), values)


@pytest.fixture
def engine(filled: str) -> Iterator[Connection]:
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("SET search_path = tailrace")
        yield connection


def _seen(connection: Connection) -> dict[str, set[object]]:
    found: dict[str, set[object]] = {}
    for (table,) in connection.execute(TABLES).fetchall():
        owner = "'*'" if table in OF_NOBODY else "id" if table == "organizations" else "organization_id"
        found[str(table)] = {row[0] for row in connection.execute(f"SELECT {owner} FROM {table}".encode()).fetchall()}
    return found


def test_without_the_setting_no_table_has_rows(engine: Connection) -> None:
    tables = _seen(engine)
    assert len(tables) > 25
    assert {table for table, rows in tables.items() if rows} == set()


def test_with_it_every_table_has_the_rows_of_that_organization(engine: Connection) -> None:
    with engine.transaction():
        engine.execute("SELECT set_config('tailrace.organization', %s, true)", (ACME,))
        found = _seen(engine)
    assert {table: rows for table, rows in found.items() if rows != {ACME}} == {table: {"*"} for table in OF_NOBODY}
    assert {table for table, rows in _seen(engine).items() if rows} == set()  # the transaction is over


@pytest.mark.parametrize("trick", [
    "SET ROLE postgres", f"SET ROLE {ENGINE}_finder", "SET SESSION AUTHORIZATION postgres",
    "ALTER TABLE task_executions DISABLE ROW LEVEL SECURITY", "ALTER TABLE task_executions NO FORCE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON task_executions USING (true)", "DROP POLICY named ON task_executions",
    f"ALTER ROLE {ENGINE} BYPASSRLS", f"ALTER TABLE task_executions OWNER TO {ENGINE}",
    "CREATE FUNCTION tailrace.mine() RETURNS INT LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "CREATE TABLE tailrace.mine (a INT)", "DROP TABLE audit", "TRUNCATE task_executions",
    "ALTER FUNCTION organization_of_execution(TEXT) SECURITY INVOKER", "COPY task_executions FROM STDIN",
    "UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "UPDATE schema_version SET version = 0",
    "DELETE FROM organizations", "SET row_security = off; SELECT * FROM task_executions",
])  # fmt: skip
def test_tricks_are_refused(engine: Connection, trick: str) -> None:
    engine.execute("SELECT set_config('tailrace.organization', %s, false)", (ACME,))
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)):
        engine.execute(trick.encode())


@pytest.mark.parametrize("statement", [
    "INSERT INTO tags VALUES ('other', 'x', 'k', 'v', 1)", "UPDATE labels SET organization_id = 'other'",
    "INSERT INTO inbox (flow_execution_id, kind, payload_json, sent_at, organization_id)"
    " VALUES ('e', 'kill', '{}', 1, 'other')",
])  # fmt: skip
def test_nothing_is_written_for_another_organization(engine: Connection, statement: str) -> None:
    engine.execute("SELECT set_config('tailrace.organization', %s, false)", (ACME,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
        engine.execute(statement.encode())
    assert "row-level security policy" in str(caught.value)


@pytest.mark.parametrize("statement", ["UPDATE flow_executions SET error = 'x'", "DELETE FROM task_executions"])
def test_the_rows_of_others_cannot_be_reached(engine: Connection, server: str, statement: str) -> None:
    engine.execute("SELECT set_config('tailrace.organization', %s, false)", (ACME,))
    assert engine.execute(statement.encode()).rowcount == 1
    with psycopg.connect(server) as owner:
        for table in ("flow_executions", "task_executions"):
            query = f"SELECT count(*) FROM tailrace.{table} WHERE organization_id = 'other'"
            assert owner.execute(query.encode()).fetchone() == (1,)


def test_every_table_has_forced_row_level_security(server: str, database: str) -> None:
    with psycopg.connect(server) as owner:
        rows = owner.execute(
            "SELECT c.relname FROM pg_class c WHERE relnamespace = 'tailrace'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
        owned = owner.execute(
            "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) LIKE 'tailrace%'"
        ).fetchall()
        (roles,) = owner.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'tailrace%' AND (rolsuper OR rolbypassrls OR rolcreaterole)"
        ).fetchone() or (None,)
        members = owner.execute(
            "SELECT 1 FROM pg_auth_members WHERE pg_get_userbyid(member) LIKE 'tailrace%'"
        ).fetchall()
    assert (rows, owned, roles, members) == ([], [], 0, [])


def test_the_functions_that_look_across_give_no_more_than_they_say(engine: Connection) -> None:
    rows = engine.execute(
        "SELECT proname, pg_get_userbyid(proowner), pg_get_function_result(oid), proconfig FROM pg_proc"
        " WHERE pronamespace = 'tailrace'::regnamespace AND prosecdef ORDER BY 1"
    ).fetchall()
    assert {owner for _, owner, _, _ in rows} == {f"{ENGINE}_finder"}
    assert {tuple(config) for *_, config in rows} == {("search_path=pg_catalog, tailrace, pg_temp",)}  # type: ignore[arg-type]
    assert {name: result for name, _, result, _ in rows} == {
        "across_api_key": "TABLE(id text, organization_id text, name text, role text, created_at bigint, "
        "expires_at bigint, revoked_at bigint, last_used_at bigint)",
        "across_come_due": "TABLE(organization_id text, id text)",
        "across_has_api_keys": "TABLE(found integer)",
        "across_left_by": "TABLE(organization_id text, id text)",
        "across_organizations": "TABLE(id text, name text, created_at bigint)",
        "across_owners": "TABLE(engine_id text)",
        "across_session": "TABLE(id text, organization_id text, name text, role text, created_at bigint, "
        "expires_at bigint, revoked_at bigint, last_used_at bigint, session_expires_at bigint)",
        "across_with_messages": "TABLE(organization_id text, id text)",
        "organization_of_execution": "text",
        "organization_of_key": "text",
        "organization_of_task": "text",
        "organizations_owned_by": "TABLE(organization_id text)",
    }


def test_units_of_several_organizations_are_written_in_one_commit(database: str) -> None:
    store = PostgresRecords(PostgresDatabase(database, "one"))
    acme, other = Story(store, "e1"), Story(store, "e2", organization=OTHER)
    units = [acme.unit(), other.unit(fence=99), other.unit(), acme.unit()]
    refused = store.commit(units)
    assert [(one.execution_id, one.kind) for one in refused] == [("e2", "fence")]
    acme.run("a", 1)
    other.run("b", 2)
    assert [view.id for view in store.outputs(ACME, OutputFilter()).data] == ["e1-a"]
    assert [view.id for view in store.outputs(OTHER, OutputFilter()).data] == ["e2-b"]
    store.close()
