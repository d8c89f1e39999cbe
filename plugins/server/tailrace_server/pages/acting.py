"""What the head of an execution's pages does: replay, restart, kill, pause, resume, run now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler

from core.host.services import Services
from core.host.views import ExecutionView, OutputFilter, TaskExecutionView
from core.sdk import Conflict, Invalid, Step, TailraceError, Wait
from tailrace_server.access import Caller
from tailrace_server.asked import Asked, Parameter
from tailrace_server.doing import change, derive
from tailrace_server.errors import failure_of
from tailrace_server.options import Options
from tailrace_server.pages.execution import Head, head
from tailrace_server.pages.filling import Filled, drawn, read
from tailrace_server.pages.overview import named
from tailrace_server.pages.paged import Go, Shown, action, page
from tailrace_server.pages.parts import Form
from tailrace_server.people import href

PATH = "/executions/{id:str}"
WAITING = 50
"""Tasks that wait for a person, of which one is chosen."""
OF_TASK = (
    Parameter("task_name", "The task that goes on."),
    Parameter("value", "Of the loops around it, joined by `/`."),
)
FROM = (
    Parameter("from_task", "The task to begin with."),
    Parameter("value", "Of the loops around it, joined by `/`."),
)


def _acting(name: str, does: str, act: Callable[[Services, str], None]) -> HTTPRouteHandler:
    """A button that changes the execution and shows its page again. does: as the audit calls it."""

    def do(id: str, services: Services, caller: Caller) -> Go:
        change(services, caller, does, id, lambda execution_id: act(services, execution_id))
        return Go(f"/executions/{id}")

    do.__name__ = f"execution_{does}"
    return action(f"{PATH}/{name}")(do)


kill = _acting("kill", "cancel", lambda services, id: services.executions.kill(id))
pause = _acting("pause", "pause", lambda services, id: services.executions.pause(id))
restart = _acting("restart", "restart", lambda services, id: services.executions.restart(id))
force_run = _acting("force-run", "force_run", lambda services, id: services.executions.force_run(id))


@action(f"{PATH}/stale")
def run_stale(id: str, services: Services, caller: Caller) -> Go:
    """A new execution of only what is stale."""
    view = derive(services, caller, "execute", id, lambda of: services.executions.replay(of, stale=True))
    return Go(f"/executions/{view.id}")


@page(f"{PATH}/replay", asks=FROM, role="editor")
def replay_form(id: str, services: Services, asked: Asked) -> Shown:
    """Where a replay begins, and with which revision."""
    return _replay_shown(services, head(services, id), asked["from_task"], asked["value"])


@action(f"{PATH}/replay")
def replay(id: str, services: Services, caller: Caller, form: Form) -> Shown | Go:
    """A new execution, whole or from a task on."""
    task, value = _text(form, "from_task"), _text(form, "value")
    latest = form.get("latest_revision") == "true"

    def replayed(of: str) -> ExecutionView:
        return services.executions.replay(of, from_task=task, value=value, latest_revision=latest)

    try:
        return Go(f"/executions/{derive(services, caller, 'replay', id, replayed).id}")
    except (Conflict, Invalid) as error:
        return _replay_shown(services, head(services, id), task, value, latest, error)


def _replay_shown(
    services: Services, top: Head, task: str | None, value: str | None, latest: bool = False,
    error: TailraceError | None = None,
) -> Shown:  # fmt: skip
    newest = services.flows.get(top.view.namespace, top.view.flow_id).revision
    facts = {
        "head": top, "here": "", "tasks": services.executions.outline(top.id)[:1000], "from_task": task, "value": value,
        "latest": latest, "newest": newest, "problem": _told(error) if error else "",
    }  # fmt: skip
    return Shown("execution_replay.html", facts, failure_of(error).status if error else 200)


def _told(error: TailraceError) -> str:
    return f"{error.what}; expected: {error.expected}" if error.expected else error.what


@page(f"{PATH}/resume", asks=OF_TASK, role="editor")
def resume_form(id: str, services: Services, asked: Asked, request: Request[Any, Any, Any]) -> Shown:
    """What a waiting task asks for; a choice where several wait."""
    return _resume_shown(services, head(services, id), asked["task_name"], asked["value"], _most(request))


@action(f"{PATH}/resume", files=True)
def resume(id: str, services: Services, caller: Caller, form: Form, request: Request[Any, Any, Any]) -> Shown | Go:
    """Let it go on; or the form again, with what was typed and what is wrong."""
    top, task, value = head(services, id), _text(form, "task_name"), _text(form, "value")
    most = _most(request)
    step = _steps(services, top).get(task or "")
    filled = Filled()
    if step is not None:
        types = {one.id: one.type for one in services.executions.form(_flow(services, top), task=step.id)}
        filled = read(form, types, look="look" in form)
    if form.get("look"):
        return _resume_shown(services, top, task, value, most, filled, unasked=form.get("look") != "all")

    def go_on(execution_id: str) -> None:
        services.executions.resume(
            execution_id, filled.inputs or None, task_name=task, value=value, by=caller.actor, files=filled.files
        )

    try:
        change(services, caller, "resume", id, go_on)
    except TailraceError as error:
        failure = failure_of(error)
        if failure.explained:
            raise
        return _resume_shown(services, top, task, value, most, filled, failure.message, status=failure.status)
    return Go(top.url)


def _resume_shown(
    services: Services, top: Head, task: str | None, value: str | None, most: int, filled: Filled | None = None,
    problem: str = "", *, unasked: bool = False, status: int = 0,
) -> Shown:  # fmt: skip
    waiting = waiting_of(services, top)
    chosen = [one for one in waiting if one.task_name == task and "/".join(one.path) == (value or "/".join(one.path))]
    one = chosen[0] if chosen else waiting[0] if len(waiting) == 1 and task is None else None
    fields = []
    if one is not None:
        asked = services.executions.form(_flow(services, top), filled.given if filled else None, task=one.task_name)
        fields = drawn(asked, filled or Filled(), unasked=unasked or filled is None)
    wrong = problem or any(field.problem and field.asked.shown for field in fields)
    facts = {
        "head": top, "here": "", "waiting": [(named(each), _address(top, each)) for each in waiting], "one": one,
        "name": named(one) if one else "", "fields": fields, "problem": problem,
        "value": "/".join(one.path) if one else "", "most": most,
    }  # fmt: skip
    return Shown("execution_resume.html", facts, status or (422 if wrong and filled and not unasked else 200))


def waiting_of(services: Services, top: Head) -> list[TaskExecutionView]:
    """The tasks that wait for a person, the oldest first."""
    steps = _steps(services, top)
    which = OutputFilter(flow_execution_id=(top.id,), state=("PAUSED",), limit=WAITING)
    found = services.outputs.list(which).data[::-1]
    return [one for one in found if one.task_name in steps and isinstance(steps[one.task_name].node, Wait)]


def _address(top: Head, view: TaskExecutionView) -> str:
    return href(f"{top.url}/resume", task_name=view.task_name, value="/".join(view.path) or None)


def _flow(services: Services, top: Head) -> Any:
    return services.flows.parsed(top.view.namespace, top.view.flow_id, top.view.flow_revision)


def _steps(services: Services, top: Head) -> dict[str, Step]:
    return {step.id: step for step in _flow(services, top).steps()}


def _most(request: Request[Any, Any, Any]) -> int:
    """Bytes of files that a form may hold."""
    options: Options = request.app.state.options
    return options.max_upload


def _text(form: Form, name: str) -> str | None:
    given = form.get(name)
    return given if isinstance(given, str) and given else None


PAGES = (kill, pause, restart, force_run, run_stale, replay_form, replay, resume_form, resume)
