"""Tasks about other executions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from core.sdk import Conflict, Described, Invalid, NotFound, RunContext, RunnableTask, TaskOutput, prop
from tailrace_essentials.which import chosen_execution

State = Literal[
    "CREATED", "QUEUED", "RUNNING", "PAUSED", "RETRYING", "RETRIED", "RESTARTED", "KILLING", "SUCCESS", "WARNING",
    "FAILED", "KILLED", "CANCELLED", "SKIPPED",
]  # fmt: skip
Ended = Literal["SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED"]


class Resume(RunnableTask, type="execution.Resume", aliases=("io.kestra.plugin.core.execution.Resume",)):
    """Let a paused execution go on."""

    execution_id: str | None = prop("Which one; this one when missing.", default=None)
    namespace: str | None = prop("Of its flow; only together with `flowId`.", default=None)
    flow_id: str | None = prop("Its flow; only together with `namespace`.", default=None)
    inputs: dict[str, Any] = prop("Values for what it asks for with `onResume`.", factory=dict)

    def run(self, ctx: RunContext) -> None:
        execution_id = chosen_execution(ctx, self.execution_id, self.namespace, self.flow_id)
        if execution_id != ctx.execution.id:
            found = ctx.executions.state(execution_id)
            if found is None:
                raise NotFound(f"there is no execution {execution_id}")
            if found.state != "PAUSED":
                raise Conflict(f"the execution {execution_id} is not paused, it is {found.state}")
        ctx.executions.resume(execution_id, self.inputs)


class FlowName(Described):
    """A flow."""

    namespace: str = prop("Its namespace.")
    flow_id: str = prop("Its id.")


class FlowCount(Described):
    """How many executions of a flow, or of a namespace, there are."""

    namespace: str = prop("Its namespace.")
    flow_id: str | None = prop("Its id; null when a namespace was counted.")
    count: int = prop("How many.")


class Count(
    RunnableTask,
    type="execution.Count",
    aliases=("io.kestra.plugin.core.execution.Count", "io.kestra.core.tasks.executions.Counts"),
):
    """Count executions of flows or namespaces, and keep the counts for which an expression holds."""

    flows: list[FlowName] | None = prop("Flows to count, each by itself.", default=None)
    namespaces: list[str] | None = prop("Namespaces to count, each by itself with those below it.", default=None)
    states: list[State] = prop("Only executions in these states; all when empty.", factory=list)
    start_date: datetime = prop(
        "Only executions created since then.", examples=("2024-01-31T00:00:00Z", "{{ now() | dateAdd(-1, 'DAYS') }}")
    )
    end_date: datetime | None = prop("Only executions created before.", default=None)
    expression: str = prop(
        "Rendered for each count, which it sees as `count`; kept when it gives exactly `true`.", render=False,
        examples=("{{ count >= 5 }}",),
    )  # fmt: skip

    class Output(TaskOutput):
        results: list[FlowCount] = prop("The counts that were kept.")
        total: int = prop("Their sum.")

    def run(self, ctx: RunContext) -> Output:
        if not self.flows and not self.namespaces:
            raise Invalid("nothing is said to be counted", expected="`flows` or `namespaces`")
        counts = [self._of_flow(ctx, flow) for flow in self.flows or ()]
        counts += [self._of_namespace(ctx, namespace) for namespace in self.namespaces or ()]
        kept = [one for one in counts if ctx.render(self.expression, {"count": one.count}) == "true"]
        return self.Output(results=kept, total=sum(one.count for one in kept))

    def _of_flow(self, ctx: RunContext, flow: FlowName) -> FlowCount:
        found = ctx.executions.count(
            namespaces=[flow.namespace], flow_id=flow.flow_id, states=self.states, after=self.start_date,
            before=self.end_date,
        )  # fmt: skip
        return FlowCount(namespace=flow.namespace, flow_id=flow.flow_id, count=sum(one.count for one in found))

    def _of_namespace(self, ctx: RunContext, namespace: str) -> FlowCount:
        found = ctx.executions.count(
            namespaces=[f"{namespace}.*"], states=self.states, after=self.start_date, before=self.end_date
        )
        return FlowCount(namespace=namespace, flow_id=None, count=sum(one.count for one in found))


class PurgeExecutions(
    RunnableTask,
    type="execution.PurgeExecutions",
    aliases=(
        "io.kestra.plugin.core.execution.PurgeExecutions",
        "io.kestra.plugin.core.storage.Purge",
        "io.kestra.core.tasks.storages.Purge",
    ),
):
    """Delete ended executions with what was recorded of them."""

    namespace: str | None = prop("Of their flow; without `flowId` those below it too.", default=None)
    flow_id: str | None = prop("Their flow; all when missing.", default=None)
    start_date: datetime | None = prop("Only executions created since then.", default=None)
    end_date: datetime = prop(
        "Only executions created before.", examples=("2024-01-31T00:00:00Z", "{{ now() | dateAdd(-30, 'DAYS') }}")
    )
    states: list[Ended] = prop("Only executions that ended so; all that have ended when empty.", factory=list)
    purge_execution: bool = prop("Whether the executions themselves go.", default=True)
    purge_log: bool = prop("Whether their logs go.", default=True)
    purge_metric: bool = prop("Whether their metrics go.", default=True)
    purge_storage: bool = prop("Whether their files go; those that others use stay.", default=True)
    batch_size: int = prop("How many are looked up at a time, at most 1000.", default=100)

    class Output(TaskOutput):
        executions_count: int = prop("How many executions were deleted.")
        logs_count: int = prop("How many log lines.")
        metrics_count: int = prop("How many metrics.")
        storages_count: int = prop("How many files.")

    def run(self, ctx: RunContext) -> Output:
        if not 1 <= self.batch_size <= 1000:
            raise Invalid(f"{self.batch_size} is out of range", where="$.batchSize", expected="1 to 1000")
        namespace = self.namespace and (self.namespace if self.flow_id else f"{self.namespace}.*")
        executions = logs = metrics = files = 0
        pages = ctx.executions.ended(
            namespaces=[namespace] if namespace else [], flow_id=self.flow_id, states=self.states,
            after=self.start_date, before=self.end_date, page=self.batch_size,
        )  # fmt: skip
        for ids in pages:
            weight = ctx.executions.weight(ids)
            executions, logs = executions + len(ids), logs + weight.logs
            metrics, files = metrics + weight.metrics, files + weight.files
            ctx.executions.purge(
                ids, executions=self.purge_execution, logs=self.purge_log, metrics=self.purge_metric,
                files=self.purge_storage,
            )  # fmt: skip
        return self.Output(
            executions_count=executions if self.purge_execution else 0,
            logs_count=logs if self.purge_log else 0,
            metrics_count=metrics if self.purge_metric else 0,
            storages_count=files if self.purge_storage else 0,
        )
