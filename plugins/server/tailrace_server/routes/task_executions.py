"""`/task-executions`: how tasks ran, with attempts, timing and logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from litestar import Request, Response

from core.host.services import Services
from core.host.views import LogView, TaskExecutionView
from core.sdk import LEVELS
from tailrace_server.access import Caller
from tailrace_server.answers import json_answer, page_object
from tailrace_server.asked import PAGE, Asked, Parameter
from tailrace_server.described import Gives, Header, route
from tailrace_server.follow import SSE, Followed, Sent, follow, last_event_id
from tailrace_server.ids import known_id
from tailrace_server.outputs import FILTERS, ORDER, filter_of
from tailrace_server.schemas.executions import (
    LogPage,
    TaskExecution,
    TaskExecutionPage,
    log_object,
    task_object,
)  # fmt: skip

EXECUTION, TASK = "flow execution", "task execution"
CHUNK = 1000
RESUME = Header("Last-Event-ID", "With `follow`: the `id` of the last line that was seen.", example="12")
LOGS = (
    Parameter("level", "This level and those above it.", choices=LEVELS, default="TRACE"),
    Parameter("after", "The `seq` of the last line that was seen.", "whole", most=2**53, default=0),
    Parameter("limit", "How many lines an answer has at most.", "whole", least=1, most=10_000, default=1000),
    Parameter("follow", "Send the lines as server-sent events, as they come, until the execution has ended.", "flag",
              default=False),
)  # fmt: skip
OF_TASK = Parameter("task_name", "Only the lines of this task.")
LINES = Gives(
    LogPage, "Log lines, oldest first; with `follow` an event for each, and `end` behind the last one.", media=(SSE,)
)


@route(
    "GET", "/task-executions", Gives(TaskExecutionPage, "A page of them."),
    asks=(*FILTERS, ORDER, *PAGE), refuses=(404,),
)  # fmt: skip
def list_task_executions(
    request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked
) -> Response[Any]:
    """Task executions across flow executions, newest first: the records of `/task-outputs`, seen as what ran."""
    page = services.outputs.list(filter_of(asked, limit=asked["limit"], brief=False))
    shown = [task_object(view, caller.organization) for view in page.data]
    return json_answer(page_object(request, page, shown))


@route("GET", "/task-executions/{id:str}", Gives(TaskExecution, "The task execution."), refuses=(404,))
def get_task_execution(id: str, services: Services, caller: Caller) -> Response[Any]:
    """One task execution: its states, its attempts and how long they took."""
    view = services.outputs.get(known_id(id, TASK))
    return json_answer(task_object(view, caller.organization))


@route("GET", "/task-executions/{id:str}/logs", LINES, asks=LOGS, headers=(RESUME,), refuses=(404,))
def get_task_execution_logs(
    id: str, request: Request[Any, Any, Any], services: Services, asked: Asked
) -> Response[Any]:
    """What one task execution logged, in all of its attempts."""
    return _logs(request, services, asked, _LinesOfTask(services, services.outputs.get(known_id(id, TASK)), asked))


@route(
    "GET", "/flow-executions/{id:str}/logs", LINES, asks=(OF_TASK, *LOGS), headers=(RESUME,), refuses=(404,)
)  # fmt: skip
def get_flow_execution_logs(
    id: str, request: Request[Any, Any, Any], services: Services, asked: Asked
) -> Response[Any]:
    """What a flow execution and its tasks logged."""
    execution_id = services.executions.get(known_id(id, EXECUTION)).id
    return _logs(request, services, asked, _Lines(services, execution_id, asked["task_name"], asked["level"]))


class _Lines:
    """The log lines of an execution, or of one of its tasks."""

    def __init__(self, services: Services, execution_id: str, task_name: str | None, level: str) -> None:
        self._services = services
        self._execution_id = execution_id
        self._task_name = task_name
        self._level = level

    def after(self, seq: int, limit: int) -> tuple[LogView, ...]:
        """At most `limit` lines after one of them, and one more if there is."""
        found: list[LogView] = []
        for line in self._all_after(seq):
            found.append(line)
            if len(found) > limit:
                break
        return tuple(found)

    def _all_after(self, seq: int) -> Iterator[LogView]:
        while True:
            lines = self._services.executions.logs(
                self._execution_id, task_name=self._task_name, level=self._level, after=seq
            )
            yield from filter(self._belongs, lines)
            if not lines:
                return
            seq = lines[-1].seq

    def _belongs(self, line: LogView) -> bool:
        return True

    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._services.executions.get(self._execution_id).ended_at is not None


class _LinesOfTask(_Lines):
    """Those of one task execution: a task has many below a loop."""

    def __init__(self, services: Services, view: TaskExecutionView, asked: Asked) -> None:
        super().__init__(services, view.flow_execution_id, view.task_name, asked["level"])
        self._task = view

    def _belongs(self, line: LogView) -> bool:
        """Lines of files (`logToFile`) do not say whose they are: they are shown where there is no other."""
        return line.task_execution_id == self._task.id or (line.task_execution_id is None and not self._task.path)


def _logs(request: Request[Any, Any, Any], services: Services, asked: Asked, lines: _Lines) -> Response[Any]:
    if asked["follow"]:

        def look(after: int) -> list[Sent]:
            return [Sent(line.seq, "log", log_object(line)) for line in lines.after(after, CHUNK)[:CHUNK]]

        after = last_event_id(request.headers, asked["after"])
        return follow(request, Followed(look, lines.over), after)
    found = lines.after(asked["after"], asked["limit"])
    more = len(found) > asked["limit"]
    shown = found[: asked["limit"]]
    return json_answer({
        "data": [log_object(line) for line in shown], "has_more": more, "next": shown[-1].seq if more else None,
    })  # fmt: skip


ROUTES = (list_task_executions, get_task_execution, get_task_execution_logs, get_flow_execution_logs)
