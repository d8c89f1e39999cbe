"""Tasks that remember a few values from one execution to the next; they lie in the key-value store."""

from __future__ import annotations

import hashlib
from typing import Any

from core.sdk import NotFound, RunContext, RunnableTask, TaskOutput, prop

NAME = "Name of the state, where a flow has several."
NAMESPACE = "Whether all flows of the namespace share it; otherwise it is the flow's own."
VALUE = "Whether each value of the loop around the task has a state of its own."


class Set(
    RunnableTask,
    type="state.Set",
    aliases=("io.kestra.plugin.core.state.Set", "io.kestra.core.tasks.states.Set"),
):
    """Remember values; those of other names stay as they are."""

    name: str = prop(NAME, default="default")
    namespace: bool = prop(NAMESPACE, default=False)
    taskrun_value: bool = prop(VALUE, default=True)
    data: dict[str, Any] = prop("The values by name.", factory=dict, examples=({"cursor": "{{ outputs.last.id }}"},))

    class Output(TaskOutput):
        count: int = prop("How many values the state has now.")
        key: str = prop("The key of the key-value store it lies under.")

    def run(self, ctx: RunContext) -> Output:
        key = state_key(ctx, self.name, self.namespace, self.taskrun_value)
        state = {**(ctx.kv.get(key, ctx.namespace) or {}), **self.data}
        ctx.kv.set(key, state)
        return self.Output(count=len(state), key=key)


class Get(
    RunnableTask,
    type="state.Get",
    aliases=("io.kestra.plugin.core.state.Get", "io.kestra.core.tasks.states.Get"),
):
    """Read what an earlier execution remembered."""

    name: str = prop(NAME, default="default")
    namespace: bool = prop(NAMESPACE, default=False)
    taskrun_value: bool = prop(VALUE, default=True)
    error_on_missing: bool = prop("Whether the task fails when nothing was remembered.", default=False)

    class Output(TaskOutput):
        count: int = prop("How many values there are.")
        data: dict[str, Any] = prop("The values by name.")

    def run(self, ctx: RunContext) -> Output:
        key = state_key(ctx, self.name, self.namespace, self.taskrun_value)
        state = ctx.kv.get(key, ctx.namespace)
        if state is None and self.error_on_missing:
            raise _missing(self.name)
        return self.Output(count=len(state or {}), data=state or {})


class Delete(
    RunnableTask,
    type="state.Delete",
    aliases=("io.kestra.plugin.core.state.Delete", "io.kestra.core.tasks.states.Delete"),
):
    """Forget what was remembered."""

    name: str = prop(NAME, default="default")
    namespace: bool = prop(NAMESPACE, default=False)
    taskrun_value: bool = prop(VALUE, default=True)
    error_on_missing: bool = prop("Whether the task fails when nothing was remembered.", default=False)

    class Output(TaskOutput):
        deleted: bool = prop("Whether there was anything to forget.")

    def run(self, ctx: RunContext) -> Output:
        key = state_key(ctx, self.name, self.namespace, self.taskrun_value)
        there = ctx.kv.has(key, ctx.namespace)
        if not there and self.error_on_missing:
            raise _missing(self.name)
        if there:
            ctx.kv.delete(key)
        return self.Output(deleted=there)


def state_key(ctx: RunContext, name: str, shared: bool, by_value: bool) -> str:
    """The key a state lies under: `flow_states_name`, with a digest of the loop's value at the end."""
    flow = "" if shared else ctx.render("{{ flow.id }}") + "_"
    value = ctx.render("{{ taskrun.value ?? '' }}") if by_value else ""
    digest = "_" + hashlib.sha256(value.encode()).hexdigest()[:16] if value else ""
    return f"{flow}states_{name}{digest}"


def _missing(name: str) -> NotFound:
    return NotFound(f"nothing is remembered under the name `{name}`", hint="state.Set remembers values")
