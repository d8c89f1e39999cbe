"""Pure: given what happened, what happens next."""

from core.planner.decide import decide
from core.planner.facts import Facts, TaskFacts

__all__ = ["Facts", "TaskFacts", "decide"]
