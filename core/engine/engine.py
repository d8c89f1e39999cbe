"""The loop: drain messages, decide each, commit once, and only then act."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from operator import attrgetter
from queue import Empty, SimpleQueue
from threading import Lock

from core.engine.acting import Acting
from core.engine.answers import Answers
from core.engine.children import Children, FlowsOf
from core.engine.clock import monotonic, now
from core.engine.deciding import Deciding
from core.engine.hearing import WORDS, Hearing
from core.engine.inbox import files_of, in_order, message_of, requests_of, stops_all
from core.engine.live import LiveExecution
from core.engine.recovering import Recovering
from core.engine.timers import Timers
from core.engine.work import ExecutionLine, Follow, Told, Work, first_of
from core.errors import Conflict
from core.host.executor import Executor
from core.host.records import RecordStore
from core.host.seam import Question, Up
from core.model.decisions import Effect, ReleaseSlot
from core.model.flow import Flow

LOOK_SECONDS = 0.05
BEAT_SECONDS = 5.0
CATCH_UP_SECONDS = 1.0
"""How long a task that talks much waits for the turn of others; not for ever, since it may be in that very turn."""


class Engine:
    """Works on the executions it owns, one turn of its loop at a time.

    Whoever brings a result leads the next turn, in its own thread, unless another thread is leading: a chain of tasks
    needs no hand-over between threads, which costs more than all the rest of a small task. The thread in `run` leads
    when nobody else does: it looks at inboxes, timers, logs and beats.

    flows_of: the flows of an organization.
    """

    def __init__(
        self,
        engine_id: str,
        records: RecordStore,
        answers: Answers,
        flows_of: FlowsOf,
        make_executor: Callable[[Callable[[Up], None]], Executor],
    ) -> None:
        self._id = engine_id
        self._records = records
        self._answers = answers
        self._flows_of = flows_of
        self._inbox: deque[Up | Told | None] = deque()
        self._leading = Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._executor = make_executor(self._tell)
        self._owned: dict[str, Work] = {}
        self._timers = Timers()
        children = Children(records, flows_of)
        self._acting = Acting(self._executor, self._timers, children, records, self._own_other, self._inbox.append)
        self._recovering = Recovering(self._acting, self._again, self._inbox.append, self._is_to_end)
        self._hearing = Hearing(self._acting, self._owned)
        self._deciding = Deciding(records, children, self._acting, self._owned, self._in_trouble)
        self._interrupts = 0
        self._fresh = False
        self._only_ends = False
        self._next_look = 0.0
        self._wakes_at = 0
        self._next_beat = monotonic() + BEAT_SECONDS

    # -- from outside

    def own(self, execution_id: str, flow: Flow, follow: Follow, *, go_on: bool = True) -> None:
        """Become the owner of an execution, and go on with it where it stands. Raises Conflict, NotFound.

        go_on: False for one that is only to end: of what ran, only what may have outlived its engine counts as running.
        """
        opened = self._records.claim(execution_id, self._id)
        work = self._owned[execution_id] = Work(LiveExecution(opened, flow, self._records, runs=go_on), follow)
        self._acting.sla.began(work)
        self._only_ends = not go_on
        if go_on:
            self._recovering.go_on(work, opened.takeovers)
        elif work.live.steps:  # else the flow is not known
            self._recovering.end(work, opened.takeovers)
        self._look_soon()

    def _own_other(self, organization: str, execution_id: str, follow: Follow) -> bool:
        """Own a child or a parent of what is owned; False when another process has it."""
        if execution_id in self._owned:
            return True
        view = self._records.execution(organization, execution_id)
        if view is None:
            return False
        try:
            self.own(execution_id, self._flows_of(organization).flow_of(view), follow)
        except Conflict:
            return False
        return True

    def _is_to_end(self, work: Work) -> bool:
        """Whether a message that stops all that runs waits for its owner; `end` comes too late where one has come."""
        live = work.live
        ends = bool(live.counters.note) or live.counters.phase == "after"
        rows = self._records.unread([live.identity.id])
        return any(stops_all(kind, payload) and not (ends and kind == "end") for _, _, kind, payload in rows)

    def _again(self, work: Work, effect: Effect) -> None:
        """Perform what an earlier owner may have performed."""
        self._acting.perform(work, effect)

    def interrupt(self) -> None:
        """Kill what is owned; the second time leave it as it is, to be resumed. Safe in signal handlers."""
        self._interrupts += 1
        self._inbox.append(None)
        self._wake.put(None)

    def run(self) -> None:
        """Work until nothing owned can go on by itself, or a second interrupt.

        What is left running keeps this engine as its owner: once the engine is gone, others see it was abandoned.
        """
        try:
            while not self._is_done():
                leads = self._leading.acquire(blocking=False)
                if leads:
                    self._lead_once()
                if self._waits() and not (leads and self._inbox):  # another leader looks again when it has let go
                    self._sleep()
        finally:
            with self._leading:  # a turn that is going on is not left half way
                self._owned.clear()
        if self._failure:
            raise self._failure

    def _is_done(self) -> bool:
        if self._interrupts >= 2 or self._failure:
            return True
        if self._waits():
            return False
        with self._leading:  # the turn of another thread lets go of a child before it takes its parent
            return not self._waits()

    def _waits(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self._owned or self._acting.later)

    def _sleep(self) -> None:
        seconds = max(self._rest(), 0.001)
        self._wakes_at = now() + int(seconds * 1_000_000)
        try:
            self._wake.get(timeout=seconds)
        except Empty:
            self._records.tidy()
        self._wakes_at = 0

    def _rest(self) -> float:
        """Seconds for which there is nothing to look for."""
        return self._timers.seconds(now(), LOOK_SECONDS)

    def close(self) -> None:
        """Stop what still runs."""
        self._executor.close()

    # -- the loop

    def _tell(self, message: Up) -> None:
        """Called from any thread. Words of a task wait for the next turn, and when they are too many, it for them; what
        is to be decided is decided now.
        """
        if isinstance(message, WORDS):
            if not self._hearing.said(message) or self._failure or not self._leading.acquire(timeout=CATCH_UP_SECONDS):
                return
            self._lead_once()
        else:
            self._inbox.append(message)
        while self._inbox and not self._failure and self._leading.acquire(blocking=False):  # also what came meanwhile
            self._lead_once()
        if not self._owned or self._timers.has_due(self._wakes_at):  # nothing left to do, or something sooner
            self._wake.put(None)

    def _lead_once(self) -> None:
        """Turn until nothing more has arrived, and let go of the lead."""
        try:
            self._turn()
            while self._inbox:
                self._turn()
        except BaseException as error:  # noqa: BLE001 # raised again by run(), in whichever thread it happened
            self._failure = error
            self._wake.put(None)
        finally:
            self._leading.release()

    def _turn(self) -> None:
        for work, effect in self._deciding.decide(self._drain()):
            self._act(work, effect)
        questions = self._hearing.questions
        while questions:  # after the commit: who asks sees what was told before
            self._answer(questions.popleft())
        for work in list(self._resting()):
            del self._owned[work.live.identity.id]
            self._let_go(work)

    def _act(self, work: Work, effect: Effect) -> None:
        if type(effect) is ReleaseSlot:  # one that waits for it may be owned here
            self._look_soon()
        self._acting.perform(work, effect)

    def _answer(self, question: Question) -> None:
        owner = self._owned.get(question.place.flow_execution_id)
        self._executor.send(self._answers.answer(question, owner.live if owner else None))

    def _in_trouble(self, work: Work, error: Exception) -> None:
        """An execution can't be decided, or has another owner: a run has no other one to go on with."""
        raise error

    # -- letting go

    def _resting(self) -> Iterable[Work]:
        """What has ended, or goes on only when somebody else does something."""
        return (work for work in self._owned.values() if work.live.state != "QUEUED" and self._rests(work))

    def _rests(self, work: Work) -> bool:
        live = work.live
        if live.is_over:
            return True
        if self._inbox or work.tickets or live.state == "CREATED":
            return False
        return not (self._acting.runs(work, self._owned) or self._timers.waited_for(live.identity.id))

    def _let_go(self, work: Work) -> None:
        live = work.live
        self._records.release(live.identity.id, live.fence)
        if self._records.unread([live.identity.id]):  # sent after the last look: whoever sent it saw an owner
            self._own_other(live.identity.organization_id, live.identity.id, work.follow)
        elif live.is_over and live.parent is not None and live.parent.wait and not self._only_ends:
            self._look_soon()
            self._own_other(live.identity.organization_id, live.parent.execution_id, work.follow)

    # -- what came in

    def _look_soon(self) -> None:
        """This engine's own commits don't show as changes: what it put into an inbox, it must look for."""
        self._fresh = True
        self._next_look = 0.0
        self._wake.put(None)

    def _drain(self) -> deque[Told]:
        told: deque[Told] = deque()
        moment = monotonic()
        if moment >= self._next_look:
            self._next_look = moment + LOOK_SECONDS
            self._look(told, moment)
        elif self._timers.has_due(now()):
            told.extend(self._acting.due(self._owned))
        self._hearing.hear([self._inbox.popleft() for _ in range(len(self._inbox))], told)
        return told

    def _look(self, told: deque[Told], moment: float) -> None:
        """Every 50 ms: has anybody written to an inbox of ours, and has a time come?"""
        if self._records.changed() or self._fresh:
            self._fresh = False
            self._read_inboxes(told)
            told.extend(first_of(line) for line in self._queued())
        told.extend(self._acting.due(self._owned))
        if moment >= self._next_beat:
            self._next_beat = moment + BEAT_SECONDS
            self._records.beat(self._id)

    def _read_inboxes(self, told: deque[Told]) -> None:
        for (_, execution_id, kind, payload), done in in_order(self._records.unread(list(self._owned))):
            work = self._owned[execution_id]
            try:
                message = message_of(kind, payload, execution_id)
            except Conflict as error:
                self._in_trouble(work, error)
            else:
                files = files_of(kind, payload)
                requests = requests_of(message, work.live.state)
                told.extend(self._acting.heard(Told(work, message, done=done, requests=requests, files=files)))

    def _queued(self) -> Iterable[deque[Work]]:
        """Those that are to look whether their flow has a free slot, in the order in which they get one."""
        lines: dict[ExecutionLine, list[Work]] = {}
        for work in self._owned.values():
            if work.live.state == "QUEUED":
                lines.setdefault(work.line, []).append(work)
        place = attrgetter("place")
        return sorted((deque(sorted(line, key=place)) for line in lines.values()), key=lambda line: place(line[0]))
