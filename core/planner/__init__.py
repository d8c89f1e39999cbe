"""Pure: given what happened, what happens next."""

from core.planner.applied import apply
from core.planner.decide import decide
from core.planner.ends import OUTPUTS, PROMISES, is_over
from core.planner.facts import BREAK, FILE, ITEMS, ITERATION, KEPT, OUTPUTS_OF, VALUES, Facts, PastTask, TaskFacts
from core.planner.recover import pending
from core.planner.restart import NOTHING, Continuation, continuation, waits_to_restart

__all__ = [
    "BREAK", "FILE", "ITEMS", "ITERATION", "KEPT", "NOTHING", "OUTPUTS", "OUTPUTS_OF", "PROMISES", "VALUES",
    "Continuation", "Facts", "PastTask", "TaskFacts", "apply", "continuation", "decide", "is_over", "pending",
    "waits_to_restart",
]  # fmt: skip
