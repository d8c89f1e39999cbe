"""One execution in an engine's hands, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from core.engine.live import LiveExecution
from core.host.records import TaskIdentity, Unit
from core.host.seam import LogLine, Metric, OutputReference, OutputText, Read, TaskResult
from core.host.views import Happening
from core.model.codec import encode
from core.model.decisions import GiveOutput, ReopenTask
from core.model.messages import MemberEnded, Message, TaskEnded, TaskKey


class Work:
    """An execution's facts, and what waits to be written with its next decision.

    tickets: how many evaluations were asked for and not answered.
    """

    def __init__(self, live: LiveExecution, follow: Callable[[Happening], None]) -> None:
        self.live = live
        self.follow = follow
        self.logs: list[tuple[TaskKey, TaskIdentity | None, LogLine]] = []
        self.metrics: list[tuple[TaskIdentity, Metric]] = []
        self.oldest_log = 0.0
        self.tickets = 0

    def log(self, key: TaskKey, line: LogLine, moment: float) -> None:
        """Keep a line of a running task for the next commit."""
        if not self.logs:
            self.oldest_log = moment
        self.logs.append((key, self.live.identities[key], line))

    def ended(self, key: TaskKey, result: TaskResult) -> Told:
        """What to tell the planner of an attempt that is over."""
        return Told(self, TaskEnded(key, result.state, result.error, result.exit), result=result)

    def remember(self, unit: Unit) -> None:
        """What was committed can be read by what runs next."""
        variables = self.live.variables
        for key, result in unit.results.items():
            variables.remember(key, _shipped(result))
            self.live.requested(result.requests)
        for change in unit.decision.changes:
            if isinstance(change, GiveOutput):
                variables.remember(change.key, OutputText(encode(change.output)))
            elif isinstance(change, ReopenTask):
                variables.forget(change.key)


class Told(NamedTuple):
    """A message for the planner, with what came along. done: rows of the inbox that it answers."""

    work: Work
    message: Message
    result: TaskResult | None = None
    reads: tuple[Read, ...] = ()
    done: tuple[int, ...] = ()

    def result_key(self, live: LiveExecution) -> TaskKey:
        """Whose result came along."""
        message = self.message
        if isinstance(message, MemberEnded):
            return live.member(message.group, message.task_id)
        assert isinstance(message, TaskEnded)
        return message.key


def _shipped(result: TaskResult) -> OutputText | OutputReference | None:
    if result.output is not None:
        return OutputText(result.output)
    return OutputReference(result.output_uri, result.size or 0) if result.output_uri else None
