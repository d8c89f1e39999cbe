"""The second door: for those who extend the engine itself (servers, record stores, executors).

A record store implements `RecordStore`; over a database of SQL it begins with `core.records.SqlRecords`. An executor
implements `Executor`. A front end asks `Services`, one organization at a time; a command of a plugin gets a whole
installation (`core.host.deployment`). What their data are made of stands in the modules of the door.

`Services` is imported when it is first asked for: it is what front ends type against, and a run needs nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.host.executor import Executor
from core.host.records import RecordStore
from core.host.requests import (
    DeleteKv,
    DeleteNamespaceFile,
    Exit,
    ForgetFiles,
    KeepResult,
    LogSpan,
    PurgeExecutions,
    PurgeLogs,
    PutNamespaceFile,
    Request,
    Resume,
    SetKv,
    SetLabels,
    SetVariables,
    SwitchTrigger,
    UnsetVariables,
)  # fmt: skip
from core.host.seam import (
    Answer,
    Down,
    EvaluationJob,
    EvaluationResult,
    LogLine,
    Metric,
    OutputReference,
    Place,
    Progress,
    Question,
    Read,
    Stop,
    TaskJob,
    TaskResult,
    Up,
)  # fmt: skip
from core.host.views import Happening

if TYPE_CHECKING:
    from core.host.services import Services

__all__ = [
    "Answer", "DeleteKv", "DeleteNamespaceFile", "Down", "EvaluationJob", "EvaluationResult", "Executor", "Exit",
    "ForgetFiles", "Happening", "KeepResult", "LogLine", "LogSpan", "Metric", "OutputReference", "Place", "Progress",
    "PurgeExecutions", "PurgeLogs", "PutNamespaceFile", "Question", "Read", "RecordStore", "Request", "Resume",
    "Services", "SetKv", "SetLabels", "SetVariables", "Stop", "SwitchTrigger", "TaskJob", "TaskResult",
    "UnsetVariables", "Up",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "Services":
        from core.host.services import Services  # noqa: PLC0415

        return Services
    raise AttributeError(f"module `{__name__}` has no `{name}`")
