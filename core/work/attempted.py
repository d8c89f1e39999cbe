"""One job of a task from its start to its result, whatever kind it is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from core.host.seam import TaskJob, TaskResult
from core.work.attempt import Attempt
from core.work.context import AttemptContext
from core.work.line import Line
from core.work.timers import Watch
from core.work.tools import Tools

if TYPE_CHECKING:
    from core.work.group import GroupAttempt


def attempted(
    job: TaskJob, tools: Tools, context: AttemptContext, line: Line, grace: float, watch: Watch
) -> TaskResult:
    """Do a job: a task's own work, that of a group's members, or only to end what is left of it. Never raises.

    grace: seconds that a member has to stop. watch: stops the attempt when its time is over.
    """
    attempt = Attempt(job, tools, context, gives_back=True)
    if job.members is not None:  # few flows have a group, and fewer a dead engine: a start does not wait for these
        group: type[GroupAttempt] = import_module("core.work.group").GroupAttempt
        attempt = group(job, tools, context, line, grace, watch)
    if job.ends:
        result: TaskResult = import_module("core.work.left").end_left(job, tools, attempt, watch)
        return result
    return attempt.run_in_time(watch)
