"""A task whose own description is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sdk import Invalid, RunContext, RunnableTask, prop

ITSELF = "The templated task cannot be of type 'templating.TemplatedTask'"


class TemplatedTask(
    RunnableTask,
    type="templating.TemplatedTask",
    aliases=("io.kestra.plugin.core.templating.TemplatedTask", "io.kestra.core.tasks.templating.TemplatedTask"),
):
    """Render the YAML of a task and run that task in place of this one.

    Its output is this task's output. What every task can have (`timeout`, `retry` and so on) is written on this task.
    """

    spec: str = prop(
        "The YAML of a runnable task.", examples=("type: debug.Return\nformat: \"{{ outputs.name.value }}\"\n",)
    )

    def run(self, ctx: RunContext) -> Any:
        raw = ctx.render("{{ yaml(spec) }}", {"spec": self.spec}, typed=True)
        if not isinstance(raw, Mapping):
            raise Invalid("`spec` is not the YAML of a task", where="$.spec", expected="a map with a `type`")
        task = ctx.task(raw)
        if isinstance(task, TemplatedTask):
            raise Invalid(ITSELF, where="$.spec")
        return task.run(ctx)
