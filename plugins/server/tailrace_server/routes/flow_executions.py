"""`/flow-executions`: listed, looked at, started, and asked to go on or to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, get_args

from litestar import Request, Response

from core.host.services import Services
from core.host.views import ExecutionFilter, ExecutionView, OutputFilter
from core.sdk import Invalid
from tailrace_server.access import Caller
from tailrace_server.answers import json_answer, nothing, page_object
from tailrace_server.asked import PAGE, Asked, Parameter
from tailrace_server.described import Gives, route
from tailrace_server.doing import WHAT, change, derive, start
from tailrace_server.ids import known_id
from tailrace_server.outputs import FIELDS, rows
from tailrace_server.schemas.common import State, Status
from tailrace_server.schemas.executions import (
    FlowExecution,
    FlowExecutionPage,
    NewFlowExecution,
    Reasons,
    ReplayGiven,
    ResumeGiven,
    execution_object,
)  # fmt: skip

MOST_TASKS = 1000
"""Task outputs inside of one flow execution; `/task-outputs` goes through more of them."""
LOOK_SECONDS = (0.02, 0.5)
"""Between two looks at what is waited for: at first, and when it takes long."""
RESTS = ("PAUSED", "QUEUED")
"""Where an execution waits for somebody else: nobody waits for that over HTTP."""

FILTERS = (
    Parameter("flow_id", "The flow's id.", many=True, example="getting_started"),
    Parameter("namespace", "The flow's namespace; `company.*` means that one and all below it.", many=True, times=128),
    Parameter("status", "The computed status.", many=True, choices=get_args(Status)),
    Parameter("state", "The state.", many=True, choices=get_args(State)),
    Parameter("label", "A label as `key` or `key:value`.", many=True, example="team:sales", times=128),
    Parameter("created_after", "Created then or later, ISO 8601.", "time"),
    Parameter("created_before", "Created earlier, ISO 8601.", "time"),
)
INCLUDE = (
    Parameter("include", "What else is to be shown.", many=True, choices=("task_outputs",)),
    Parameter("task_name", "Only task outputs of these tasks.", many=True),
    Parameter("status", "Only task outputs of this status.", many=True, choices=get_args(Status)),
)
WAIT = Parameter("wait", "Seconds to hold the answer, until it has ended or waits.", "whole", most=60, default=0)
STALE = Parameter("only_stale", "Run only what is stale, and what follows from it.", "flag", default=False)


@route("GET", "/flow-executions", Gives(FlowExecutionPage, "A page of them."), asks=(*FILTERS, *PAGE), refuses=(404,))
def list_flow_executions(
    request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked
) -> Response[Any]:
    """Flow executions, newest first."""
    which = ExecutionFilter(**asked.of(*(one.name for one in (*FILTERS, *PAGE))))
    page = services.executions.list(which)
    rows = [execution_object(view, caller.organization) for view in page.data]
    return json_answer(page_object(request, page, rows))


@route("GET", "/flow-executions/{id:str}", Gives(FlowExecution, "The flow execution."), asks=INCLUDE, refuses=(404,))
def get_flow_execution(
    id: str, request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked
) -> Response[Any]:
    """One flow execution, with its task outputs where that is asked for.

    At most 1000 of them; `/task-outputs?flow_execution_id=…` goes through more.
    """
    view = services.executions.get(known_id(id, WHAT))
    shown = execution_object(view, caller.organization)
    if "task_outputs" in asked["include"]:
        which = OutputFilter(
            flow_execution_id=(view.id,), task_name=asked["task_name"], status=asked["status"], limit=MOST_TASKS
        )
        views = services.outputs.list(which).data[::-1]
        room = request.app.state.options.max_result
        shown["task_outputs"] = list(rows(services, views, caller.organization, FIELDS, room))
    elif asked["task_name"] or asked["status"]:
        raise Invalid("`task_name` and `status` choose among task outputs", expected="include=task_outputs beside them")
    return json_answer(shown)


@route(
    "GET", "/flow-executions/{id:str}/why", Gives(Reasons, "What it waits for, or why it ended so."), refuses=(404,)
)  # fmt: skip
def explain_flow_execution(id: str, services: Services) -> Response[Any]:
    """Why an execution stands where it stands, in words for people."""
    found = services.executions.why(known_id(id, WHAT))
    return json_answer({"data": [{"text": one.text, "command": one.command} for one in found]})


@route(
    "POST", "/flow-executions", Gives(FlowExecution, "It was created, and runs.", status=201),
    role="editor", asks=(WAIT,), takes=NewFlowExecution, refuses=(404, 409, 503),
)  # fmt: skip
async def start_flow_execution(
    request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked, given: NewFlowExecution
) -> Response[Any]:
    """Run a stored flow.

    The answer comes at once, or when the execution has ended or waits for a person, `wait` seconds later at most:
    look at its `state`.
    """
    place = (given.namespace, given.flow_id, given.revision)
    view, warnings = await asyncio.to_thread(start, services, caller, place, given.inputs, given.labels)
    return await _created(request, services, caller, view.id, asked["wait"], warnings=list(warnings))


@route(
    "POST", "/flow-executions/{id:str}/cancel", Gives(FlowExecution, "It ends."), role="editor", refuses=(404, 409)
)  # fmt: skip
def cancel_flow_execution(id: str, services: Services, caller: Caller) -> Response[Any]:
    """Kill an execution, with those that it called and waits for."""
    return _changed(services, caller, "cancel", id, services.executions.kill)


@route(
    "POST", "/flow-executions/{id:str}/pause", Gives(FlowExecution, "What runs comes to its end."),
    role="editor", refuses=(404, 409),
)  # fmt: skip
def pause_flow_execution(id: str, services: Services, caller: Caller) -> Response[Any]:
    """Begin nothing new in an execution that runs, until it is resumed."""
    return _changed(services, caller, "pause", id, services.executions.pause)


@route(
    "POST", "/flow-executions/{id:str}/resume", Gives(FlowExecution, "It goes on."),
    role="editor", takes=ResumeGiven, refuses=(404, 409),
)  # fmt: skip
def resume_flow_execution(id: str, services: Services, caller: Caller, given: ResumeGiven) -> Response[Any]:
    """Let an execution go on that is paused or waits for a person."""

    def resume(execution_id: str) -> None:
        services.executions.resume(
            execution_id, given.inputs or None, task_name=given.task_name, value=given.value, by=caller.actor
        )

    return _changed(services, caller, "resume", id, resume)


@route(
    "POST", "/flow-executions/{id:str}/restart", Gives(FlowExecution, "It goes on."), role="editor", refuses=(404, 409)
)  # fmt: skip
def restart_flow_execution(id: str, services: Services, caller: Caller) -> Response[Any]:
    """Let an execution that failed go on in itself: what failed runs again, what succeeded is kept."""
    return _changed(services, caller, "restart", id, services.executions.restart)


@route(
    "POST", "/flow-executions/{id:str}/replay", Gives(FlowExecution, "The new execution.", status=201),
    role="editor", asks=(WAIT,), takes=ReplayGiven, refuses=(404, 409),
)  # fmt: skip
async def replay_flow_execution(
    id: str, request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked, given: ReplayGiven
) -> Response[Any]:
    """Run an ended execution again as a new one, whole or from one of its tasks on."""

    def replayed(execution_id: str) -> ExecutionView:
        return services.executions.replay(
            execution_id, from_task=given.from_task, value=given.value, latest_revision=given.latest_revision
        )

    view = await asyncio.to_thread(derive, services, caller, "replay", id, replayed)
    return await _created(request, services, caller, view.id, asked["wait"])


@route(
    "POST", "/flow-executions/{id:str}/execute", Gives(FlowExecution, "The new execution.", status=201),
    role="editor", asks=(STALE, WAIT), refuses=(404, 409),
)  # fmt: skip
async def execute_flow_execution(
    id: str, request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked
) -> Response[Any]:
    """Run an ended execution again as a new one, or only what is stale of it.

    With `only_stale=true` the other outputs are taken over, so that only what depends on a corrected output runs.
    """

    def executed(execution_id: str) -> ExecutionView:
        return services.executions.replay(execution_id, stale=asked["only_stale"])

    view = await asyncio.to_thread(derive, services, caller, "execute", id, executed)
    return await _created(request, services, caller, view.id, asked["wait"])


@route(
    "DELETE", "/flow-executions/{id:str}", Gives(None, "It is hidden, with its outputs.", status=204),
    role="editor", refuses=(404, 409),
)  # fmt: skip
def delete_flow_execution(id: str, services: Services, caller: Caller) -> Response[Any]:
    """Hide an execution that has ended; `restore` brings it back."""
    services.changes.delete_execution(known_id(id, WHAT), by=caller.actor)
    return nothing()


@route(
    "POST", "/flow-executions/{id:str}/restore", Gives(FlowExecution, "It is back."), role="editor", refuses=(404,)
)  # fmt: skip
def restore_flow_execution(id: str, services: Services, caller: Caller) -> Response[Any]:
    """Bring an execution back that was deleted."""
    view = services.changes.restore_execution(known_id(id, WHAT), by=caller.actor)
    return json_answer(execution_object(view, caller.organization))


def _changed(
    services: Services, caller: Caller, action: str, id: str, act: Callable[[str], None]
) -> Response[Any]:
    return json_answer(execution_object(change(services, caller, action, id, act), caller.organization))


async def _created(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    execution_id: str,
    seconds: int,
    *,
    warnings: list[str] | None = None,
) -> Response[Any]:
    """The new execution, once it rests, the time is over, or the server stops."""
    until, closing = monotonic() + seconds, request.app.state.closing
    pause, longest = LOOK_SECONDS
    while True:
        view = await asyncio.to_thread(services.executions.get, execution_id)
        if view.ended_at is not None or view.state in RESTS or monotonic() >= until or closing.is_set():
            break
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, longest)
    shown = execution_object(view, caller.organization)
    if warnings is not None:
        shown["warnings"] = warnings
    return json_answer(shown, status=201, headers={"Location": f"/api/v1/flow-executions/{view.id}"})


ROUTES = (
    list_flow_executions, get_flow_execution, explain_flow_execution, start_flow_execution, cancel_flow_execution,
    pause_flow_execution, resume_flow_execution, restart_flow_execution, replay_flow_execution, execute_flow_execution,
    delete_flow_execution, restore_flow_execution,
)  # fmt: skip
