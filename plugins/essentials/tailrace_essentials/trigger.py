"""Switching triggers on and off."""

from __future__ import annotations

from core.sdk import RunContext, RunnableTask, prop


class Toggle(
    RunnableTask,
    type="trigger.Toggle",
    aliases=("io.kestra.plugin.core.trigger.Toggle", "io.kestra.core.tasks.trigger.Toggle"),
):
    """Switch a trigger on or off.

    It is recorded, and holds whatever the trigger's `disabled` says. Triggers don't start flows in this version.
    """

    trigger: str = prop("Id of the trigger.", examples=("every_hour",))
    enabled: bool = prop("Whether it is to be on.", default=False)
    namespace: str | None = prop("Of its flow; this flow's when missing.", default=None)
    flow_id: str | None = prop("Its flow; this one when missing.", default=None)

    def run(self, ctx: RunContext) -> None:
        ctx.executions.switch_trigger(
            self.trigger, enabled=self.enabled, namespace=self.namespace, flow_id=self.flow_id
        )
        ctx.log.info(f"the trigger `{self.trigger}` is switched {'on' if self.enabled else 'off'}")
