"""What a request, of the API or of a page, does to executions: done, the engine woken, and the audit told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.host.services import Services
from core.host.views import ExecutionView
from tailrace_server.access import Caller
from tailrace_server.ids import known_id

WHAT = "flow execution"


def start(
    services: Services,
    caller: Caller,
    place: tuple[str, str, int | None],
    inputs: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    files: Mapping[str, Path] | None = None,
) -> tuple[ExecutionView, tuple[str, ...]]:
    """Run a stored flow: the new execution, and warnings. place: namespace, id and revision (None: the newest).
    files: local paths for FILE inputs, by input. Raises NotFound, InvalidInput, Unreachable."""
    stored = services.flows.get(*place)
    flow = services.flows.parsed(stored.namespace, stored.flow_id, stored.revision)
    notes = services.executions.preflight(flow)
    view, warnings = services.executions.create(flow, inputs, labels=labels, files=files)
    told(services, caller, "start", view.id)
    return view, (*notes, *warnings)


def change(services: Services, caller: Caller, action: str, id: str, act: Callable[[str], None]) -> ExecutionView:
    """Do something to an execution; the audit tells its state before and after. Raises NotFound, Conflict, …"""
    execution_id = known_id(id, WHAT)
    state = services.executions.get(execution_id).state
    act(execution_id)
    told(services, caller, action, execution_id, {"state": state})
    return services.executions.get(execution_id)


def derive(
    services: Services, caller: Caller, action: str, id: str, act: Callable[[str], ExecutionView]
) -> ExecutionView:
    """Make an execution from an ended one, and run it. Raises NotFound, Conflict, …"""
    view = act(known_id(id, WHAT))
    told(services, caller, action, view.id, {"original_id": id})
    return view


def told(
    services: Services, caller: Caller, action: str, execution_id: str, before: Mapping[str, Any] | None = None
) -> None:
    """Wake the engine, and write down who asked."""
    services.executions.submit(execution_id)
    view = services.executions.get(execution_id)
    after = {"flow": f"{view.namespace}.{view.flow_id}", "flow_revision": view.flow_revision, "state": view.state}
    services.changes.note(caller.actor, f"flow_execution.{action}", execution_id, before, after)
