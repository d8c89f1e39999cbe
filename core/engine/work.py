"""One execution in an engine's hands, and what it is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from core.engine.live import LiveExecution
from core.engine.results import placed
from core.engine.stories import happenings
from core.host.records import TaskIdentity, Unit
from core.host.requests import DeleteKv, Request, SetKv
from core.host.seam import LogLine, Metric, OutputReference, OutputText, Progress, Read, TaskResult
from core.host.views import Happening, TaskLogged, TaskProgressed
from core.model.codec import decode, encode
from core.model.data import evolve, quick
from core.model.decisions import Decision, EndTask, GiveOutput, KeyAbsent, ReopenTask
from core.model.messages import ROOT, Evaluated, MemberEnded, Message, SlotFree, TaskEnded, TaskKey, TaskWaits
from core.planner import ITERATION
from core.sdk.context import LEVELS

_FAILURES = frozenset({"FAILED", "WARNING"})


ExecutionLine = tuple[str, str, str, int]
"""Executions that wait for the same slots: of one revision of a flow, since another may have more of them."""
Follow = Callable[[Happening], None] | None
"""Who watches an execution; None: nobody, and nothing needs to be put into words."""


class Work:
    """An execution's facts, and what waits to be written with its next decision.

    tickets: how many evaluations were asked for and not answered. trouble: why nothing more is decided for it here.
    left: attempts that an engine began which died, and that are not begun here; of those in `ends` what is left is
    being ended. failed: those of them that fail then, with the reason. line: where it waits for a slot of its flow's
    concurrency limit; place: in that line.
    """

    def __init__(self, live: LiveExecution, follow: Follow) -> None:
        self.live = live
        self.follow = follow
        self.logs: list[tuple[TaskKey, TaskIdentity | None, LogLine]] = []
        self.metrics: list[tuple[TaskIdentity, Metric]] = []
        self.oldest_log = 0.0
        self.tickets = 0
        self.trouble: Exception | None = None
        self.left: set[str] = set()
        self.ends: set[str] = set()
        self.failed: dict[str, str] = {}
        self._said: dict[TaskKey, str] = {}
        self._warned: set[tuple[TaskKey, str]] = set()
        own = live.identity
        self.line: ExecutionLine = (own.organization_id, own.namespace, own.flow_id, own.flow_revision)
        self.place = live.seq  # the record's own order: it gives a slot to nobody who is not the first in it

    def hear(self, key: TaskKey, word: LogLine | Metric | Progress, moment: float) -> None:
        """Keep what a running task says for the next commit, and tell it those who watch."""
        if isinstance(word, LogLine):
            self._hear_line(key, word, moment)
        elif isinstance(word, Metric):
            self.metrics.append((self.live.identities[key], word))
        elif self.follow is not None:
            self.follow(TaskProgressed(self.live.identity.id, key.task_id, word.message, word.fraction))

    def _hear_line(self, key: TaskKey, line: LogLine, moment: float) -> None:
        if line.level == "ERROR" and line.message.startswith("$."):
            line = evolve(line, message=placed(self.live.flow, key.task_id, line.message))
        if not self.logs:
            self.oldest_log = moment
        self.logs.append((key, self.live.identities[key], line))
        if self.follow is not None:
            self.follow(TaskLogged(self.live.identity.id, key.task_id, line.at, line.level, line.message))

    def say(self, level: str, message: str, at: int) -> None:
        """Write a line of the execution itself into its log."""
        self.logs.append((ROOT, None, LogLine("", at, level, message)))

    def tell_failures(
        self, item: Told, decision: Decision, named: Mapping[TaskKey, TaskIdentity], at: int
    ) -> None:
        """What failed without an attempt that could say so (a loop's values, say) has its error in the log too, and so
        has what ended with a warning.
        """
        message = item.message
        if isinstance(message, (TaskEnded, MemberEnded)) and message.error and item.result is not None:
            key = item.result_key(self.live)
            if key in named:  # else it came too late
                self._said[key] = message.error  # by the attempt itself
        if isinstance(message, Evaluated) and message.key.task == ROOT and message.error:
            self.say("ERROR", message.error, at)
        elif isinstance(message, Evaluated) and message.error and message.key.purpose.startswith(ITERATION):
            self._tell_iteration(message, decision, named, at)
        for change in decision.changes:
            if type(change) is not EndTask:
                continue
            if change.warning:
                self._warn(change.key, named[change.key], change.warning, at)
            said = self._said.pop(change.key, "")
            if change.error and change.error != said and change.state in _FAILURES:
                self.logs.append((change.key, named[change.key], LogLine("", at, "ERROR", change.error)))

    def warn_of_child(self, key: TaskKey, warnings: tuple[str, ...], at: int) -> None:
        """Write what an execution was begun with, and should not, into the log of the task that calls it.

        What is so for all of many executions is said once.
        """
        for warning in warnings:
            if (key, warning) not in self._warned:
                self._warned.add((key, warning))
                self._warn(key, self.live.identities[key], warning, at)

    def _warn(self, key: TaskKey, identity: TaskIdentity, warning: str, at: int) -> None:
        if LEVELS.index(self.live.steps[key.task_id].log_level) > LEVELS.index("WARN"):
            return
        self.logs.append((key, identity, LogLine("", at, "WARN", warning)))
        if self.follow is not None:
            self.follow(TaskLogged(self.live.identity.id, key.task_id, at, "WARN", warning))

    def _tell_iteration(
        self, message: Evaluated, decision: Decision, named: Mapping[TaskKey, TaskIdentity], at: int
    ) -> None:
        """Its loop may go on, and end well."""
        key = message.key.task
        told = any(isinstance(one, EndTask) and one.key == key and one.error for one in decision.changes)
        if key in named and not told:
            self.logs.append((key, named[key], LogLine("", at, "ERROR", message.error)))

    def ended(self, key: TaskKey, result: TaskResult) -> Told:
        """What to tell the planner of an attempt that is over, or waits."""
        if result.due_at:
            return Told(self, TaskWaits(key, result.due_at, result.wait_state), result=result)
        if result.attempt_id in self.failed:
            result = evolve(result, state="FAILED", error=self.failed[result.attempt_id])
        error = placed(self.live.flow, key.task_id, result.error) if result.error else ""
        return Told(self, TaskEnded(key, result.state, error, result.exit), result=result)

    def committed(self, unit: Unit) -> None:
        """What was committed can be read by what runs next, and is told those who watch."""
        self._remember(unit)
        if self.follow is not None:
            for happening in happenings(unit):
                self.follow(happening)

    def _remember(self, unit: Unit) -> None:
        variables = self.live.variables
        for key, result in unit.results.items():
            variables.remember(key, _shipped(result))
            if result.requests:
                self.live.requested(result.requests)
        if unit.requests:
            self.live.requested(unit.requests)
        if unit.outputs_json is not None:
            variables.gave(decode(unit.outputs_json))
        for change in unit.decision.changes:
            if type(change) is GiveOutput:
                variables.remember(change.key, OutputText(encode(change.output)))
            elif type(change) is ReopenTask or (type(change) is EndTask and change.state == "SKIPPED"):
                variables.forget(change.key)  # what it gave in an earlier round of a loop counts no more


def first_of(line: deque[Work]) -> Told:
    """The first of a line looks whether there is a free slot, and those behind it once it has got one."""
    return Told(line.popleft(), SlotFree(), behind=line)


@quick
class Told:
    """A message for the planner, with what came along. done: rows of the inbox that it answers.

    requests: what is to be written with the decision besides. files: what an evaluation or a message brought.
    behind: those that are told the same next, unless it finds no free slot.
    """

    work: Work
    message: Message
    result: TaskResult | None = None
    reads: tuple[Read, ...] = ()
    done: tuple[int, ...] = ()
    requests: tuple[Request, ...] = ()
    files: tuple[tuple[str, int, str], ...] = ()
    behind: deque[Work] | None = None

    def result_key(self, live: LiveExecution) -> TaskKey:
        """Whose result came along."""
        message = self.message
        if isinstance(message, MemberEnded):
            return live.member(message.group, message.task_id)
        assert isinstance(message, (TaskEnded, TaskWaits))
        return message.key


def absent_keys(told: Told) -> tuple[KeyAbsent, ...]:
    """What must not be there when a task's result is recorded. A member's result comes too late to stop its group."""
    if told.result is None or not told.result.requests or not isinstance(told.message, TaskEnded):
        return ()
    absent: dict[tuple[str, str], KeyAbsent] = {}
    given: set[tuple[str, str]] = set()
    for one in told.result.requests:
        if isinstance(one, SetKv):
            name = (one.namespace, one.key)
            if not one.overwrite and name not in given:
                absent[name] = KeyAbsent(*name)
            given.add(name)
        elif isinstance(one, DeleteKv):
            given.update((one.namespace, key) for key in one.keys)
    return tuple(absent.values())


def failed(told: Told, error: str, at: int) -> Told:
    """A result that could not be recorded as it is: its attempt failed, and nothing that it asked for is done."""
    assert told.result is not None
    key, live = told.result_key(told.work.live), told.work.live
    told.work.logs.append((key, live.identities[key], LogLine("", at, "ERROR", error)))
    result = evolve(told.result, state="FAILED", error=error, requests=())
    return Told(told.work, TaskEnded(key, "FAILED", error), result, done=told.done)


def _shipped(result: TaskResult) -> OutputText | OutputReference | None:
    if result.output is not None:
        return OutputText(result.output)
    return OutputReference(result.output_uri, result.size or 0) if result.output_uri else None
