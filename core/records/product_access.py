"""Who may, who did, and the feed: a part of the records of the product."""

from __future__ import annotations

from typing import Any

from core.errors import Conflict, NotFound
from core.host.product import ApiKey, AuditFilter, AuditView, Event, Organization
from core.host.views import Page
from core.model.codec import decode, encode
from core.records.database import Database
from core.records.listing import page_limit
from core.records.texts import marks


def write_audit(
    database: Database, organization: str, actor: str, action: str, subject: str, before: Any, after: Any, at: int
) -> None:
    """Inside a transaction: the row of a change that it makes."""
    values = (organization, at, actor, action, subject, encode(before), encode(after))
    database.write("insert_audit", values)


class AccessRecords:
    """Part of `SqlProduct`."""

    _db: Database

    # -- the feed

    def keep_events(self) -> None:
        with self._db.writing():
            for name in ("task_inserts", "task_changes", "execution_inserts", "execution_changes", "newest_events"):
                self._db.write(f"keep_{name}", ())

    def events(self, organization: str, after: int, limit: int) -> tuple[Event, ...]:
        return tuple(Event(*row) for row in self._db.read("events", (organization, after, limit)))

    def last_event(self, organization: str) -> int:
        return int(self._db.read("last_event", (organization,))[0][0])

    # -- the audit

    def record_audit(
        self, organization: str, actor: str, action: str, subject: str, before: Any, after: Any, at: int
    ) -> None:
        with self._db.writing():
            write_audit(self._db, organization, actor, action, subject, before, after, at)

    def audit(self, organization: str, which: AuditFilter) -> Page[AuditView]:
        limit = page_limit(which.limit)
        conditions, values = ["organization_id = ?"], [organization]
        for column, wanted in (("actor", which.actor), ("action", which.action), ("subject", which.subject)):
            if wanted:
                conditions.append(f"{column} IN ({marks(wanted)})")
                values += wanted
        bound: tuple[Any, ...] = tuple(values)
        if which.starting_after is not None:
            conditions.append("seq < ?")
            bound = (*bound, which.starting_after)
        sql = "SELECT seq, at, actor, action, subject, before_json, after_json FROM audit WHERE "
        sql += f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?"
        rows = self._db.select(sql, (*bound, limit + 1))
        shown = tuple(AuditView(*(*row[:5], decode(row[5]), decode(row[6]))) for row in rows[:limit])
        more = len(rows) > limit
        return Page(shown, more, str(shown[-1].seq) if more else None)

    # -- organizations and keys

    def organizations(self) -> tuple[Organization, ...]:
        return tuple(Organization(*row) for row in self._db.read("organizations"))

    def create_organization(self, organization_id: str, name: str, at: int) -> None:
        with self._db.writing():
            if self._db.write("insert_organization", (organization_id, name, at)).rowcount != 1:
                raise Conflict(f"there is an organization `{organization_id}`")

    def create_api_key(self, key: ApiKey, digest: str) -> None:
        with self._db.writing():
            if self._db.write("organization", (key.organization_id,)).fetchone() is None:
                raise NotFound(
                    f"there is no organization `{key.organization_id}`",
                    expected="one of: " + ", ".join(one.id for one in self.organizations()),
                )
            self._db.write("insert_api_key", (
                key.id, key.organization_id, key.name, key.role, digest, key.created_at, key.expires_at, key.revoked_at,
                key.last_used_at,
            ))  # fmt: skip

    def api_key(self, digest: str) -> ApiKey | None:
        rows = self._db.read("api_key", (digest,))
        return _key(rows[0]) if rows else None

    def api_keys(self, organization: str) -> tuple[ApiKey, ...]:
        return tuple(_key(row) for row in self._db.read("api_keys", (organization,)))

    def has_api_keys(self) -> bool:
        return bool(self._db.read("has_api_keys"))

    def revoke_api_key(self, organization: str, key_id: str, at: int) -> bool:
        with self._db.writing():
            return self._db.write("revoke_api_key", (at, organization, key_id)).rowcount == 1

    def api_key_used(self, key_id: str, at: int) -> None:
        with self._db.writing():
            self._db.write("api_key_used", (at, key_id, at))

    # -- sessions

    def create_session(self, key_id: str, digest: str, at: int, expires_at: int) -> None:
        with self._db.writing():
            self._db.write("forget_sessions", (at,))
            self._db.write("insert_session", (key_id, digest, key_id, at, expires_at))

    def session(self, digest: str) -> tuple[ApiKey, int] | None:
        rows = self._db.read("session", (digest,))
        return (_key(rows[0][:8]), rows[0][8]) if rows else None

    def end_session(self, key_id: str, digest: str) -> None:
        with self._db.writing():
            self._db.write("end_session", (key_id, digest))


def _key(row: tuple[Any, ...]) -> ApiKey:
    identifier, organization, name, role, created, expires, revoked, used = row
    return ApiKey(identifier, organization, name, role, created, expires, revoked, used)
