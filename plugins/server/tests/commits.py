"""A feed of events whose commits a test makes."""

from __future__ import annotations

import threading

from core.host.product import Event
from core.sdk import Unreachable


class Commits:
    """What the organizations of one record store commit, numbered together."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.number = 0

    def feed(self, organization: str) -> CommittedFeed:
        return CommittedFeed(self, organization)


class CommittedFeed:
    """A `core.host.services.Feed`. read: the numbers that each question was answered with."""

    def __init__(self, commits: Commits, organization: str) -> None:
        self._commits = commits
        self.organization = organization
        self.all: list[Event] = []
        self.read: list[list[int]] = []
        self.broken = False

    def commit(self, execution: str = "a", state: str = "RUNNING") -> int:
        with self._commits.lock:
            self._commits.number += 1
            number = self._commits.number
            self.all.append(Event(
                number, 0, "task_execution", f"{self.organization} {number}", execution, "t", state, "running"
            ))  # fmt: skip
        return number

    def events(self, after: int, limit: int = 1000) -> tuple[Event, ...]:
        if self.broken:
            raise Unreachable("the disk is gone")
        with self._commits.lock:
            found = tuple(event for event in self.all if event.seq > after)[:limit]
            self.read.append([event.seq for event in found])
        return found

    def last(self) -> int:
        with self._commits.lock:
            return self.all[-1].seq if self.all else 0
