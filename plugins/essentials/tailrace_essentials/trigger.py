"""Switching triggers on and off."""

from __future__ import annotations

from core.sdk import Invalid, RunContext, RunnableTask, prop


class Toggle(
    RunnableTask,
    type="trigger.Toggle",
    aliases=("io.kestra.plugin.core.trigger.Toggle", "io.kestra.core.tasks.trigger.Toggle"),
):
    """Switch a trigger on or off (refused: triggers are not active in this version)."""

    trigger: str = prop("Id of the trigger.", examples=("every_hour",))
    enabled: bool = prop("Whether it is to be on.", default=True)
    namespace: str | None = prop("Of its flow; this flow's when missing.", default=None)
    flow_id: str | None = prop("Its flow; this one when missing.", default=None)

    def run(self, ctx: RunContext) -> None:
        raise Invalid(
            f"the trigger `{self.trigger}` can't be switched: triggers are not active in this version",
            hint="take this task out of the flow, or set `disabled` on the trigger",
        )
