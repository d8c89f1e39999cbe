"""Tasks about the execution they run in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from core.sdk import Described, Forbidden, Invalid, RunContext, RunnableTask, TailraceError, TaskFailed, prop, truthy

SYSTEM = "system."


class Label(Described):
    """One label."""

    key: str = prop("Its name.")
    value: str = prop("Its value.")


class Labels(
    RunnableTask,
    type="execution.Labels",
    aliases=("io.kestra.plugin.core.execution.Labels", "io.kestra.core.tasks.executions.Labels"),
):
    """Add labels to the execution, or replace those of the same key."""

    updates_execution: ClassVar[bool] = True

    labels: dict[str, str] | list[Label] = prop(
        "A map, a list of `{key, value}`, or the JSON text of a map.", examples=({"team": "{{ inputs.team }}"},)
    )

    def run(self, ctx: RunContext) -> None:
        given = self.labels if isinstance(self.labels, dict) else {label.key: label.value for label in self.labels}
        for key, value in given.items():
            if key.startswith(SYSTEM):
                raise Forbidden(
                    f"System labels can only be set by the system itself, offending label: {key}={value}",
                    expected=f"a key that does not begin with `{SYSTEM}`",
                )
        ctx.execution.set_labels(given)


class SetVariables(
    RunnableTask, type="execution.SetVariables", aliases=("io.kestra.plugin.core.execution.SetVariables",)
):
    """Set variables of the execution, which the tasks that follow read as `vars`.

    Maps are merged into maps that are there.
    """

    updates_execution: ClassVar[bool] = True

    variables: dict[str, Any] = prop("The values by name.", examples=({"day": "{{ execution.startDate }}"},))
    overwrite: bool = prop("Whether variables that are there get new values; otherwise the task fails.", default=True)

    def run(self, ctx: RunContext) -> None:
        there = [name for name in self.variables if name in ctx.execution.variables]
        if there and not self.overwrite:
            raise Invalid(
                f"`overwrite` is set to false and the following variables already exist: {','.join(there)}"
            )
        ctx.execution.set_variables(self.variables)


class UnsetVariables(
    RunnableTask, type="execution.UnsetVariables", aliases=("io.kestra.plugin.core.execution.UnsetVariables",)
):
    """Take variables of the execution away."""

    updates_execution: ClassVar[bool] = True

    variables: list[str] = prop("Their names; `a.b` is `b` inside the map `a`.", examples=(["day"],))
    ignore_missing: bool = prop("Whether it is fine when one of them is not there.", default=False)

    def run(self, ctx: RunContext) -> None:
        missing = [name for name in self.variables if not is_set(ctx.execution.variables, name)]
        if missing and not self.ignore_missing:
            raise Invalid(
                f"the following variables don't exist: {','.join(missing)}", hint="ignoreMissing: true lets them be"
            )
        ctx.execution.unset_variables(self.variables)


class Exit(RunnableTask, type="execution.Exit", aliases=("io.kestra.plugin.core.execution.Exit",)):
    """End the whole execution."""

    updates_execution: ClassVar[bool] = True

    state: Literal["SUCCESS", "WARNING", "KILLED", "FAILED", "CANCELED", "CANCELLED"] = prop(
        "The state it ends in.", default="SUCCESS"
    )

    def run(self, ctx: RunContext) -> None:
        ctx.execution.exit("CANCELLED" if self.state == "CANCELED" else self.state)


class Assert(RunnableTask, type="execution.Assert", aliases=("io.kestra.plugin.core.execution.Assert",)):
    """Fail unless every condition holds."""

    conditions: list[str] = prop("The conditions.", render=False, examples=(["{{ outputs.load.rows > 0 }}"],))
    error_message: str | None = prop("Added to the reason of the failure.", default=None)

    def run(self, ctx: RunContext) -> None:
        failed = sum(not self._holds(ctx, condition) for condition in self.conditions)
        ctx.metric("failed", failed)
        ctx.metric("success", len(self.conditions) - failed)
        if failed:
            told = f"\n{self.error_message}" if self.error_message else ""
            raise TaskFailed(f"{failed} assertion(s) failed!{told}")

    def _holds(self, ctx: RunContext, condition: str) -> bool:
        try:
            if truthy(ctx.render(condition)):
                return True
        except TailraceError as error:
            ctx.log.error(f"Assertion `{condition}` can't be rendered: {error}")
            return False
        ctx.log.error(f"Assertion failed: {condition}")
        return False


def is_set(variables: Mapping[str, Any], path: str) -> bool:
    """Whether there is a variable of that name or dotted path."""
    name, dot, rest = path.partition(".")
    if name not in variables:
        return False
    inner = variables[name]
    return not dot or (isinstance(inner, Mapping) and is_set(inner, rest))
