"""Which execution a task means."""

from __future__ import annotations

from core.sdk import Invalid, NotFound, RunContext


def chosen_execution(ctx: RunContext, execution_id: str | None, namespace: str | None, flow_id: str | None) -> str:
    """The execution that is named, else the one the task runs in. Raises Invalid, NotFound."""
    if execution_id is None:
        if namespace is not None or flow_id is not None:
            raise Invalid("`namespace` and `flowId` say nothing without `executionId`", expected="executionId")
        return ctx.execution.id
    if (namespace is None) != (flow_id is None):
        raise Invalid("Both `namespace` and `flowId` must be set when one of them is", expected="both, or none")
    if namespace is not None:
        found = ctx.executions.state(execution_id)
        if found is None or (found.namespace, found.flow_id) != (namespace, flow_id):
            raise NotFound(f"there is no execution {execution_id} of the flow {namespace}.{flow_id}")
    return execution_id
