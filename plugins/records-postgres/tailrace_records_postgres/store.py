"""The record store on PostgreSQL."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import local
from time import monotonic

import psycopg

from core.host.product import ProductRecords
from core.host.records import RecordStore, RefusedKind, Unit
from core.records import SqlRecords, Writer
from core.records.database import Row
from core.records.guards import FENCE, TWICE, GuardError, IsAlive
from core.records.product import SqlProduct
from tailrace_records_postgres.beats import LEASE_SECONDS, Beats
from tailrace_records_postgres.database import EVERYBODY, PostgresDatabase
from tailrace_records_postgres.line import Result
from tailrace_records_postgres.scopes import Owners, again, scoped


class _Expected(local):
    """Statements of the calling thread's unit that have to change one row, each with its refusal otherwise."""

    results: list[tuple[Result, GuardError]]


class PipedWriter(Writer):
    """Each unit is written about its organization, and whether it holds is asked once, when all of it was sent."""

    _db: PostgresDatabase

    def __init__(self, database: PostgresDatabase, is_alive: IsAlive) -> None:
        super().__init__(database, is_alive)
        self._expected = _Expected()

    def _unit(self, unit: Unit) -> None:
        self._expected.results = []
        self._db.turn_to(unit.execution.organization_id)
        try:
            super()._unit(unit)
            self._check(lambda result: True)
        except (GuardError, psycopg.Error):  # it may come of an earlier statement that did not hold
            self._check(lambda result: result.done)
            raise

    def _once(self, name: str, values: Row, refusal: str = TWICE, kind: RefusedKind = "twice") -> None:
        self._expected.results.append((self._db.write(name, values), GuardError(refusal, kind)))

    def _hold_fence(self, unit: Unit) -> None:
        self._once("holds_fence", (unit.execution.id, unit.fence), FENCE, "fence")
        if unit.decision.changes:
            self._db.write("forget_takeovers", (unit.execution.id,))

    def _check(self, asked: Callable[[Result], bool]) -> None:
        for result, refusal in self._expected.results:
            if asked(result) and result.rowcount != 1:
                raise refusal


@scoped(ProductRecords, apart=("keep_events",))
class PostgresProduct(SqlProduct):
    """`SqlProduct` in a PostgreSQL database."""

    _db: PostgresDatabase

    def __init__(self, database: PostgresDatabase, owners: Owners) -> None:
        super().__init__(database)
        self.owners = owners

    def keep_events(self) -> None:
        """Nothing: they are always kept."""


@scoped(RecordStore, apart=("unread", "forget_engine", "changed", "tidy", "close"))
class PostgresRecords(SqlRecords):
    """`SqlRecords` in a PostgreSQL database; an engine lives as long as its beat moves. lease: seconds it may rest."""

    _db: PostgresDatabase

    def __init__(self, database: PostgresDatabase, lease: float = LEASE_SECONDS) -> None:
        super().__init__(database, self._beats_still)
        self._writer = PipedWriter(database, self._beats_still)
        self.owners = Owners(database)
        self._beats = Beats(lease)
        self._engines: set[str] = set()

    @property
    def product(self) -> ProductRecords:
        return PostgresProduct(self._db, self.owners)

    def register_engine(self, engine_id: str, now: int) -> None:
        """Show that this process lives, by a row with a beat."""
        with self._db.writing():
            self._db.write("register_engine", (engine_id, os.getpid(), now))
        self._engines.add(engine_id)

    def beat(self, engine_id: str) -> None:
        """Move an engine's beat, for those who watch it."""
        with self._db.writing():
            self._db.write("beat", (engine_id,))

    def forget_engine(self, engine_id: str) -> None:
        """The engine decides no more."""
        self._engines.discard(engine_id)
        with self._db.about(EVERYBODY):
            left = [organization for (organization,) in self._db.read("organizations_owned_by", (engine_id,))]
        with self._db.about(EVERYBODY, *left):
            again(lambda: self._leave(engine_id, left))

    def _leave(self, engine_id: str, left: Sequence[str]) -> None:
        with self._db.writing():
            self._db.write("forget_engine", (engine_id,))
            for organization in left:
                self._db.turn_to(organization)
                self._db.write("leave_in_order", (engine_id,))

    def _beats_still(self, engine_id: str) -> bool:
        rows = self._db.read("beat_of", (engine_id,))
        return self._beats.is_alive(engine_id, rows[0][0] if rows else None, monotonic())

    def unread(self, execution_ids: Sequence[str]) -> tuple[tuple[int, str, str, str], ...]:
        """Of many executions by one question for each organization."""
        by_owner: dict[str, list[str]] = defaultdict(list)
        for one in execution_ids:
            by_owner[self.owners.of_execution(one)].append(one)
        found: dict[str, list[tuple[int, str, str, str]]] = defaultdict(list)
        for owner, some in by_owner.items():
            with self._db.about(owner):
                for seq, execution_id, kind, payload in self._db.read("inbox_of", (json.dumps(some),)):
                    found[execution_id].append((seq, execution_id, kind, payload))
        return tuple(row for one in execution_ids for row in found[one])

    def close(self) -> None:
        """Give everything back; an engine that was registered is gone."""
        for engine_id in tuple(self._engines):
            self.forget_engine(engine_id)
        super().close()


def open_records(url: str, now: int) -> PostgresRecords:
    """The store at a URL. now: only makes its name differ from those of others.

    Raises Unreachable, Conflict (another version), Invalid.
    """
    return PostgresRecords(PostgresDatabase(url, f"{os.getpid()}-{now}"))
