"""An engine that goes on until it is told to leave: it claims what may be claimed, of all organizations."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from core.engine.answers import Answers
from core.engine.children import FlowsOf
from core.engine.clock import monotonic, now
from core.engine.deciding import TakenOver
from core.engine.engine import Engine
from core.engine.work import Follow, Told, Work, first_of
from core.errors import Conflict, NotFound, TailraceError, Unreachable
from core.host.executor import Executor
from core.host.records import RecordStore
from core.host.seam import Answer, Question, Stop, Up
from core.model.decisions import Effect, Evaluate
from core.model.flow import Flow
from core.model.messages import EndRequested, EvaluationKey, KillRequested
from core.model.nodes import Call, Sequence
from core.planner.calls import REQUEST

CLAIM_SECONDS = 0.25
"""How often everything is looked at, when nothing is said to have changed: engines die in silence, times come, and
another loop of this process may have been told of the change."""
CLAIM_AGAIN_SECONDS = 0.005
"""How soon, when there is more to claim."""
CLAIM_AT_ONCE = 20
"""The most that is claimed in one turn: what runs waits for its end."""
SOON_MICROS = 1_000_000
"""An execution that goes on so soon is not let go."""
LEFT = "another engine works on the execution"


class EndlessEngine(Engine):
    """Works on at most `limit` executions at once, besides those that only wait for a free slot of their flow.

    What rests has no owner: any engine claims it when its time has come or a message is there. (Not while a child of it
    is worked on here: its end would only bring it back.) An execution that can't
    be decided is ended FAILED, and the others go on; when that can't be done either, it is let go and named in
    `given_up` (id → why). `failure` of the loop itself, such as records out of reach, ends the engine: `run` raises it.
    """

    def __init__(
        self,
        engine_id: str,
        records: RecordStore,
        answers: Answers,
        flows_of: FlowsOf,
        make_executor: Callable[[Callable[[Up], None]], Executor],
        *,
        limit: int,
    ) -> None:
        super().__init__(engine_id, records, answers, flows_of, make_executor)
        self._limit = limit
        self._leaving = False
        self._submitted: deque[tuple[str, str]] = deque()
        self._unread: set[str] = set()
        self._begun: dict[str, frozenset[int]] = {}
        self._troubled: list[Work] = []
        self._looked = False
        self._full = False
        self._next_claim = 0.0
        self._released: set[str] = set()
        self.given_up: dict[str, str] = {}

    # -- from outside

    def submit(self, organization: str, execution_id: str) -> None:
        """Claim an execution as soon as there is room. Safe in any thread."""
        self._submitted.append((organization, execution_id))
        self._look_soon()

    def leave(self) -> None:
        """Let `run` return. What is owned stays as it is, for whoever takes it over. Safe in any thread."""
        self._leaving = True
        self._wake.put(None)

    def working_on(self) -> int:
        """How many executions it owns."""
        return len(self._owned)

    # -- the loop

    def _is_done(self) -> bool:
        return self._leaving or self._failure is not None

    def _waits(self) -> bool:
        return True

    def _rest(self) -> float:
        return min(super()._rest(), self._next_look - monotonic())

    def _turn(self) -> None:
        if self._leaving:  # nothing is committed once somebody else may own it
            self._inbox.clear()
            return
        super()._turn()
        self._release_later()
        while self._troubled:
            self._end_in_trouble(self._troubled.pop())

    def _look(self, told: deque[Told], moment: float) -> None:
        changed = self._records.changed() or self._fresh or moment >= self._next_claim
        self._looked = True
        self._unread.clear()
        if changed:
            self._fresh = False
            self._read_inboxes(told)
            told.extend(first_of(line) for line in self._queued())
        told.extend(self._acting.due(self._owned))
        if changed or self._submitted:
            self._next_claim = moment + CLAIM_SECONDS
            self._claim(moment)

    def _act(self, work: Work, effect: Effect) -> None:
        if work.trouble is not None:
            return
        try:
            super()._act(work, effect)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 # an error of ours in one execution must not end the others
            self._in_trouble(work, error)

    def _answer(self, question: Question) -> None:
        try:
            super()._answer(question)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 # the same: who asked is told
            self._executor.send(Answer(question.question_id, error=f"{type(error).__name__}: {error}"))

    # -- claiming

    def _claim(self, moment: float) -> None:
        """Own what was submitted and what may be claimed, as far as there is room."""
        busy = sum(not (work.live.state == "QUEUED" or self._is_idle(work)) for work in self._owned.values())
        room = min(max(self._limit - busy, 0), CLAIM_AT_ONCE)
        asked = [self._submitted.popleft() for _ in range(min(len(self._submitted), room))]
        if room > len(asked):
            asked += self._records.claimable(self._id, now(), room + len(self.given_up))
        for organization, execution_id in dict.fromkeys(asked):
            if execution_id not in self._owned and execution_id not in self.given_up:
                self._take(organization, execution_id)
        self._full = len(asked) >= room
        if self._full and room:
            self._next_look = self._next_claim = moment + CLAIM_AGAIN_SECONDS

    def _take(self, organization: str, execution_id: str) -> None:
        """Own an execution, unless another engine was quicker; one whose flow can't be had any more is ended."""
        view = self._records.execution(organization, execution_id)
        if view is None:
            return
        try:
            flow = self._flows_of(organization).flow_of(view)
        except Unreachable:
            raise
        except TailraceError as error:
            self._end_failed(execution_id, f"the flow can't be run any more: {error}")
            return
        self._unread.add(execution_id)
        self._begun.clear()
        try:
            self.own(execution_id, flow, None)
        except (Conflict, NotFound, Unreachable) as error:
            if isinstance(error, Unreachable):
                raise
        except Exception as error:  # noqa: BLE001 # its rows don't fit its flow
            if execution_id in self._owned:
                self._in_trouble(self._owned[execution_id], error)
            else:
                self._end_failed(execution_id, _undecidable(error))

    def _again(self, work: Work, effect: Effect) -> None:
        """Children that exist are found like everything else: none is made again to find it."""
        if not (isinstance(effect, Evaluate) and self._has_child(work, effect.key)):
            super()._again(work, effect)

    def _has_child(self, work: Work, asked: EvaluationKey) -> bool:
        step = work.live.steps.get(asked.task.task_id)
        if step is None or not isinstance(step.node, Call) or not step.node.wait or asked.purpose != REQUEST:
            return False
        task = work.live.identities[asked.task].id
        if task not in self._begun:
            self._begun[task] = frozenset(row.index for row in self._records.children_of(task))
        return asked.round in self._begun[task]

    def _own_other(self, organization: str, execution_id: str, follow: Follow) -> bool:
        if execution_id in self._owned:
            self._look_soon()
        else:
            self.submit(organization, execution_id)
        return True

    # -- letting go

    def _resting(self) -> Iterator[Work]:
        """After a look all that rest; at any time those that have ended."""
        looked, self._looked = self._looked, False
        callers = {work.live.parent.execution_id for work in self._owned.values() if looked and work.live.parent}
        for name, work in self._owned.items():
            if work.live.state == "QUEUED" or name in self._unread or work.trouble is not None:
                continue
            if work.live.is_over or (looked and name not in callers and self._rests(work)):
                yield work

    def _rests(self, work: Work) -> bool:
        """Its place in a line, and the time that it may take, are known to its owner alone: then it is kept."""
        live = work.live
        return live.state != "QUEUED" and not any(one.max_duration for one in live.flow.sla) and self._is_idle(work)

    def _is_idle(self, work: Work) -> bool:
        """Whether nothing of it runs here: it waits for a person, a child or a time that is not near."""
        live = work.live
        if work.tickets or live.state == "CREATED":
            return False
        if any(isinstance(one, Told) and one.work is work for one in tuple(self._inbox)):
            return False
        soon = now() + SOON_MICROS
        held = live.counters.note == "held"
        for key, task in live.tasks.items():
            if task.state == "CREATED" or (task.running and not isinstance(live.steps[key.task_id].node, Call)):
                return False
            if task.due_at and task.due_at <= soon and not held:
                return False
        return True

    def _let_go(self, work: Work) -> None:
        live = work.live
        self._records.release(live.identity.id, live.fence)
        self._timers.keep(lambda name: name in self._owned or name in self._acting.later)
        self._acting.sla.keep(lambda name: name in self._owned)
        if self._full:
            self._next_claim, self._next_look = 0.0, min(self._next_look, monotonic() + CLAIM_AGAIN_SECONDS)
        if live.is_over and live.parent is not None and live.parent.wait:
            self._own_other(live.identity.organization_id, live.parent.execution_id, None)

    def _release_later(self) -> None:
        """What is to begin later has no owner until then: whoever is there claims it."""
        later = self._acting.later
        if later or self._released:
            for execution_id in later.keys() - self._released:
                self._records.release(execution_id, 0)
            self._released = set(later)

    # -- trouble

    def _in_trouble(self, work: Work, error: Exception) -> None:
        if work.trouble is None:
            work.trouble = error
            self._troubled.append(work)

    def _end_in_trouble(self, work: Work) -> None:
        """Drop what another engine owns; end FAILED what can't be decided."""
        execution_id, error = work.live.identity.id, work.trouble
        if self._owned.pop(execution_id, None) is None:
            return
        for attempt_id in work.live.attempts:
            self._executor.send(Stop(attempt_id, LEFT))
        if isinstance(error, TakenOver):
            return
        self._end_failed(execution_id, _undecidable(error))

    def _end_failed(self, execution_id: str, why: str) -> None:
        """End an execution without its flow; what was asked of it is answered by that. Else let it go, and name it."""
        if execution_id in self.given_up:
            return
        try:
            self.own(execution_id, Flow("", "", Sequence(())), None, go_on=False)
        except (Conflict, NotFound):
            return
        work = self._owned[execution_id]
        done = tuple(row[0] for row in self._records.unread([execution_id]))
        work.say("ERROR", why, now())
        self._deciding.decide(deque([Told(work, EndRequested("FAILED", why, stop=True), done=done)]))
        if not work.live.is_over and work.trouble is None:  # it had ended, and something runs after the end
            self._deciding.decide(deque([Told(work, KillRequested())]))
        if not work.live.is_over or work.trouble is not None:
            self.given_up[execution_id] = why
        if self._owned.pop(execution_id, None) is not None:
            self._let_go(work)


def _undecidable(error: Exception | None) -> str:
    why = str(error) if isinstance(error, TailraceError) else f"{type(error).__name__}: {error}"
    return f"the engine can't decide what becomes of it: {why}"
