"""The events of an organization, read once for all who follow them: one poller for each, while anybody does."""

from __future__ import annotations

import asyncio
import traceback
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Iterable, Set
from functools import cached_property, partial
from threading import Event as Flag
from time import monotonic

from attrs import frozen

from core.host.product import Event
from core.host.services import Feed
from tailrace_server.follow import BEGINNING, HEARTBEAT_SECONDS, LOOK_SECONDS, STILL_HERE, Sent
from tailrace_server.times import iso

MANY = 500
"""Events that are read, or sent, at once."""
RECENT = 2000
"""The newest events, kept for all followers; who is further behind reads the records by itself."""


@frozen
class Wanted:
    """What a follower wants to be told. Where nothing is named everything is wanted."""

    kinds: Set[str] = frozenset()
    executions: Set[str] = frozenset()

    def __call__(self, event: Event) -> bool:
        return (not self.kinds or event.kind in self.kinds) and self.may_be_of({event.flow_execution_id})

    def may_be_of(self, executions: Set[str]) -> bool:
        """Whether an event of one of these executions could be wanted."""
        return not self.executions or not self.executions.isdisjoint(executions)


@frozen(slots=False)  # for the cached property
class Told:
    """An event, and what is sent of it: the same to everybody."""

    event: Event

    @cached_property
    def text(self) -> bytes:
        event = self.event
        shown = {
            "kind": event.kind, "id": event.id, "flow_execution_id": event.flow_execution_id,
            "task_name": event.name or None, "state": event.state, "status": event.status, "at": iso(event.at),
        }  # fmt: skip
        return bytes(Sent(event.seq, event.kind, shown))


def _seq(told: Told) -> int:
    return told.event.seq


class Listening:
    """What is committed in one organization, since somebody began to follow it.

    since, last: all events behind the one, up to the other, are in the window of recent ones. over: no more will come.
    followers: how many there are. To be made where an event loop runs.
    """

    def __init__(self, feed: Feed, newest: int, closing: Flag) -> None:
        self.feed = feed
        self.since = self.last = newest
        self.over = False
        self.followers = 0
        self.poller = asyncio.create_task(self._poll(closing))
        self._recent: list[Told] = []
        self._waiting: dict[Follower, asyncio.Future[None]] = {}

    async def _poll(self, closing: Flag) -> None:
        try:
            await asyncio.sleep(LOOK_SECONDS)  # what is the newest was asked right now
            while not closing.is_set():
                events = await asyncio.to_thread(self.feed.events, self.last, MANY)
                if events:
                    self._hear([Told(event) for event in events])
                if len(events) < MANY:
                    await asyncio.sleep(LOOK_SECONDS)
        finally:
            self.over = True
            for woken in self._waiting.values():
                woken.set_result(None)
            self._waiting.clear()

    def _hear(self, news: list[Told]) -> None:
        recent = self._recent + news
        if len(recent) > RECENT:
            self.since = _seq(recent[-RECENT - 1])
        self._recent = recent[-RECENT:]
        self.last = _seq(news[-1])
        executions = {told.event.flow_execution_id for told in news}
        waiting, self._waiting = self._waiting, {}
        for follower, woken in waiting.items():
            if follower.wanted.may_be_of(executions):
                woken.set_result(None)
            else:
                follower.after = max(follower.after, self.last)
                self._waiting[follower] = woken

    def recent(self, after: int) -> list[Told]:
        """What came after a number, the oldest first; not all at once."""
        begin = bisect_right(self._recent, after, key=_seq)
        return self._recent[begin : begin + MANY]

    async def news(self, follower: Follower, seconds: float) -> None:
        """Wait, at most so long, for what came after everything that the follower knows.

        While it waits, what it can't want is counted as known to it.
        """
        woken = self._waiting[follower] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait((woken,), timeout=seconds)
        finally:
            self._waiting.pop(follower, None)


class Follower:
    """One client. after: the number of the last event that it was told, or did not want to be."""

    def __init__(self, listening: Listening, wanted: Wanted, after: int) -> None:
        self._listening = listening
        self.wanted = wanted
        self.after = after

    async def next(self) -> bytes:
        """What is to be sent, once there is something; nothing when no more will come."""
        listening, until = self._listening, monotonic() + HEARTBEAT_SECONDS
        while not listening.over:
            text = b""
            if self.after < listening.since:
                text = await self._past()
            elif self.after < listening.last:
                text = self._told(listening.recent(self.after))
            elif monotonic() < until:
                await listening.news(self, until - monotonic())
            else:
                text = STILL_HERE
            if text:
                return text
        return b""

    async def _past(self) -> bytes:
        """Of what came before the window."""
        known = self._listening.last  # asked first: what is heard meanwhile may have come after what is read
        events = await asyncio.to_thread(self._listening.feed.events, self.after, MANY)
        text = self._told(map(Told, events))
        if len(events) < MANY:
            self.after = max(self.after, known)
        return text

    def _told(self, several: Iterable[Told]) -> bytes:
        texts = []
        for told in several:
            self.after = told.event.seq
            if self.wanted(told.event):
                texts.append(told.text)
        return b"".join(texts)  # one piece: a client that goes is noticed between pieces only


class Listeners:
    """Of one application: who listens in which organization. Only its event loop may use it."""

    def __init__(self, closing: Flag, note: Callable[[str], None]) -> None:
        self._closing = closing
        self._note = note
        self._all: dict[str, Listening] = {}

    async def events(
        self, organization: str, feed: Feed, wanted: Wanted, after: int, newest: int
    ) -> AsyncGenerator[bytes, None]:
        """What to send to a client, as it is committed, until the server closes. To be closed.

        newest: the number of the newest event there is. When the events can't be read any more, it is noted once, and
        all who follow them are to come back.
        """
        listening = self._join(organization, feed, newest)
        follower = Follower(listening, wanted, after)
        try:
            yield BEGINNING
            while text := await follower.next():
                yield text
        finally:
            self._leave(organization, listening)

    def _join(self, organization: str, feed: Feed, newest: int) -> Listening:
        listening = self._all.get(organization)
        if listening is None or listening.over:
            listening = self._all[organization] = Listening(feed, newest, self._closing)
            listening.poller.add_done_callback(partial(self._ended, organization))
        listening.followers += 1
        return listening

    def _leave(self, organization: str, listening: Listening) -> None:
        listening.followers -= 1
        if not listening.followers:
            listening.poller.cancel()
            if self._all[organization] is listening:
                del self._all[organization]

    def _ended(self, organization: str, poller: asyncio.Task[None]) -> None:
        error = None if poller.cancelled() else poller.exception()
        if error is not None:
            told = "".join(traceback.format_exception(error)).rstrip()
            self._note(f"the events of `{organization}` can't be followed:\n{told}")
