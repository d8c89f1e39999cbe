"""Flow tasks that call other flows, or stand for tasks that are written elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from core.builtin.flow import Block
from core.sdk import Call, Described, FlowTask, Invalid, Sequence, Step, Work, prop


class CallingTask(FlowTask):
    """What tasks that call a flow have."""

    namespace: str = prop("The namespace of the flow.")
    flow_id: str = prop("Its id.")
    revision: int | None = prop("Its revision; the newest when not given.", default=None, render=False)
    inputs: dict[str, Any] | None = prop("Its inputs.", default=None)
    labels: Any = prop("Labels of its execution: a map, or a list of `key` and `value`.", default=None)
    wait: bool = prop("End when its execution has ended.", default=True, render=False)
    transmit_failed: bool = prop("End as its execution has ended.", default=True, render=False)
    inherit_labels: bool = prop("Its execution gets the labels of this one.", default=False)
    schedule_date: datetime | None = prop("Begin at this date.", default=None)
    restart_behavior: Literal["RETRY_FAILED", "NEW_EXECUTION"] = prop(
        "Whether a restart of this execution restarts the failed one, or makes a new one.", default="RETRY_FAILED",
        render=False,
    )  # fmt: skip

    def request(self) -> dict[str, Any]:
        """What is rendered before an execution is created, as far as it was written."""
        date: object = self.schedule_date
        found: dict[str, Any] = {
            "namespace": self.namespace, "flow_id": self.flow_id, "revision": self.revision, "inputs": self.inputs,
            "labels": self.labels, "inherit_labels": self.inherit_labels or None,
            "schedule_date": date.isoformat() if isinstance(date, datetime) else date,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}

    def call(self, request: dict[str, Any], times: str | None = None) -> Call:
        """The node of a call."""
        return Call(request, self.wait, self.transmit_failed, self.restart_behavior == "RETRY_FAILED", times)


class Subflow(
    CallingTask,
    type="flow.Subflow",
    aliases=(
        "io.kestra.plugin.core.flow.Subflow",
        "io.kestra.core.tasks.flows.Subflow",
        "io.kestra.core.tasks.flows.Flow",
    ),
):
    """Run another flow."""

    outputs: dict[str, Any] | None = prop(
        "Outputs, rendered in its execution.", default=None, deprecated="`outputs` of the other flow"
    )

    def plan(self) -> Call:
        outputs = {"outputs": self.outputs} if self.outputs is not None else {}
        return self.call({**self.request(), **outputs})


class Batch(Described):
    """How the lines of a file are divided; `bytes` goes before `partitions`, and that before `rows`."""

    rows: int = prop("Lines in a batch.", default=1)
    partitions: int | None = prop("How many batches.", default=None)
    bytes: str | None = prop("How large a batch may be, such as `10MB`.", default=None)
    separator: str = prop("What is written after each line.", default="\n")


class ForEachItem(
    Block,
    CallingTask,
    type="flow.ForEachItem",
    aliases=("io.kestra.plugin.core.flow.ForEachItem", "io.kestra.core.tasks.flows.ForEachItem"),
):
    """Run another flow for each batch of the lines of a file."""

    items: str = prop("The URI of the file.")
    batch: Batch = prop("How its lines are divided.", factory=Batch)

    def plan_as(self, task_id: str) -> Sequence:
        divided: dict[str, Any] = {
            "items": self.items, "rows": self.batch.rows, "separator": self.batch.separator,
        }  # fmt: skip
        for name, value in (("partitions", self.batch.partitions), ("bytes", self.batch.bytes)):
            if value is not None:
                divided[name] = value
        split, items = f"{task_id}_split", f"{task_id}_items"
        call = self.call(self.request(), f"{{{{ outputs['{split}'].count }}}}")
        merged = {"outputs": f"{{{{ outputs['{items}'].outputs ?? [] }}}}"}
        children = (
            Step(split, "flow.ForEachItemSplit", Work(), divided),
            Step(items, "flow.ForEachItem", call),
            Step(f"{task_id}_merge", "flow.ForEachItemMerge", Work(), merged),
        )
        return Sequence(children, self.policy())


class Template(
    Block,
    type="flow.Template",
    aliases=("io.kestra.plugin.core.flow.Template", "io.kestra.core.tasks.flows.Template"),
    deprecated="the tasks of the template are read in its place, one after another",
):
    """Run the tasks of a template (deprecated: make it a flow, and call it with `flow.Subflow`)."""

    namespace: str = prop("The namespace of the template.", render=False)
    template_id: str = prop("Its id.", render=False)
    args: dict[str, str] | None = prop("What its tasks read as `parent.outputs.args`.", default=None)
    tasks: list[Step] | None = prop("Its tasks, filled in while loading.", default=None)

    def plan(self) -> Sequence:
        if self.tasks is None:
            raise Invalid(
                f"the template `{self.namespace}.{self.template_id}` has no tasks", expected="a template with `tasks`"
            )
        return Sequence(tuple(self.tasks), self.policy())
