"""API keys and organizations. Of a key's secret only a hash is kept."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode

from core.engine.clock import chance, monotonic, new_id, now
from core.errors import Invalid, NotFound
from core.host.product import ROLES, ApiKey, Organization, Role
from core.host.records import RecordStore
from core.settings import ORGANIZATION, ORGANIZATION_TOLD

SECRET_BYTES = 32
REMEMBERED_SECONDS = 2.0
"""How long a key that another process revokes may still be used."""
MAX_REMEMBERED = 10_000
USED_MICROSECONDS = 60 * 1_000_000
"""`last_used_at` is as exact as this: a row written for each request would cost more than most requests."""
DAY = 24 * 60 * 60 * 1_000_000
MAX_DAYS = 100 * 366
HOUR = DAY // 24
MAX_HOURS = 366 * 24
MAX_NAME = 200


class KeyService:
    """Implements `core.host.deployment.Keys`. prefix: what every secret begins with, so that people know one by sight.

    Safe for many threads.
    """

    def __init__(self, records: RecordStore, prefix: str) -> None:
        self._product = records.product
        self._prefix = prefix
        self._remembered: dict[str, tuple[float, ApiKey]] = {}
        self._used: dict[str, int] = {}
        self._sessions: dict[str, tuple[float, ApiKey, int]] = {}
        self._made = False

    # -- keys

    def create(
        self, organization: str, name: str, role: Role, *, days: int | None = None, by: str = "system"
    ) -> tuple[ApiKey, str]:
        if role not in ROLES:
            raise Invalid(f"`{role}` is not a role", expected=" | ".join(ROLES))
        if len(name) > MAX_NAME or not name.isprintable():
            raise Invalid("this can't be the name of a key", expected=f"one line of at most {MAX_NAME} characters")
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise Invalid(f"a key can't expire after {days} days", expected=f"1 to {MAX_DAYS} days")
        at = now()
        key = ApiKey(new_id(), organization, name, role, at, None if days is None else at + days * DAY)
        secret = self._prefix + _drawn()
        self._product.create_api_key(key, _digest(secret))
        told = {"name": name, "role": role, "expires_at": key.expires_at}
        self._product.record_audit(organization, by, "api_key.create", key.id, None, told, at)
        return key, secret

    def find(self, secret: str) -> ApiKey | None:
        digest = _digest(secret)
        moment, (since, key) = monotonic(), self._remembered.get(digest, (0.0, None))
        if key is None or moment - since > REMEMBERED_SECONDS:
            key = self._product.api_key(digest)
            if key is None:
                self._remembered.pop(digest, None)
                return None
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[digest] = (moment, key)
        return self._opened(key, now())

    def _opened(self, key: ApiKey, at: int) -> ApiKey | None:
        """The key that is used now, unless it opens nothing."""
        if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
            return None
        self._note_use(key, at)
        return key

    def _note_use(self, key: ApiKey, at: int) -> None:
        if at - self._used.get(key.id, key.last_used_at or 0) < USED_MICROSECONDS:
            return
        if len(self._used) >= MAX_REMEMBERED:
            self._used.clear()
        self._used[key.id] = at
        self._product.api_key_used(key.id, at)

    def list(self, organization: str) -> tuple[ApiKey, ...]:
        return self._product.api_keys(organization)

    def revoke(self, organization: str, key_id: str, *, by: str = "system") -> None:
        at = now()
        if not self._product.revoke_api_key(organization, key_id, at):
            raise NotFound(f"there is no key `{key_id}` in the organization `{organization}`")
        self._remembered.clear()
        self._sessions.clear()
        self._product.record_audit(organization, by, "api_key.revoke", key_id, None, None, at)

    def exist(self) -> bool:
        if not self._made:
            organizations = (one.id for one in self._product.organizations())
            self._made = self._product.has_api_keys() or any(self._product.api_keys(one) for one in organizations)
        return self._made

    # -- sessions

    def sign_in(self, secret: str, *, hours: int = 12) -> str | None:
        if not 1 <= hours <= MAX_HOURS:
            raise Invalid(f"a session can't last {hours} hours", expected=f"1 to {MAX_HOURS} hours")
        key = self.find(secret)
        if key is None:
            return None
        token, at = _drawn(), now()
        self._product.create_session(key.id, _digest(token), at, at + hours * HOUR)
        self._product.record_audit(key.organization_id, key.id, "session.begin", key.id, None, None, at)
        return token

    def signed_in(self, token: str) -> ApiKey | None:
        digest, at = _digest(token), now()
        found = self._session(digest)
        if found is None or found[1] <= at:
            return None
        return self._opened(found[0], at)

    def _session(self, digest: str) -> tuple[ApiKey, int] | None:
        """What is known of a session for a moment, as of keys."""
        moment, known = monotonic(), self._sessions.get(digest)
        if known is not None and moment - known[0] <= REMEMBERED_SECONDS:
            return known[1], known[2]
        found = self._product.session(digest)
        if found is None:
            self._sessions.pop(digest, None)
            return None
        if len(self._sessions) >= MAX_REMEMBERED:
            self._sessions.clear()
        self._sessions[digest] = (moment, *found)
        return found

    def sign_out(self, token: str) -> None:
        digest = _digest(token)
        found = self._product.session(digest)
        if found is not None:
            key = found[0]
            self._product.end_session(key.id, digest)
            self._product.record_audit(key.organization_id, key.id, "session.end", key.id, None, None, now())
        self._sessions.pop(digest, None)

    # -- organizations

    def organizations(self) -> tuple[Organization, ...]:
        return self._product.organizations()

    def create_organization(self, organization_id: str, name: str = "") -> None:
        if not re.fullmatch(ORGANIZATION, organization_id):
            raise Invalid(f"`{organization_id}` can't be the id of an organization", expected=ORGANIZATION_TOLD)
        at = now()
        self._product.create_organization(organization_id, name or organization_id, at)
        self._product.record_audit(
            organization_id, "system", "organization.create", organization_id, None, {"name": name}, at
        )


def _drawn() -> str:
    """Nobody can guess it."""
    return urlsafe_b64encode(chance(SECRET_BYTES)).decode("ascii").rstrip("=")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
