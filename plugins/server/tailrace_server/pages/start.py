"""`/flows/NAMESPACE/FLOW/start`: a form made of the flow's inputs, that runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from litestar import Request

from core.host.services import Services
from core.host.views import FlowView
from core.sdk import Invalid, TailraceError
from tailrace_server.access import Caller
from tailrace_server.asked import Asked, Parameter
from tailrace_server.doing import start
from tailrace_server.errors import failure_of
from tailrace_server.pages.filling import Filled, drawn, read, refill
from tailrace_server.pages.paged import Go, Shown, action, page
from tailrace_server.pages.parts import Form

PATH = "/flows/{namespace:str}/{flow_id:str}/start"
ASKS = (
    Parameter("revision", "Of the flow; the newest one unless given.", "whole", least=1),
    Parameter("like", "The id of an execution whose inputs the form begins with.", "id"),
)
LOOK = "look"
"""The field that says: nothing is to run yet, the form is to be shown again. `all`: what is missing is told too."""


@frozen
class Begun:
    """What is shown of a form beside its inputs. labels: as they were typed. revision: that was asked for."""

    labels: str = ""
    labels_problem: str = ""
    revision: int | None = None
    message: str = ""


@page(PATH, asks=ASKS, role="editor")
def start_form(
    namespace: str, flow_id: str, request: Request[Any, Any, Any], services: Services, asked: Asked
) -> Shown:
    """The form as it begins, or with what another execution was given."""
    flow = services.flows.get(namespace, flow_id, asked["revision"])
    begun = Begun(revision=asked["revision"])
    if asked["like"] is None:
        return _shown(request, services, flow, None, begun)
    like = services.executions.get(asked["like"])
    filled = refill(like.inputs, services.executions.form(services.flows.parsed(namespace, flow_id, flow.revision)))
    labels = {key: value for key, value in like.labels.items() if not key.startswith("system.")}
    text = "".join(f"{key}: {value}\n" for key, value in labels.items())
    return _shown(request, services, flow, filled, Begun(text, revision=asked["revision"]), unasked=True)


@action(PATH, files=True)
def start_flow(
    namespace: str, flow_id: str, request: Request[Any, Any, Any], services: Services, caller: Caller, form: Form
) -> Shown | Go:
    """Run it; or the form again, with what was typed and what is wrong."""
    revision = _revision(form)
    flow = services.flows.get(namespace, flow_id, revision)
    parsed = services.flows.parsed(namespace, flow_id, flow.revision)
    look = str(form.get(LOOK, ""))
    filled = read(form, {one.id: one.type for one in parsed.inputs}, look=bool(look))
    typed = str(form.get("labels", "")).replace("\r\n", "\n")
    labels, wrong = labels_of(typed)
    begun = Begun(typed, wrong, revision)
    unasked = look not in ("", "all")
    again = _shown(request, services, flow, filled, begun, unasked=unasked)
    if look or again.status != 200:
        return again
    try:
        place = (namespace, flow_id, revision)
        view, warnings = start(services, caller, place, filled.inputs, labels, files=filled.files)
    except TailraceError as error:
        failure = failure_of(error)
        if failure.explained:
            app: Any = request.app
            app.edge.explain(error, request.scope["state"]["request_id"])
        told = Begun(typed, wrong, revision, failure.message)
        return _shown(request, services, flow, filled, told, status=failure.status)
    return Go(f"/executions/{view.id}", said=warnings)


def labels_of(text: str) -> tuple[dict[str, str], str]:
    """Labels, one `key: value` a line, and what is wrong with them."""
    labels: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(r"([^\s:=]+)\s*[:=]\s*(\S.*)", line)
        if match is None:
            return {}, f"`{line[:80]}` is no label: it takes `key: value`, one a line"
        labels[match[1]] = match[2]
    return labels, ""


def _revision(form: Form) -> int | None:
    given = str(form.get("revision", ""))
    if given and not re.fullmatch(r"[1-9][0-9]{0,8}", given):
        raise Invalid(f"`{given[:20]}` is no revision", expected="a whole number")
    return int(given) if given else None


def _shown(
    request: Request[Any, Any, Any], services: Services, flow: FlowView, filled: Filled | None, begun: Begun, *,
    unasked: bool = False, status: int = 0,
) -> Shown:  # fmt: skip
    """The form. filled: None for one that is new. status: where it is not for the fields to say."""
    parsed = services.flows.parsed(flow.namespace, flow.flow_id, flow.revision)
    fields = services.executions.form(parsed, filled.given if filled else None)
    shown = drawn(fields, filled or Filled(), unasked=unasked or filled is None)
    wrong = begun.labels_problem or any(one.problem and one.asked.shown for one in shown)
    facts: Mapping[str, Any] = {
        "flow": flow, "about": parsed, "fields": shown, "begun": begun, "most": request.app.state.options.max_upload,
        "hidden": [one for one in shown if one.problem and not one.asked.shown],
    }  # fmt: skip
    return Shown("start.html", facts, status or (422 if wrong and filled and not unasked else 200))


PAGES = (start_form, start_flow)
