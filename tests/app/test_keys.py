"""API keys: shown once, found by their secret, expired and revoked; and the organizations they belong to."""

from __future__ import annotations

import re

import pytest

from core.app import App
from core.app import keys as module
from core.app.keys import KeyService
from core.errors import Conflict, Invalid, NotFound
from core.host.product import ApiKey, AuditFilter

DAY = 24 * 60 * 60 * 1_000_000


class Clock:
    """The time of the keys: what a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1_746_093_600_000_000
        self.seconds = 100.0
        monkeypatch.setattr(module, "now", lambda: self.at)
        monkeypatch.setattr(module, "monotonic", lambda: self.seconds)

    def pass_seconds(self, seconds: float) -> None:
        self.seconds += seconds
        self.at += int(seconds * 1_000_000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def keys(app: App, clock: Clock) -> KeyService:
    return KeyService(app.records, "tr_")


def last_used(keys: KeyService) -> int | None:
    (key,) = keys.list("default")
    return key.last_used_at


def test_the_secret_of_a_key_is_given_once_and_only_a_hash_is_kept(keys: KeyService, app: App) -> None:
    key, secret = keys.create("default", "ci", "editor")

    assert re.fullmatch(r"tr_[A-Za-z0-9_-]{43}", secret)
    assert keys.list("default") == (key,)
    assert key.expires_at is None
    kept = (app.settings.home / "records.db").read_bytes() + (app.settings.home / "records.db-wal").read_bytes()
    assert secret.encode() not in kept
    assert key.id.encode() in kept


def test_a_key_is_found_by_its_secret_alone(keys: KeyService) -> None:
    key, secret = keys.create("default", "ci", "editor")
    found = keys.find(secret)

    assert found is not None
    assert (found.id, found.organization_id, found.name, found.role) == (key.id, "default", "ci", "editor")
    assert keys.find(secret + "x") is None
    assert keys.find("") is None
    assert keys.find(key.id) is None
    assert keys.find("tr_\ud800") is None


def test_a_key_expires(keys: KeyService, clock: Clock) -> None:
    key, secret = keys.create("default", "ci", "viewer", days=2)

    assert key.expires_at == clock.at + 2 * DAY
    clock.at += 2 * DAY - 1
    assert keys.find(secret) is not None
    clock.at += 1
    assert keys.find(secret) is None


def test_a_key_that_is_revoked_here_is_found_no_more(keys: KeyService) -> None:
    key, secret = keys.create("default", "ci", "viewer")
    assert keys.find(secret) is not None

    keys.revoke("default", key.id)

    assert keys.find(secret) is None
    (listed,) = keys.list("default")
    assert listed.revoked_at is not None


def test_a_key_that_another_process_revokes_is_found_for_two_seconds_at_most(
    keys: KeyService, app: App, clock: Clock
) -> None:
    key, secret = keys.create("default", "ci", "viewer")
    assert keys.find(secret) is not None
    KeyService(app.records, "tr_").revoke("default", key.id)

    clock.pass_seconds(1.9)
    assert keys.find(secret) is not None
    clock.pass_seconds(0.2)
    assert keys.find(secret) is None


def test_within_two_seconds_a_key_is_asked_for_once(
    keys: KeyService, app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = keys.create("default", "ci", "viewer")
    asked = []
    real = app.records.product.api_key

    def api_key(digest: str) -> ApiKey | None:
        asked.append(digest)
        return real(digest)

    monkeypatch.setattr(keys._product, "api_key", api_key)
    for _ in range(100):
        keys.find(secret)
    assert len(asked) == 1
    clock.pass_seconds(2.1)
    keys.find(secret)
    assert len(asked) == 2


def test_its_use_is_noted_once_a_minute(keys: KeyService, clock: Clock) -> None:
    _, secret = keys.create("default", "ci", "viewer")
    assert last_used(keys) is None

    first = clock.at
    keys.find(secret)
    assert last_used(keys) == first
    clock.pass_seconds(59)
    keys.find(secret)
    assert last_used(keys) == first
    clock.pass_seconds(1)
    keys.find(secret)
    assert last_used(keys) == clock.at


def test_a_key_that_can_not_be_used_is_not_noted_as_used(keys: KeyService, clock: Clock) -> None:
    key, secret = keys.create("default", "ci", "viewer")
    keys.revoke("default", key.id)
    keys.find(secret)

    assert last_used(keys) is None


def test_whether_any_key_is_there(keys: KeyService) -> None:
    assert not keys.exist()
    keys.create("default", "ci", "viewer")
    assert keys.exist()


def test_revoking_the_last_key_lets_nobody_in_without(keys: KeyService, app: App) -> None:
    key, _ = keys.create("default", "ci", "viewer")
    keys.revoke("default", key.id)
    assert keys.exist()
    assert KeyService(app.records, "tr_").exist()


def test_keys_of_organizations_are_apart(keys: KeyService) -> None:
    keys.create_organization("acme", "Acme Ltd")
    key, secret = keys.create("acme", "theirs", "admin")
    found = keys.find(secret)

    assert found is not None
    assert found.organization_id == "acme"
    assert keys.list("default") == ()
    assert [organization.id for organization in keys.organizations()] == ["acme", "default"]
    with pytest.raises(NotFound) as caught:
        keys.revoke("default", key.id)
    assert str(caught.value) == f"there is no key `{key.id}` in the organization `default`"
    assert keys.find(secret) is not None


def test_what_is_done_with_keys_is_in_the_audit(keys: KeyService, app: App, clock: Clock) -> None:
    key, _ = keys.create("default", "ci", "viewer", days=1, by="someone")
    keys.revoke("default", key.id, by="someone-else")

    rows = app.changes.audit(AuditFilter()).data
    assert [(row.actor, row.action, row.subject, row.before, row.after) for row in rows] == [
        ("someone-else", "api_key.revoke", key.id, None, None),
        ("someone", "api_key.create", key.id, None,
         {"name": "ci", "role": "viewer", "expires_at": clock.at + DAY}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"role": "owner"}, "`owner` is not a role\n  expected: viewer | editor | admin"),
        ({"days": 0}, "a key can't expire after 0 days\n  expected: 1 to 36600 days"),
        ({"days": 36601}, "a key can't expire after 36601 days\n  expected: 1 to 36600 days"),
        ({"name": "x" * 201}, "this can't be the name of a key\n  expected: one line of at most 200 characters"),
        ({"name": "a\nb"}, "this can't be the name of a key\n  expected: one line of at most 200 characters"),
    ],
    ids=str,
)
def test_a_wrong_key_is_refused(keys: KeyService, given: dict[str, object], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        keys.create("default", **{"name": "ci", "role": "viewer", **given})  # type: ignore[arg-type]
    assert str(caught.value) == message
    assert keys.list("default") == ()


def test_a_key_needs_an_organization(keys: KeyService) -> None:
    with pytest.raises(NotFound):
        keys.create("nobody", "ci", "viewer")


@pytest.mark.parametrize("name", ["", "Acme", "../x", "a b", "-a", "x" * 64, "ä"])
def test_a_wrong_organization_is_refused(keys: KeyService, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        keys.create_organization(name)
    assert str(caught.value) == (
        f"`{name}` can't be the id of an organization\n"
        "  expected: small letters, digits, `_` and `-`, a letter or digit first, at most 63"
    )


def test_an_organization_is_there_once(keys: KeyService) -> None:
    keys.create_organization("acme")
    with pytest.raises(Conflict):
        keys.create_organization("acme")


# -- sessions

HOUR = 60 * 60 * 1_000_000


def test_a_session_opens_what_its_key_opens(keys: KeyService, app: App) -> None:
    key, secret = keys.create("default", "browser", "editor")
    token = keys.sign_in(secret)

    assert token is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    found = keys.signed_in(token)
    assert found is not None
    assert (found.id, found.role) == (key.id, "editor")
    assert keys.signed_in(secret) is None
    assert keys.find(token) is None
    kept = (app.settings.home / "records.db").read_bytes() + (app.settings.home / "records.db-wal").read_bytes()
    assert token.encode() not in kept


def test_each_sign_in_is_a_session_of_its_own(keys: KeyService) -> None:
    _, secret = keys.create("default", "browser", "editor")
    one, other = keys.sign_in(secret), keys.sign_in(secret)
    assert one is not None
    assert other is not None
    assert one != other
    keys.sign_out(one)
    keys.sign_out(one)
    assert keys.signed_in(one) is None
    assert keys.signed_in(other) is not None


def test_the_audit_tells_who_signed_in_and_out(keys: KeyService, app: App) -> None:
    key, secret = keys.create("default", "browser", "viewer")
    keys.sign_out(str(keys.sign_in(secret)))
    keys.sign_out("nothing")
    rows = app.changes.audit(AuditFilter(actor=(key.id,))).data
    assert [(row.action, row.subject) for row in rows] == [("session.end", key.id), ("session.begin", key.id)]


def test_a_key_that_opens_nothing_has_no_session(keys: KeyService, clock: Clock) -> None:
    assert keys.sign_in("tr_nobody") is None
    key, secret = keys.create("default", "browser", "editor", days=1)
    keys.revoke("default", key.id)
    assert keys.sign_in(secret) is None
    _, secret = keys.create("default", "browser", "editor", days=1)
    clock.at += DAY
    assert keys.sign_in(secret) is None


def test_a_session_ends_with_its_time_or_its_key(keys: KeyService, clock: Clock) -> None:
    key, secret = keys.create("default", "browser", "editor", days=1)
    short, long = keys.sign_in(secret, hours=2), keys.sign_in(secret, hours=48)
    assert short is not None
    assert long is not None
    clock.at += 2 * HOUR - 1
    assert keys.signed_in(short) is not None
    clock.at += 1
    assert (keys.signed_in(short), keys.signed_in(long) is not None) == (None, True)
    clock.at += 22 * HOUR
    assert keys.signed_in(long) is None

    _, secret = keys.create("default", "other", "editor")
    token = keys.sign_in(secret)
    assert token is not None
    assert keys.signed_in(token) is not None
    keys.revoke("default", keys.list("default")[-1].id)
    assert keys.signed_in(token) is None
    assert key.id != keys.list("default")[-1].id


def test_what_another_process_ends_is_over_two_seconds_later(keys: KeyService, app: App, clock: Clock) -> None:
    key, secret = keys.create("default", "browser", "editor")
    one, other = keys.sign_in(secret), keys.sign_in(secret)
    assert one is not None
    assert other is not None
    assert keys.signed_in(one) is not None
    assert keys.signed_in(other) is not None
    elsewhere = KeyService(app.records, "tr_")
    elsewhere.sign_out(one)
    assert keys.signed_in(one) is not None
    clock.pass_seconds(2.1)
    assert keys.signed_in(one) is None
    assert keys.signed_in(other) is not None
    elsewhere.revoke("default", key.id)
    assert keys.signed_in(other) is not None
    clock.pass_seconds(2.1)
    assert keys.signed_in(other) is None


def test_a_session_notes_that_its_key_is_used(keys: KeyService, clock: Clock) -> None:
    _, secret = keys.create("default", "browser", "editor")
    token = keys.sign_in(secret)
    assert token is not None
    clock.pass_seconds(61)
    keys.signed_in(token)
    assert last_used(keys) == clock.at


@pytest.mark.parametrize("hours", [0, 8785])
def test_a_session_has_an_end_in_sight(keys: KeyService, hours: int) -> None:
    _, secret = keys.create("default", "browser", "editor")
    with pytest.raises(Invalid) as caught:
        keys.sign_in(secret, hours=hours)
    assert str(caught.value) == f"a session can't last {hours} hours\n  expected: 1 to 8784 hours"
