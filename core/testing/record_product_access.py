"""The feed, the audit, organizations and keys: a part of `RecordStoreContract`."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Conflict, Invalid, NotFound
from core.host.product import ApiKey, AuditFilter, Correction, Event, Organization
from core.host.records import RecordStore
from core.host.seam import Read
from core.model.decisions import Counters, MoveTask
from core.testing.record_product import body_of
from core.testing.record_story import ACME, OTHER, Story


def _told(events: tuple[Event, ...]) -> list[tuple[str, str, str, str]]:
    return [(event.kind, event.id, event.state, event.status) for event in events]


class FeedRules:
    """What was committed, in order, whoever committed it."""

    def test_commits_of_every_process_are_in_the_feed(self, store: RecordStore, second: RecordStore) -> None:
        store.product.keep_events()
        story = Story(second)
        story.move("RUNNING")
        story.run("a", 1, "WARNING")
        story.finish()
        events = store.product.events(ACME, 0, 100)
        assert _told(events) == [
            ("flow_execution", "e1", "CREATED", "queued"), ("flow_execution", "e1", "RUNNING", "running"),
            ("task_execution", "e1-a", "RUNNING", "running"), ("task_execution", "e1-a", "WARNING", "completed"),
            ("flow_execution", "e1", "SUCCESS", "completed"),
        ]  # fmt: skip
        assert [event.at for event in events] == [1000, 1010, 1020, 1030, 1040]
        assert [(event.flow_execution_id, event.name) for event in events[1:3]] == [("e1", ""), ("e1", "a")]
        assert store.product.last_event(ACME) == events[-1].seq

    def test_the_feed_goes_on_after_the_last_one_that_was_read(self, store: RecordStore) -> None:
        store.product.keep_events()
        story = Story(store)
        seen: list[Event] = []
        for number in range(4):
            story.run(f"t{number}", number)
            while found := store.product.events(ACME, seen[-1].seq if seen else 0, 3):
                seen += found
        everything = store.product.events(ACME, 0, 100)
        assert tuple(seen) == everything
        assert len(everything) == 1 + 4 * 2
        assert [event.seq for event in everything] == sorted({event.seq for event in everything})

    def test_changes_of_outputs_are_in_the_feed(self, store: RecordStore) -> None:
        store.product.keep_events()
        story = Story(store)
        story.run("a", 1)
        story.run("b", 2, reads=(Read("outputs.a", "a"),))
        story.finish()
        product, after = store.product, store.product.last_event(ACME)
        product.correct_output(ACME, "e1-a", Correction(body_of(9)), version=1, by="k", at=9000)
        product.tag_outputs(ACME, ["e1-a"], {"x": ""}, (), by="k", at=9100)
        product.set_output_deleted(ACME, "e1-a", True, by="k", at=9200)
        product.set_output_deleted(ACME, "e1-a", True, by="k", at=9300)
        product.set_output_deleted(ACME, "e1-a", False, by="k", at=9400)
        told = [(event.kind, event.id, event.status, event.at) for event in product.events(ACME, after, 100)]
        assert sorted(told[:2]) == [
            ("task_output", "e1-a", "completed", 9000), ("task_output", "e1-b", "stale", 9000),
        ]  # fmt: skip
        assert told[2:] == [
            ("task_output", "e1-a", "completed", 9100), ("task_output", "e1-a", "deleted", 9200),
            ("task_output", "e1-a", "completed", 9400),
        ]  # fmt: skip
        product.set_execution_deleted(ACME, "e1", True, by="k", at=9500)
        assert {(event.kind, event.id, event.status) for event in product.events(ACME, after, 100)[-3:]} == {
            ("flow_execution", "e1", "deleted"), ("task_output", "e1-a", "deleted"), ("task_output", "e1-b", "deleted"),
        }  # fmt: skip

    def test_a_commit_that_changes_no_state_is_not_in_the_feed(self, store: RecordStore) -> None:
        story = Story(store)
        key = story.group("group")
        store.product.keep_events()
        store.product.keep_events()
        last = store.product.last_event(ACME)
        story.commit(MoveTask(key, "RUNNING", Counters(1)))
        assert store.product.last_event(ACME) == last
        story.run("a", 1)
        assert len(store.product.events(ACME, last, 100)) == 2

    def test_one_organization_hears_nothing_of_another(self, store: RecordStore) -> None:
        store.product.keep_events()
        Story(store)
        assert (store.product.events(OTHER, 0, 100), store.product.last_event(OTHER)) == ((), 0)


class AuditRules:
    """Who did what, newest first."""

    def test_the_audit_is_read_newest_first_page_by_page(self, store: RecordStore) -> None:
        for number in range(5):
            store.product.record_audit(ACME, "k", "flow.push", f"s{number}", None, {"n": number}, 100 + number)
        store.product.record_audit(OTHER, "k", "flow.push", "s9", None, None, 1)
        seen: list[str] = []
        which = AuditFilter(limit=2)
        while True:
            page = store.product.audit(ACME, which)
            assert page.has_more == (page.next is not None)
            seen += [row.subject for row in page.data]
            if page.next is None:
                break
            which = AuditFilter(limit=2, starting_after=int(page.next))
        assert seen == ["s4", "s3", "s2", "s1", "s0"]

    @pytest.mark.parametrize(
        ("which", "expected"),
        [
            ({"actor": ("k2",)}, ["b"]), ({"actor": ("k1", "k2")}, ["c", "b", "a"]),
            ({"action": ("flow.push",)}, ["b", "a"]), ({"subject": ("c", "nope")}, ["c"]),
            ({"actor": ("k1",), "action": ("flow.push",)}, ["a"]),
        ],
        ids=str,
    )  # fmt: skip
    def test_the_audit_is_filtered(self, store: RecordStore, which: dict[str, Any], expected: list[str]) -> None:
        for actor, action, subject in [("k1", "flow.push", "a"), ("k2", "flow.push", "b"), ("k1", "kv.set", "c")]:
            store.product.record_audit(ACME, actor, action, subject, {"x": 1.5}, [None, "é"], 5)
        page = store.product.audit(ACME, AuditFilter(**which))
        assert [row.subject for row in page.data] == expected
        assert (page.data[0].before, page.data[0].after, page.data[0].at) == ({"x": 1.5}, [None, "é"], 5)

    def test_a_page_of_the_audit_has_a_limit(self, store: RecordStore) -> None:
        with pytest.raises(Invalid) as caught:
            store.product.audit(ACME, AuditFilter(limit=1001))
        assert str(caught.value) == "the limit 1001 is out of range\n  expected: 1 to 1000"


class KeyRules:
    """Organizations and their API keys."""

    def test_organizations_are_made_once(self, store: RecordStore, second: RecordStore) -> None:
        store.product.create_organization("acme", "Acme Ltd", 5)
        with pytest.raises(Conflict) as caught:
            second.product.create_organization("acme", "Another", 6)
        assert str(caught.value) == "there is an organization `acme`"
        assert second.product.organizations() == (
            Organization("acme", "Acme Ltd", 5), Organization("default", "default", 0),
        )  # fmt: skip

    def test_a_key_is_found_by_the_digest_of_its_secret(self, store: RecordStore, second: RecordStore) -> None:
        key = ApiKey("k1", "default", "ci", "editor", 5, expires_at=99)
        assert not store.product.has_api_keys()
        store.product.create_api_key(key, "digest-1")
        assert second.product.api_key("digest-1") == key
        assert second.product.api_key("digest-2") is None
        assert (second.product.api_keys("default"), second.product.api_keys(ACME)) == ((key,), ())
        assert second.product.has_api_keys()

    def test_a_key_belongs_to_an_organization_that_is_there(self, store: RecordStore) -> None:
        with pytest.raises(NotFound) as caught:
            store.product.create_api_key(ApiKey("k1", "nope", "ci", "viewer", 5), "digest-1")
        assert str(caught.value) == "there is no organization `nope`\n  expected: one of: default"
        assert not store.product.has_api_keys()

    def test_a_revoked_key_is_still_known(self, store: RecordStore) -> None:
        for number in (1, 2):
            store.product.create_api_key(ApiKey(f"k{number}", "default", "", "admin", 5), f"digest-{number}")
        store.product.create_organization(ACME, "", 5)
        assert not store.product.revoke_api_key(ACME, "k1", 7)
        assert store.product.revoke_api_key("default", "k1", 8)
        assert not store.product.revoke_api_key("default", "k1", 9)
        found = store.product.api_key("digest-1")
        assert found is not None
        assert (found.revoked_at, store.product.has_api_keys()) == (8, True)
        store.product.revoke_api_key("default", "k2", 9)
        assert not store.product.has_api_keys()
        assert [key.id for key in store.product.api_keys("default")] == ["k1", "k2"]

    def test_when_a_key_was_used_last(self, store: RecordStore) -> None:
        store.product.create_api_key(ApiKey("k1", "default", "", "admin", 5), "digest-1")
        for at in (10, 30, 20):
            store.product.api_key_used("k1", at)
        found = store.product.api_key("digest-1")
        assert found is not None
        assert found.last_used_at == 30

    def test_a_session_is_of_a_key_and_ends(self, store: RecordStore, second: RecordStore) -> None:
        key = ApiKey("k1", "default", "", "viewer", 5, expires_at=900)
        store.product.create_api_key(key, "digest-1")
        store.product.create_session("k1", "token-1", 10, 100)
        store.product.create_session("k1", "token-2", 20, 110)
        assert second.product.session("token-1") == (key, 100)
        assert second.product.session("digest-1") is None
        second.product.end_session("k1", "token-1")
        second.product.end_session("k1", "token-1")
        assert store.product.session("token-1") is None
        assert store.product.session("token-2") == (key, 110)

    def test_a_session_tells_of_a_revoked_key_that_it_is(self, store: RecordStore) -> None:
        store.product.create_api_key(ApiKey("k1", "default", "", "viewer", 5), "digest-1")
        store.product.create_session("k1", "token-1", 10, 100)
        store.product.revoke_api_key("default", "k1", 30)
        found = store.product.session("token-1")
        assert found is not None
        assert found[0].revoked_at == 30

    def test_sessions_that_are_over_are_forgotten_with_the_next_one(self, store: RecordStore) -> None:
        store.product.create_api_key(ApiKey("k1", "default", "", "viewer", 5), "digest-1")
        store.product.create_session("k1", "token-1", 10, 100)
        store.product.create_session("k1", "token-2", 99, 200)
        assert store.product.session("token-1") is not None
        store.product.create_session("k1", "token-3", 100, 200)
        assert store.product.session("token-1") is None
        assert store.product.session("token-2") is not None
