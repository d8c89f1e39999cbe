"""The first door: what an author of tasks, runners and storage backends learns. Stable."""

from core.errors import (
    Conflict,
    Forbidden,
    Interrupted,
    Invalid,
    NotFound,
    TailraceError,
    TaskFailed,
    TooLarge,
    Unreachable,
)
from core.model.durations import format_duration, parse_duration
from core.model.nodes import (
    Call,
    Choice,
    Dag,
    Each,
    Group,
    IterationOutput,
    Node,
    Parallel,
    Policy,
    Repeat,
    Sequence,
    Step,
    Wait,
    Work,
)
from core.model.truth import truthy
from core.sdk.context import LEVELS, Level, Log, RunContext, TaskStorage, copy_stream
from core.sdk.hooks import API_VERSION, StorageRef, TypeRef, hookimpl
from core.sdk.properties import Described, Prop, prop, properties, to_plain
from core.sdk.runners import Command, CommandResult, TaskRunner
from core.sdk.storage import StorageBackend, StoredFile, checked_path, is_storage_uri, storage_path, storage_uri
from core.sdk.tasks import FlowTask, RunnableTask, Task, TaskOutput
from core.sdk.wishes import Requirement, RunnerChoice, WaitRequest
from core.sdk.world import (
    ExecutionCount,
    Executions,
    ExecutionState,
    KeyEntry,
    KeyValues,
    NamespaceFileStore,
    OwnExecution,
    Weight,
)

__all__ = [
    "API_VERSION", "LEVELS",
    "Call", "Choice", "Command", "CommandResult", "Conflict", "Dag", "Described", "Each", "ExecutionCount",
    "ExecutionState", "Executions", "FlowTask", "Forbidden", "Group", "Interrupted", "Invalid", "IterationOutput",
    "KeyEntry", "KeyValues", "Level", "Log", "NamespaceFileStore", "Node", "NotFound", "OwnExecution", "Parallel",
    "Policy", "Prop", "Repeat", "Requirement", "RunContext", "RunnableTask", "RunnerChoice", "Sequence", "Step",
    "StorageBackend", "StorageRef", "StoredFile", "TailraceError", "Task", "TaskFailed", "TaskOutput", "TaskRunner",
    "TaskStorage", "TooLarge", "TypeRef", "Unreachable", "Wait", "WaitRequest", "Weight", "Work",
    "checked_path", "copy_stream", "format_duration", "hookimpl", "is_storage_uri", "parse_duration", "prop",
    "properties", "storage_path", "storage_uri", "to_plain", "truthy",
]  # fmt: skip
