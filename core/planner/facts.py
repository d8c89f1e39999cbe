"""What the planner knows of one execution when it decides: data, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.model.data import data
from core.model.decisions import Counters
from core.model.flow import Flow
from core.model.messages import TaskKey
from core.model.nodes import Step


class TaskFacts(NamedTuple):
    """A task execution that has not ended. running: its attempt is with an executor."""

    parent: TaskKey
    state: str
    counters: Counters | None = None
    running: bool = False


@data
class Facts:
    """One execution: its flow, where its root stands, and the task executions that have not ended.

    steps: every task of the flow by its id.
    """

    flow: Flow
    steps: Mapping[str, Step]
    state: str
    counters: Counters
    tasks: Mapping[TaskKey, TaskFacts]
