"""How an execution begins: at once, or when its flow's concurrency limit has room; what waits for that."""

from __future__ import annotations

from core.model.decisions import FreeSlot
from core.model.messages import ROOT, Started
from core.planner.draft import Draft
from core.planner.ends import end_execution
from core.planner.groups import advance


def start(draft: Draft, message: Started) -> None:
    if draft.state != "CREATED":
        draft.rule("already started")
    elif has_room(draft):
        draft.rule("start")
        begin_execution(draft)
    else:
        no_room(draft)


def begin_execution(draft: Draft) -> None:
    draft.set_state("RUNNING")
    advance(draft, ROOT)


def has_room(draft: Draft) -> bool:
    """Whether there may be room: that there is, is a guard."""
    flow = draft.facts.flow
    if flow.concurrency is not None and draft.facts.slot_free:
        draft.guards = (FreeSlot(flow.namespace, flow.id, flow.concurrency.limit),)
    return flow.concurrency is None or draft.facts.slot_free


def no_room(draft: Draft, through: str = "") -> None:
    """What the limit's behaviour says. through: the state by way of which it gets there."""
    concurrency = draft.facts.flow.concurrency
    behavior = concurrency.behavior if concurrency is not None else "QUEUE"
    draft.rule(f"no free slot: {behavior}")
    if behavior == "QUEUE":
        draft.set_state("QUEUED", through=through)
        return
    state = "CANCELLED" if behavior == "CANCEL" else "FAILED"
    draft.through = through
    end_execution(draft, state, f"Execution is {state} due to concurrency limit exceeded")
