"""Who follows the events: one poller for all of an organization, and each hears everything once, in order."""

from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from core.host.product import Event
from tailrace_server import listening
from tailrace_server.follow import BEGINNING, STILL_HERE
from tailrace_server.listening import Follower, Listeners, Listening, Told, Wanted

from .commits import Commits, CommittedFeed
from .loops import run

EXECUTIONS = ("a", "b", "c", "d")
GUARD = 60
"""Seconds after which a test that hangs fails."""
ALL = Wanted()
Stream = AsyncGenerator[bytes, None]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.002)


@pytest.fixture
def feed() -> CommittedFeed:
    return Commits().feed("acme")


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def listeners(notes: list[str]) -> Listeners:
    return Listeners(threading.Event(), notes.append)


def follow(listeners: Listeners, feed: CommittedFeed, after: int | None = None, wanted: Wanted = ALL) -> Stream:
    newest = feed.last()
    return listeners.events(feed.organization, feed, wanted, newest if after is None else after, newest)


def numbers(piece: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"^id: (\d+)$", piece, re.M)]


async def hear(stream: Stream, until: int) -> list[int]:
    """The numbers that are told, up to one."""
    heard: list[int] = []
    while not heard or heard[-1] < until:
        heard += numbers(await anext(stream))
    return heard


async def leave(*streams: Stream) -> None:
    for stream in streams:
        await stream.aclose()


def within(test: Callable[[], Any]) -> None:
    """Run it in an event loop of its own."""

    async def guarded() -> None:
        async with asyncio.timeout(GUARD):
            await test()

    run(guarded())


# -- nothing is missed, nothing told twice


async def come_and_go(listeners: Listeners, feeds: list[CommittedFeed], drawn: random.Random) -> None:
    """One follower until it has heard of an end, which it reaches by many ways; it checks what it heard."""
    feed = drawn.choice(feeds)
    wanted = Wanted(executions=frozenset(drawn.sample(EXECUTIONS, drawn.choice([0, 1, 2]))))
    begun = after = drawn.choice([0, 150, feed.last()])
    told = b""
    while b'"END"' not in told:
        stream = follow(listeners, feed, after, wanted)
        for _ in range(drawn.randrange(1, 30)):
            try:
                told += await asyncio.wait_for(anext(stream), drawn.choice([0.001, 0.02, GUARD]))
            except TimeoutError:  # it goes while it waits
                break
            if b'"END"' in told:
                break
            if drawn.random() < 0.1:
                await asyncio.sleep(drawn.random() * 0.05)
        await stream.aclose()
        after = max(numbers(told), default=begun)
    assert numbers(told) == [event.seq for event in feed.all if begun < event.seq <= after and wanted(event)]
    assert set(re.findall(rb'"id":"(\w+) ', told)) == {feed.organization.encode()}


def commit_many(feeds: list[CommittedFeed], drawn: random.Random) -> None:
    for _ in range(400):
        drawn.choice(feeds).commit(drawn.choice(EXECUTIONS))
        if drawn.random() < 0.1:
            time.sleep(drawn.random() * 0.005)


