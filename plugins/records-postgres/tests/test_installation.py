"""`records init|migrate|status`, and what is said to those who come before or after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import Conflict, Invalid, Unreachable
from core.host.views import OutputFilter
from core.testing.record_story import ACME, Story
from tailrace_records_postgres.installation import ENGINE, Installed, init, migrate, status
from tailrace_records_postgres.statements import migrations
from tailrace_records_postgres.store import open_records

NEWEST = migrations()[-1][0]
Run = Callable[..., tuple[int, Any]]


def shown(url: str, name: str = "apart") -> str:
    return f"postgresql:///{name}?host={conninfo_to_dict(url)['host']}"


@pytest.mark.postgres
class TestInstallation:
    def test_what_init_prints_is_what_engines_connect_with(self, server: str, engine_url: str, database: str, run: Run) -> None:
        parts = conninfo_to_dict(engine_url)
        assert (parts["user"], len(str(parts["password"]))) == (ENGINE, 64)
        store = open_records(database, 1)
        Story(store).run("a", 1)
        store.close()
        code, out = run("records init", "--url", server)
        assert code == 0
        assert out.lines == [
            f"postgresql://{ENGINE}:PASSWORD@/postgres?host={parts['host']}",
            f"the records are there. Put the password of {ENGINE} into the URL: it had one before.",
        ]
        again = open_records(database, 1)  # nothing was lost
        assert [view.id for view in again.outputs(ACME, OutputFilter()).data] == ["e1-a"]
        again.close()

    def test_a_new_role_has_a_password_that_is_shown_once(self, empty: str, run: Run) -> None:
        try:
            code, out = run("records init", "--url", empty, "--role", "other_engine", json=True)
            (value,) = out.values
            assert (code, value["role"], value["new_role"]) == (0, "other_engine", True)
            open_records(value["url"], 1).close()
            assert status(empty) == Installed(NEWEST, "other_engine", "postgres")
        finally:
            with psycopg.connect(empty, autocommit=True) as connection:
                connection.execute("DROP OWNED BY other_engine, other_engine_finder CASCADE")
                connection.execute("DROP ROLE other_engine, other_engine_finder")

    def test_a_role_that_sees_everything_is_no_engine(self, empty: str) -> None:
        with pytest.raises(Invalid) as caught:
            init(empty, "postgres")
        assert str(caught.value) == (
            "the role postgres may see the rows of every organization\n"
            "  expected: a role without SUPERUSER and BYPASSRLS, which is not yours\n"
            "  to do: give another one with --role"
        )
        assert status(empty).version == 0

    def test_an_owner_without_superuser_will_do(self, empty: str) -> None:
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute("CREATE ROLE keeper LOGIN CREATEROLE")
            connection.execute("GRANT CREATE ON DATABASE apart TO keeper")
        try:
            made = init(make_conninfo(empty, user="keeper"), "kept_engine")
            store = open_records(made.url, 1)
            Story(store).run("a", 1)
            assert store.claimable("x", 10**18) == ((ACME, "e1"),)
            assert [one.id for one in store.product.organizations()] == ["default"]
            store.close()
            assert migrate(make_conninfo(empty, user="keeper")) == (NEWEST, NEWEST)
        finally:
            with psycopg.connect(empty, autocommit=True) as connection:
                connection.execute("DROP OWNED BY kept_engine, kept_engine_finder, keeper CASCADE")
                connection.execute("DROP ROLE kept_engine, kept_engine_finder, keeper")

    def test_status_says_what_is_there(self, server: str, empty: str, database: str, run: Run) -> None:
        assert run("records status", "--url", empty)[1].lines == [
            f"{shown(empty)}: no records", "make them with `records init`, or give the URL that it printed",
        ]  # fmt: skip
        assert run("records status", "--url", empty)[0] == 3
        code, out = run("records status", "--url", server)
        assert (code, out.lines) == (
            0, [f"{shown(server, 'postgres')}: version {NEWEST} of {NEWEST}, owned by postgres, used by {ENGINE}"],
        )  # fmt: skip
        assert run("records status", "--url", server, json=True)[1].values == [
            {"version": NEWEST, "newest": NEWEST, "role": ENGINE, "owner": "postgres"}
        ]

    def test_migrate_needs_something_to_upgrade(self, server: str, empty: str, database: str, run: Run) -> None:
        assert run("records migrate", "--url", server)[1].lines == [f"version {NEWEST}"]
        with pytest.raises(Conflict) as caught:
            migrate(empty)
        assert str(caught.value) == (
            f"{shown(empty)}: there are no records to upgrade\n"
            "  to do: make them with `records init`, or give the URL that it printed"
        )

    def test_records_of_a_newer_version_are_left_alone(self, empty: str) -> None:
        init(empty)
        with psycopg.connect(empty) as connection:
            connection.execute("INSERT INTO tailrace.schema_version VALUES (999, 1)")
        newer = f"{shown(empty)}: the records were written by a newer version\n  to do: upgrade this installation"
        for use in (lambda: open_records(empty, 1), lambda: migrate(empty), lambda: init(empty)):
            with pytest.raises(Conflict) as caught:
                use()
            assert str(caught.value) == newer

    def test_records_of_an_older_version_are_to_be_upgraded(self, empty: str) -> None:
        init(empty)
        with psycopg.connect(empty) as connection:
            connection.execute("DELETE FROM tailrace.schema_version")
        with pytest.raises(Conflict) as caught:
            open_records(empty, 1)
        assert str(caught.value) == (
            f"{shown(empty)}: the records are of an older version\n  to do: upgrade them: `records migrate`"
        )

    def test_without_records_one_is_told_to_make_them(self, empty: str) -> None:
        with pytest.raises(Unreachable) as caught:
            open_records(empty, 1)
        assert str(caught.value) == (
            f'{shown(empty)}: there are no records: relation "tailrace.schema_version" does not exist\n'
            "  to do: make them with `records init`, or give the URL that it printed"
        )

    def test_a_database_that_is_not_there(self, server: str) -> None:
        url = make_conninfo(server, dbname="nowhere")
        with pytest.raises(Unreachable) as caught:
            open_records(url, 1)
        assert 'database "nowhere" does not exist' in caught.value.what
        assert caught.value.hint == "make them with `records init`, or give the URL that it printed"

    def test_a_wrong_password(self, database: str) -> None:
        with pytest.raises(Unreachable) as caught:
            open_records(make_conninfo(database, password="wrong"), 1)
        assert f'password authentication failed for user "{ENGINE}"' in caught.value.what
        assert caught.value.hint == "see the user and password"


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(Unreachable) as caught:
        open_records("postgresql://somebody:secret@127.0.0.1:1/records", 1)
    assert caught.value.where == "postgresql://127.0.0.1:1/records"
    assert caught.value.what.startswith("the database of the records can't be reached: connection failed:")
    assert "secret" not in str(caught.value)


def test_a_url_that_is_none() -> None:
    with pytest.raises(Invalid) as caught:
        open_records("postgresql://a:b@c:d:e/f?x=y", 1)
    assert caught.value.expected == "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
