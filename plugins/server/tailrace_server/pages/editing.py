"""`/flows/new` and `/flows/NAMESPACE/FLOW/edit`: a flow's source as a field, with what the checker says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from core.host.services import Services
from core.host.views import FlowView
from core.sdk import Conflict, NotFound, TailraceError
from tailrace_server.access import Caller
from tailrace_server.asked import Asked, Parameter
from tailrace_server.drawing.graph import graph_svg
from tailrace_server.errors import failure_of
from tailrace_server.pages.paged import Go, Shown, action, page
from tailrace_server.pages.parts import Form
from tailrace_server.people import plural
from tailrace_server.storing import Place, store_flow

NEW = "/flows/new"
EDIT = "/flows/{namespace:str}/{flow_id:str}/edit"
REVISION = Parameter("revision", "The one to begin with; the newest one unless given.", "whole", least=1)
SHOWN = 100
"""Problems: nobody reads more of them at once."""
BEGINNING = """\
id: my_flow
namespace: company.team
description: What it is good for

inputs:
  - id: name
    type: STRING
    defaults: World

tasks:
  - id: hello
    type: debug.Return
    format: "Hello {{ inputs.name }}"

outputs:
  - id: greeting
    type: STRING
    value: "{{ outputs.hello.value }}"
"""


@frozen
class Draft:
    """What is being written. place: of the flow, None of one that is new. base: the revision it was made from, 0 for
    none. problem: why it was not stored."""

    source: str
    place: Place | None = None
    base: int = 0
    problem: str = ""


@page(NEW, role="editor")
def new_flow(services: Services) -> Shown:
    """The beginning of a flow."""
    return _shown(services, Draft(BEGINNING))


@page(EDIT, asks=(REVISION,), role="editor")
def edit_flow(namespace: str, flow_id: str, services: Services, asked: Asked) -> Shown:
    """A revision, to be made another one. What is stored is based on the newest, whichever the text is of."""
    newest = services.flows.get(namespace, flow_id)
    view = services.flows.get(namespace, flow_id, asked["revision"]) if asked["revision"] else newest
    return _shown(services, Draft(view.source, (namespace, flow_id), newest.revision))


@action(NEW)
def save_new_flow(services: Services, caller: Caller, form: Form) -> Shown | Go:
    """Store it, or only say what is wrong with it."""
    return _saved(services, caller, form, None)


@action(EDIT)
def save_flow(namespace: str, flow_id: str, services: Services, caller: Caller, form: Form) -> Shown | Go:
    """Store another revision, or only say what is wrong with it."""
    return _saved(services, caller, form, (namespace, flow_id))


def _saved(services: Services, caller: Caller, form: Form, place: Place | None) -> Shown | Go:
    base = str(form.get("base", ""))
    number = int(base) if base.isascii() and base.isdigit() and len(base) < 10 else 0
    draft = Draft(str(form.get("source", "")).replace("\r\n", "\n"), place, number)
    if form.get("act") == "check":
        return _shown(services, draft)
    try:
        _check_base(services, draft)
        view, _ = store_flow(services, caller, draft.source, place)
    except TailraceError as error:
        failure = failure_of(error)
        if failure.explained:
            raise
        newest = _newest(services, draft) if isinstance(error, Conflict) else None
        again = Draft(draft.source, place, newest.revision if newest else number, failure.message)
        return _shown(services, again, failure.status)
    return Go(f"/flows/{view.namespace}/{view.flow_id}")


def _check_base(services: Services, draft: Draft) -> None:
    """That nobody stored another revision meanwhile. Raises Conflict."""
    newest = _newest(services, draft)
    if newest is not None and newest.revision != draft.base and newest.source != draft.source:
        what = f"{newest.namespace}.{newest.flow_id} has a revision {newest.revision} by now"
        raise Conflict(f"{what}: look at it, then save once more to store yours after it")


def _newest(services: Services, draft: Draft) -> FlowView | None:
    """The newest revision of the flow that the text is of."""
    place = draft.place
    if place is None:
        flow, _ = services.flows.check(draft.source)
        if flow is None:
            return None
        place = (flow.namespace, flow.id)
    try:
        return services.flows.get(*place)
    except NotFound:
        return None


def _shown(services: Services, draft: Draft, status: int = 200) -> Shown:
    flow, problems = services.flows.check(draft.source)
    facts = {
        "draft": draft, "checked": _words(problems), "problems": problems[:SHOWN], "flow": flow,
        "graph": graph_svg(flow) if flow else "",
    }  # fmt: skip
    return Shown("flow_edit.html", facts, status)


def _words(problems: Sequence[Any]) -> str:
    """`2 errors, 1 warning`; what only explains is not counted."""
    kinds = [one.severity for one in problems]
    told = [plural(kinds.count(kind), kind) for kind in ("error", "warning") if kind in kinds]
    return ", ".join(told) or "Nothing is wrong"


PAGES = (new_flow, edit_flow, save_new_flow, save_flow)
