"""How an execution begins: at once, or when its flow's concurrency limit has room."""

from __future__ import annotations

from core.model.decisions import FreeSlot
from core.model.messages import ROOT, SlotFree, Started
from core.planner.draft import Draft
from core.planner.ends import end_execution
from core.planner.groups import advance


def start(draft: Draft, message: Started) -> None:
    if draft.state != "CREATED":
        draft.rule("already started")
    elif _has_room(draft):
        draft.rule("start")
        begin_execution(draft)
    else:
        _no_room(draft)


def slot_free(draft: Draft, message: SlotFree) -> None:
    if draft.state != "QUEUED":
        draft.rule("not queued")
    elif _has_room(draft):
        draft.rule("a slot is free")
        begin_execution(draft)
    else:
        draft.rule("the slot is taken again")


def begin_execution(draft: Draft) -> None:
    draft.set_state("RUNNING")
    advance(draft, ROOT)


def _has_room(draft: Draft) -> bool:
    """Whether there may be room: that there is, is a guard."""
    flow = draft.facts.flow
    if flow.concurrency is not None and draft.facts.slot_free:
        draft.guards = (FreeSlot(flow.namespace, flow.id, flow.concurrency.limit),)
    return flow.concurrency is None or draft.facts.slot_free


def _no_room(draft: Draft) -> None:
    concurrency = draft.facts.flow.concurrency
    behavior = concurrency.behavior if concurrency is not None else "QUEUE"
    draft.rule(f"no free slot: {behavior}")
    if behavior == "QUEUE":
        draft.set_state("QUEUED")
    elif behavior == "CANCEL":
        end_execution(draft, "CANCELLED", "Execution is CANCELLED due to concurrency limit exceeded")
    else:
        end_execution(draft, "FAILED", "Execution is FAILED due to concurrency limit exceeded")
