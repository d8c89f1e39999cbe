"""Service level agreements of flows (`sla`): how long an execution may take, what is true of it after each change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from weakref import WeakKeyDictionary

from core.engine.clock import now
from core.engine.needs import needs_of
from core.engine.timers import Timers
from core.engine.work import Told, Work
from core.host.records import Unit
from core.host.requests import SetLabels
from core.host.seam import EvaluationJob, EvaluationResult
from core.model.codec import decode
from core.model.decisions import EndTask, MoveExecution, MoveTask, OpenTask
from core.model.durations import format_duration
from core.model.flow import Sla
from core.model.messages import ROOT, EndRequested, Evaluated, EvaluationKey, Started, TaskKey
from core.model.state import ENDED
from core.model.truth import truthy

ASSERTION = "sla"
"""Purpose of the evaluations; their `round` is the number of the agreement."""
_ENDS = {"FAIL": "FAILED", "CANCEL": "CANCELLED"}


class Look:
    """One look at all assertions of an execution. asked: the planner's question, which waits for it; or None."""

    def __init__(self, asked: EvaluationKey | None) -> None:
        self.asked = asked
        self.left = 0
        self.broken: list[int] = []


class Watched:
    """One execution of a flow that has some. again: something changed during a look."""

    def __init__(self) -> None:
        self.look: Look | None = None
        self.again = False
        self.asked: EvaluationKey | None = None
        self.spent: set[int] = set()
        self.ignored: set[int] = set()


class SlaWatch:
    """evaluate: send a job, made for a ticket, whose answer comes back to `answered` under the key."""

    def __init__(self, evaluate: Callable[[Work, EvaluationKey, Callable[[int], EvaluationJob]], None]) -> None:
        self._evaluate = evaluate
        self._timers = Timers()
        self._watched: WeakKeyDictionary[Work, Watched] = WeakKeyDictionary()

    # -- time

    def began(self, work: Work) -> None:
        """Watch an execution from when it is owned: its time counts since it was created, or last restarted."""
        live = work.live
        since = max(live.view.created_at, live.view.due_at or 0)
        before = ""
        for state, at in live.view.history:
            since = at if before in ENDED else since
            before = state
        if before in ENDED:  # it is about to be restarted
            since = now()
        for number, sla in enumerate(live.flow.sla):
            if sla.max_duration is not None:
                self._timers.set(since + sla.max_duration, live.identity.id, TaskKey(str(number)))

    def due(self, owned: Mapping[str, Work]) -> Iterator[Told]:
        """What follows for those whose time is over."""
        for timer in self._timers.due(now()):
            work = owned.get(timer.execution_id)
            if work is not None and work.live.state not in ENDED:
                sla = work.live.flow.sla[int(timer.key.task_id)]
                most = format_duration(timedelta(microseconds=sla.max_duration or 0))
                yield from _broken(work, sla, f"execution duration exceeds the maximum duration of {most}")

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Forget the times of other executions, now and then."""
        self._timers.keep(wanted)

    # -- assertions

    def changed(self, work: Work, unit: Unit) -> None:
        """Something was committed: look at the assertions again when a state has changed."""
        changes = unit.decision.changes
        if _asserted(work) and any(
            isinstance(one, (EndTask, OpenTask)) or (isinstance(one, (MoveTask, MoveExecution)) and one.entered)
            for one in changes
        ):  # fmt: skip
            self._watch(work).again = True
            self._next(work)

    def ask(self, work: Work, key: EvaluationKey) -> None:
        """The planner waits with the end of an execution for one last look."""
        self._watch(work).asked = key
        self._next(work)

    def _watch(self, work: Work) -> Watched:
        return self._watched.setdefault(work, Watched())

    def _next(self, work: Work) -> None:
        """Begin the next look that is wanted, one at a time."""
        watched = self._watch(work)
        if watched.look is not None or not (watched.again or watched.asked):
            return
        live = work.live
        if live.state in ENDED:
            return
        look = watched.look = Look(watched.asked)
        watched.again, watched.asked = False, None
        for number, sla in enumerate(live.flow.sla):
            if sla.assertion is not None:
                look.left += 1
                self._evaluate(work, EvaluationKey(ROOT, ASSERTION, number), _job(work, sla.assertion))

    def answered(self, work: Work, number: int, result: EvaluationResult) -> Iterator[Told]:
        """One assertion was rendered; one that can't be is left aside (the reference)."""
        watched = self._watch(work)
        look = watched.look
        if look is None:
            return
        look.left -= 1
        if result.error:
            self._ignored(work, watched, number, result.error)
        elif number not in watched.spent and not truthy(_text(result)):
            look.broken.append(number)
        if look.left:
            return
        watched.look = None
        ends = False
        for broken in sorted(look.broken):
            sla = work.live.flow.sla[broken]
            watched.spent.add(broken)
            if not ends:  # only the first that ends it acts
                yield from _broken(work, sla, f"assertion is false: {sla.assertion}")
                ends = sla.behavior in _ENDS
        if look.asked is not None and not ends:
            yield Told(work, Evaluated(look.asked, True))
        self._next(work)

    def _ignored(self, work: Work, watched: Watched, number: int, error: str) -> None:
        if number in watched.ignored:
            return
        watched.ignored.add(number)
        name, why = work.live.flow.sla[number].id, error.splitlines()[0]
        work.say("WARN", f"the SLA `{name}` is not looked at while its assertion can't be rendered: {why}", now())


def _asserted(work: Work) -> bool:
    sla = work.live.flow.sla
    return bool(sla) and any(one.assertion is not None for one in sla)


def _job(work: Work, assertion: str) -> Callable[[int], EvaluationJob]:
    live = work.live

    def made(ticket: int) -> EvaluationJob:
        return EvaluationJob(ticket, live.place(ROOT), assertion, live.variables.of(ROOT, needs_of(assertion)))

    return made


def _text(result: EvaluationResult) -> str | None:
    value = None if result.value is None else decode(result.value)
    return None if value is None else str(value)


def _broken(work: Work, sla: Sla, why: str) -> Iterator[Told]:
    """Labels in any case; FAIL and CANCEL end the execution, and what runs of it."""
    requests = (SetLabels(sla.labels),) if sla.labels else ()
    state = _ENDS.get(sla.behavior)
    if state is None:
        yield Told(work, Started(), requests=requests)
        return
    error = f"Execution {'failed' if state == 'FAILED' else 'cancelled'} due to SLA '{sla.id}' violated: {why}."
    work.say("ERROR", error, now())
    yield Told(work, EndRequested(state, error, stop=True), requests=requests)
