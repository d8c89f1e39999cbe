"""What is told becomes decisions, decisions become rows: one commit for all of a turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from core.engine.acting import Acting
from core.engine.children import Children
from core.engine.clock import monotonic, now
from core.engine.work import Told, Work, absent_keys, failed, first_of
from core.errors import Conflict, Unreachable
from core.host.records import RecordStore, Refused, RefusedKind, Unit
from core.host.seam import TaskResult
from core.model import nodes
from core.model.codec import encode
from core.model.decisions import Decision, Effect, Remember
from core.model.messages import (
    ROOT,
    Evaluated,
    EvaluationKey,
    RestartRequested,
    Started,
    TaskEnded,
    TaskKey,
    TasksEnded,
)  # fmt: skip
from core.planner import OUTPUTS, Facts, decide, waits_to_restart

LOGS_SECONDS = 0.1
KEY_EXISTS = "Cannot set value for key '{}'. Key already exists and `overwrite` is set to `false`."


class TakenOver(Conflict):
    """Another engine owns the execution now."""


class Deciding:
    """owned: what the engine works on, by id. trouble: told of an execution that can't be decided or written; raises,
    or leaves it aside (`Work.trouble` is set then) so that the others go on.
    """

    def __init__(
        self,
        records: RecordStore,
        children: Children,
        acting: Acting,
        owned: Mapping[str, Work],
        trouble: Callable[[Work, Exception], None],
    ) -> None:
        self._records = records
        self._children = children
        self._acting = acting
        self._owned = owned
        self._trouble = trouble

    def decide(self, told: deque[Told]) -> list[tuple[Work, Effect]]:
        """Decide all that was told and commit it; what is to be done now."""
        units: list[Unit] = []
        effects: list[tuple[Work, Effect]] = []
        while told:
            item = told.popleft()
            refused = self._decide_item(item, told, units, effects) if item.work.trouble is None else None
            if item.behind and refused != "slot":
                told.appendleft(first_of(item.behind))
        moment = monotonic()
        for work in self._owned.values():
            if work.logs and moment - work.oldest_log >= LOGS_SECONDS:
                units.append(self._unit(Told(work, Started()), Decision(), now()))
        if units:
            self._commit(units)
        return effects

    def _decide_item(
        self, item: Told, told: deque[Told], units: list[Unit], effects: list[tuple[Work, Effect]]
    ) -> RefusedKind | None:
        """With what goes with it of all that was told. The kind of the guard that did not hold."""
        others = _ended_too(item, told)
        try:
            if not others:
                return self._decide_one(item, units, effects)
            self._decide_ends([item, *others], units, effects)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 # an error of ours, or of a plugin's node, in one execution
            self._trouble(item.work, error)
        return None

    def _decide_one(
        self, item: Told, units: list[Unit], effects: list[tuple[Work, Effect]]
    ) -> RefusedKind | None:
        """Of which kind the guard was that did not hold, when the decision was made again for that."""
        refused = None
        work, live, at = item.work, item.work.live, now()
        restarts = isinstance(item.message, RestartRequested) or waits_to_restart(live.state, live.counters)
        rows = self._records.past(live.identity.id) if restarts else ()
        decision = self._decision(item, live.facts(at, rows=rows))
        if decision.guards:  # others can make them untrue: whether they hold is known only by the commit
            if units:
                self._commit(units)
                units.clear()
            said, measured = list(work.logs), list(work.metrics)
            unit = self._unit(item, decision, at)
            refused = self._write([unit])
            if refused is not None:
                work.logs, work.metrics = said, measured
                item = self._too_late(item, at) if refused.kind == "key" else item
                decision = self._decision(item, live.facts(at, slot_free=refused.kind != "slot", rows=rows))
                unit = self._unit(item, decision, at)
                units.append(unit)
        else:
            unit = self._unit(item, decision, at)
            units.append(unit)
        live.apply(decision, unit.tasks, at)
        effects.extend((work, effect) for effect in decision.effects)
        return refused.kind if refused is not None else None

    def _decide_ends(self, items: Sequence[Told], units: list[Unit], effects: list[tuple[Work, Effect]]) -> None:
        """Tasks of one execution that ended well, in one decision: it writes once what all of them touch."""
        work, at = items[0].work, now()
        live = work.live
        results = {item.result_key(live): item.result for item in items if item.result is not None}
        message = TasksEnded(tuple(results))
        decision = self._children.with_outputs(live, message, decide(live.facts(at), message))
        unit = self._unit(Told(work, message), decision, at, results)
        units.append(unit)
        live.apply(decision, unit.tasks, at)
        effects.extend((work, effect) for effect in decision.effects)

    def _decision(self, item: Told, facts: Facts) -> Decision:
        decision = self._children.with_outputs(item.work.live, item.message, decide(facts, item.message))
        absent = absent_keys(item)
        if absent:
            decision = Decision(decision.changes, decision.effects, (*decision.guards, *absent), decision.rules)
        return decision

    def _too_late(self, item: Told, at: int) -> Told:
        """The task has failed: meanwhile somebody else gave the key a value that it was not to overwrite."""
        organization = item.work.live.identity.organization_id
        key = next(
            (one.key for one in absent_keys(item) if self._records.kv(organization, one.namespace, one.key, at)), ""
        )
        return failed(item, KEY_EXISTS.format(key), at)

    def _unit(
        self, item: Told, decision: Decision, at: int, brought: Mapping[TaskKey, TaskResult] | None = None
    ) -> Unit:
        """brought: results of several tasks, if not that of the item."""
        work, message = item.work, item.message
        live = work.live
        named = live.named(decision)
        evaluated, outputs = {}, None
        if brought is None:
            brought = {} if item.result is None else {item.result_key(live): item.result}
        results = {key: result for key, result in brought.items() if key in named}  # others came too late
        if isinstance(message, Evaluated):
            evaluated[_recorded(message.key, decision)] = item.reads
            if message.key.task == ROOT and message.key.purpose == OUTPUTS and not message.error:
                outputs = encode(message.value)
        work.tell_failures(item, decision, named, at)
        logs, metrics = work.logs, work.metrics
        work.logs, work.metrics = [], []
        derived, kept = self._acting.derived(work, decision)
        return Unit(
            live.identity, live.fence, decision, at, named, results, evaluated, logs, metrics, outputs, item.done,
            derived, kept, item.requests, item.files,
        )  # fmt: skip

    # -- commit

    def _commit(self, units: Sequence[Unit]) -> None:
        refused = self._write(units)
        if refused is not None:
            error = Conflict(f"a decision for the execution {refused.execution_id} was refused", hint=refused.guard)
            self._trouble(self._owned[refused.execution_id], error)

    def _write(self, units: Sequence[Unit]) -> Refused | None:
        """Commit, and let what was committed be known; the refused unit that can be decided again."""
        lost = {refused.execution_id: refused for refused in self._committed(units)}
        again = None
        for unit in units:
            work = self._owned[unit.execution.id]
            if unit.execution.id not in lost and work.trouble is None:
                work.committed(unit)
                self._acting.sla.changed(work, unit)
        for execution_id, refused in lost.items():
            if refused.kind in ("slot", "key"):
                again = refused
                continue
            kind = TakenOver if refused.kind == "fence" else Conflict
            error = kind(f"another process has taken over the execution {execution_id}", hint=refused.guard)
            self._trouble(self._owned[execution_id], error)
        return again

    def _committed(self, units: Sequence[Unit]) -> tuple[Refused, ...]:
        """The refused ones. What can't be written at all is left aside alone, so that the others are written."""
        try:
            return self._records.commit(units)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 # rows that the store can't take, of one execution
            one_by_one = list(dict.fromkeys(unit.execution.id for unit in units))
            if len(one_by_one) == 1:
                self._trouble(self._owned[one_by_one[0]], error)
                return ()
        return tuple(
            refused
            for execution_id in one_by_one
            for refused in self._committed([unit for unit in units if unit.execution.id == execution_id])
        )


def _ended_too(item: Told, told: deque[Told]) -> list[Told]:
    """What was told right behind an end that is as plain as it: of the same execution, and done well."""
    others: list[Told] = []
    if told and _ended_plainly(item):
        while told and told[0].work is item.work and _ended_plainly(told[0]):
            others.append(told.popleft())
    return others


def _ended_plainly(item: Told) -> bool:
    """Whether work has succeeded and wants nothing of the execution besides."""
    message, live = item.message, item.work.live
    if type(message) is not TaskEnded or message.state != "SUCCESS" or message.error or message.exit:
        return False
    if item.result is None or item.result.requests or item.done:
        return False
    if live.state != "RUNNING" or live.counters.note:
        return False
    step = live.steps.get(message.key.task_id)  # of an execution that is only to end the flow is not known
    return step is not None and type(step.node) is nodes.Work


def _recorded(asked: EvaluationKey, decision: Decision) -> EvaluationKey:
    """Under which key an answer is recorded: its own, or another that the planner has chosen for what it says."""
    keys = [change.key for change in decision.changes if isinstance(change, Remember)]
    return asked if asked in keys or not keys else keys[0]
