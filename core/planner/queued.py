"""What waits for a slot of its flow's concurrency limit, and begins: a new execution, or one that is restarted."""

from __future__ import annotations

from core.model.messages import ROOT, ForceRunRequested, ResumeRequested, SlotFree
from core.planner.draft import Draft
from core.planner.restart import begin_restart, waits_to_restart
from core.planner.starts import begin_execution, has_room
from core.planner.waits import lift, resume


def slot_free(draft: Draft, message: SlotFree) -> None:
    if draft.state != "QUEUED":
        draft.rule("not queued")
    elif has_room(draft):
        draft.rule("a slot is free")
        _begin(draft)
    else:
        draft.rule("the slot is taken again")


def force_run(draft: Draft, message: ForceRunRequested) -> None:
    """Run now: past the concurrency limit, out of a pause."""
    if draft.state in ("CREATED", "QUEUED"):
        draft.rule("forced to run")
        _begin(draft)
    elif draft.state == "PAUSED":
        draft.rule("forced to run")
        if draft.held:
            lift(draft)
        else:
            resume(draft, ResumeRequested())
    else:
        draft.rule("nothing holds it back")


def _begin(draft: Draft) -> None:
    if waits_to_restart(draft.state, draft.counters(ROOT)):
        begin_restart(draft)
    else:
        begin_execution(draft)