@pytest.mark.parametrize("seed", range(4))
def test_followers_that_come_and_go_hear_everything_once(
    listeners: Listeners, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Of their organization alone, in the order of commits, however slow they are and from wherever they come back."""
    monkeypatch.setattr(listening, "RECENT", 30)
    monkeypatch.setattr(listening, "MANY", 7)
    commits = Commits()
    feeds = [commits.feed("acme"), commits.feed("globex")]
    for _ in range(100):
        feeds[0].commit()
        feeds[1].commit("b")

    async def test() -> None:
        followers = [come_and_go(listeners, feeds, random.Random(f"{seed} {number}")) for number in range(30)]
        heard = asyncio.gather(*followers)
        committers = (random.Random(f"{seed} commits {number}") for number in range(3))
        await asyncio.gather(*(asyncio.to_thread(commit_many, feeds, drawn) for drawn in committers))
        for feed in feeds:
            for execution in EXECUTIONS:
                feed.commit(execution, "END")
        await heard
        assert listeners._all == {}

    within(test)


def test_who_is_woken_is_told_though_more_came_that_it_does_not_want(feed: CommittedFeed) -> None:
    async def test() -> None:
        heard = Listening(feed, 0, threading.Event())
        follower = Follower(heard, Wanted(executions=frozenset("a")), 0)
        told = asyncio.create_task(follower.next())
        await asyncio.sleep(0)
        for execution in ("b", "a", "c"):
            feed.commit(execution)
            heard._hear([Told(feed.all[-1])])
        assert numbers(await told) == [2]
        heard.poller.cancel()

    within(test)


def test_what_is_committed_while_a_follower_reads_the_past_is_told(
    listeners: Listeners, feed: CommittedFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the first one, and before it has done so all others hear of the second one."""
    read, others_heard = feed.events, threading.Event()

    def events(after: int, limit: int = 1000) -> tuple[Event, ...]:
        found: tuple[Event, ...] = read(after, limit)
        if after == 0:
            feed.commit()
            assert others_heard.wait(GUARD)
        return found

    feed.commit()
    monkeypatch.setattr(feed, "events", events)

    async def test() -> None:
        late, other = follow(listeners, feed, 0), follow(listeners, feed)
        assert [await anext(late), await anext(other)] == [BEGINNING, BEGINNING]
        told = asyncio.create_task(hear(late, 2))
        assert await hear(other, 2) == [2]
        others_heard.set()
        assert await told == [1, 2]
        await leave(late, other)

    within(test)


def test_a_past_that_is_kept_no_more_is_asked_for_once(listeners: Listeners, feed: CommittedFeed) -> None:
    async def test() -> None:
        for _ in range(5):
            feed.commit()
        stream = follow(listeners, feed, 2)
        assert await anext(stream) == BEGINNING
        feed.all.clear()
        told = asyncio.create_task(hear(stream, 6))
        while not listeners._all["acme"]._waiting:
            await asyncio.sleep(0)
        feed.commit()
        assert await told == [6]
        await leave(stream)

    within(test)


def test_a_number_that_is_not_reached_yet_is_waited_for(listeners: Listeners, feed: CommittedFeed) -> None:
    async def test() -> None:
        ahead, now = follow(listeners, feed, 3, Wanted(executions=frozenset("a"))), follow(listeners, feed)
        assert [await anext(ahead), await anext(now)] == [BEGINNING, BEGINNING]
        told = asyncio.create_task(hear(ahead, 5))
        await asyncio.sleep(0)
        for number, execution in enumerate("baaaa", 1):
            feed.commit(execution)
            assert await hear(now, number) == [number]
        assert await told == [4, 5]
        await leave(ahead, now)

    within(test)


# -- what it costs


def test_what_many_follow_is_read_once(listeners: Listeners, feed: CommittedFeed) -> None:
    async def test() -> None:
        streams = [follow(listeners, feed) for _ in range(50)]
        assert {await anext(stream) for stream in streams} == {BEGINNING}
        for number in range(1, 6):
            feed.commit()
            heard = await asyncio.gather(*(hear(stream, number) for stream in streams))
            assert heard == [[number]] * 50
        assert [found for found in feed.read if found] == [[1], [2], [3], [4], [5]]
        await leave(*streams)

    within(test)


def test_only_one_asks_while_nothing_comes(
    listeners: Listeners, feed: CommittedFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that is not answered yet is the only one, though everybody waits."""
    asked, answer = threading.Semaphore(0), threading.Event()
    read, questions = feed.events, []

    def events(after: int, limit: int = 1000) -> tuple[Event, ...]:
        questions.append(after)
        asked.release()
        assert answer.wait(GUARD)
        found: tuple[Event, ...] = read(after, limit)
        return found

    monkeypatch.setattr(feed, "events", events)

    async def test() -> None:
        streams = [follow(listeners, feed) for _ in range(50)]
        assert {await anext(stream) for stream in streams} == {BEGINNING}
        waiting = [asyncio.create_task(hear(stream, 1)) for stream in streams]
        assert await asyncio.to_thread(asked.acquire, timeout=GUARD)
        while len(listeners._all["acme"]._waiting) < 50:
            await asyncio.sleep(0)
        assert questions == [0]
        feed.commit()
        answer.set()
        assert await asyncio.gather(*waiting) == [[1]] * 50
        await leave(*streams)

    within(test)


def test_what_is_not_wanted_wakes_nobody(listeners: Listeners, feed: CommittedFeed) -> None:
    """Nor does it let who did not want it fall behind, however much it is."""

    async def test() -> None:
        quiet, busy = follow(listeners, feed, None, Wanted(executions=frozenset("b"))), follow(listeners, feed)
        assert [await anext(quiet), await anext(busy)] == [BEGINNING, BEGINNING]
        told = asyncio.create_task(hear(quiet, 1))
        await asyncio.sleep(0)
        many = listening.RECENT + 10
        for _ in range(many):
            feed.commit("a")
        assert await hear(busy, many) == list(range(1, many + 1))
        (woken,) = listeners._all["acme"]._waiting.values()
        assert not woken.done()
        last = feed.commit("b")
        assert await told == [last]
        assert [number for found in feed.read for number in found] == list(range(1, last + 1))
        await leave(quiet, busy)

    within(test)


def test_a_slow_client_holds_up_nobody_and_costs_no_memory(
    listeners: Listeners, feed: CommittedFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads by itself what is no longer kept for all, then it goes on with the others."""
    monkeypatch.setattr(listening, "RECENT", 10)
    monkeypatch.setattr(listening, "MANY", 30)

    async def test() -> None:
        slow, others = follow(listeners, feed), follow(listeners, feed)
        assert [await anext(slow), await anext(others)] == [BEGINNING, BEGINNING]
        for number in range(1, 101):
            feed.commit()
            assert await hear(others, number) == [number]
        assert [told.event.seq for told in listeners._all["acme"]._recent] == list(range(91, 101))
        assert len(numbers(await anext(slow))) == 30
        assert await hear(slow, 100) == list(range(31, 101))
        before = len([found for found in feed.read if found])
        feed.commit()
        assert (await hear(others, 101), await hear(slow, 101)) == ([101], [101])
        assert [found for found in feed.read if found][before:] == [[101]]
        await leave(slow, others)

    within(test)


# -- the beginning and the end


def test_the_poller_ends_with_the_last_follower(listeners: Listeners, feed: CommittedFeed) -> None:
    async def test() -> None:
        first, second = follow(listeners, feed), follow(listeners, feed)
        assert [await anext(first), await anext(second)] == [BEGINNING, BEGINNING]
        poller = listeners._all["acme"].poller
        await first.aclose()
        feed.commit()
        assert await hear(second, 1) == [1]
        assert not poller.cancelling()
        await second.aclose()
        await asyncio.wait([poller])
        assert poller.cancelled()
        assert listeners._all == {}
        again = follow(listeners, feed, 0)
        assert await hear(again, 1) == [1]
        await again.aclose()

    within(test)


def test_all_ends_when_the_server_closes(listeners: Listeners, feed: CommittedFeed, notes: list[str]) -> None:
    async def test() -> None:
        streams = [follow(listeners, feed) for _ in range(5)]
        assert {await anext(stream) for stream in streams} == {BEGINNING}
        poller = listeners._all["acme"].poller
        rest = [asyncio.create_task(_all_of(stream)) for stream in streams]
        listeners._closing.set()
        assert await asyncio.gather(*rest) == [b""] * 5
        assert (poller.done(), listeners._all, notes) == (True, {}, [])

    within(test)


async def _all_of(stream: Stream) -> bytes:
    return b"".join([piece async for piece in stream])


def test_when_the_events_can_not_be_read_all_are_to_come_back(
    listeners: Listeners, feed: CommittedFeed, notes: list[str]
) -> None:
    async def test() -> None:
        streams = [follow(listeners, feed) for _ in range(5)]
        assert {await anext(stream) for stream in streams} == {BEGINNING}
        feed.broken = True
        assert [await _all_of(stream) for stream in streams[1:]] == [b""] * 4
        feed.broken = False
        feed.commit()
        back = follow(listeners, feed, 0)
        assert await hear(back, 1) == [1]
        assert await _all_of(streams[0]) == b""  # a slow one of those from before
        feed.commit()
        assert await hear(back, 2) == [2]
        await back.aclose()

    within(test)
    (note,) = notes
    assert note.startswith("the events of `acme` can't be followed:\nTraceback (most recent call last):\n")
    assert note.endswith("the disk is gone")


def test_something_is_sent_when_there_is_nothing_to_tell(
    listeners: Listeners, feed: CommittedFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HEARTBEAT_SECONDS", 0.01)

    async def test() -> None:
        stream = follow(listeners, feed)
        assert [await anext(stream) for _ in range(3)] == [BEGINNING, STILL_HERE, STILL_HERE]
        feed.commit()
        assert await hear(stream, 1) == [1]
        await stream.aclose()

    within(test)
