"""The feed: what was committed since, of one organization, by any process."""

from __future__ import annotations

from core.app import App
from core.host.product import Event

FLOW = "id: f\nnamespace: company.team\ntasks:\n  - {id: a, type: debug.Return, format: x}\n"


def test_what_is_committed_after_the_feed_began_is_in_it(app: App) -> None:
    before = app.run(FLOW)
    feed = app.feed
    start = feed.last()
    run = app.run(FLOW)

    events = feed.events(start)
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert {event.flow_execution_id for event in events} == {run.id}
    assert before.id not in {event.id for event in events}
    ends = {(event.kind, event.name, event.id, event.status) for event in events if event.state == "SUCCESS"}
    task_id = app.outputs.get(f"{run.id}/a").id
    assert ends == {("task_execution", "a", task_id, "completed"), ("flow_execution", "", run.id, "completed")}
    assert feed.last() == events[-1].seq


def test_one_goes_on_from_where_one_was(app: App) -> None:
    start = app.feed.last()
    app.run(FLOW)
    everything = app.feed.events(start)

    taken: list[Event] = []
    after = start
    while page := app.feed.events(after, 2):
        assert len(page) <= 2
        taken += page
        after = page[-1].seq
    assert tuple(taken) == everything
    assert app.feed.events(after) == ()


def test_organizations_have_feeds_of_their_own(app: App) -> None:
    app.records.product.create_organization("acme", "acme", 0)
    other = app.for_organization("acme")
    assert (other.feed.last(), other.feed.events(0)) == (0, ())
    app.feed.last()
    app.run(FLOW)
    theirs = other.run(FLOW)

    assert {event.flow_execution_id for event in other.feed.events(0)} == {theirs.id}
