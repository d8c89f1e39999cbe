"""`/flows`: stored flows, their revisions, and what the checker says of them."""

from __future__ import annotations

from typing import Any

from litestar import Response

from core.host.services import Services
from tailrace_server.access import Caller
from tailrace_server.answers import json_answer
from tailrace_server.asked import Asked, Parameter
from tailrace_server.described import Gives, route
from tailrace_server.schemas.flows import (
    FlowChecked,
    FlowList,
    FlowRevision,
    FlowSource,
    flow_object,
    problem_object,
)  # fmt: skip
from tailrace_server.storing import store_flow

ONE = "/flows/{namespace:str}/{flow_id:str}"
REVISION = Parameter("revision", "Of the flow, the newest when it is not given.", "whole", least=1)
NAMESPACE = Parameter("namespace", "Only the flows of this namespace.")


@route("GET", "/flows", Gives(FlowList, "The newest revision of each, by namespace and id."), asks=(NAMESPACE,))
def list_flows(services: Services, caller: Caller, asked: Asked) -> Response[Any]:
    """The flows that are stored."""
    found = services.flows.list(asked["namespace"])
    return json_answer({"data": [flow_object(view, caller.organization) for view in found]})


@route("GET", ONE, Gives(FlowRevision, "The flow, with what the checker says of it."), asks=(REVISION,), refuses=(404,))
def get_flow(namespace: str, flow_id: str, services: Services, caller: Caller, asked: Asked) -> Response[Any]:
    """A flow with its source, the newest revision of it or another one."""
    view = services.flows.get(namespace, flow_id, asked["revision"])
    _, problems = services.flows.check(view.source)
    shown = flow_object(view, caller.organization, source=True)
    return json_answer({**shown, "problems": [problem_object(one) for one in problems]})


@route("GET", ONE + "/revisions", Gives(FlowList, "The newest first, with their sources."), refuses=(404,))
def list_revisions(namespace: str, flow_id: str, services: Services, caller: Caller) -> Response[Any]:
    """Every revision of a flow."""
    found = services.flows.revisions(namespace, flow_id)
    return json_answer({"data": [flow_object(view, caller.organization, source=True) for view in found]})


@route(
    "PUT", ONE,
    Gives(FlowRevision, "It is stored; the same text makes no new revision."),
    role="editor", takes=FlowSource,
)  # fmt: skip
def put_flow(
    namespace: str, flow_id: str, services: Services, caller: Caller, given: FlowSource
) -> Response[Any]:
    """Store a flow as a new revision; one with errors is refused with all of them."""
    view, problems = store_flow(services, caller, given.source, (namespace, flow_id))
    shown = flow_object(view, caller.organization, source=True)
    return json_answer({**shown, "problems": [problem_object(one) for one in problems]})


@route("POST", "/flows/check", Gives(FlowChecked, "What the checker says."), takes=FlowSource)
def check_flow(services: Services, given: FlowSource) -> Response[Any]:
    """What is wrong with a flow; nothing is stored or run."""
    flow, problems = services.flows.check(given.source)
    return json_answer({"valid": flow is not None, "problems": [problem_object(one) for one in problems]})


ROUTES = (list_flows, get_flow, list_revisions, put_flow, check_flow)
