"""The second door: for those who extend the engine itself (servers, record stores, executors)."""

from core.host.executor import Executor
from core.host.records import RecordStore
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
    SetKv,
    Stop,
    TaskJob,
    TaskResult,
    Up,
)  # fmt: skip
from core.host.services import Services
from core.host.views import Happening

__all__ = [
    "Answer", "Down", "EvaluationJob", "EvaluationResult", "Executor", "Happening", "LogLine", "Metric",
    "OutputReference", "Place", "Progress", "Question", "Read", "RecordStore", "Services", "SetKv", "Stop",
    "TaskJob", "TaskResult", "Up",
]  # fmt: skip
