"""Tasks on recorded logs."""

from __future__ import annotations

import json
from datetime import datetime

from core.sdk import LEVELS, Level, RunContext, RunnableTask, TaskOutput, prop
from tailrace_essentials.which import chosen_execution


class Fetch(
    RunnableTask,
    type="log.Fetch",
    aliases=("io.kestra.plugin.core.log.Fetch", "io.kestra.core.tasks.log.Fetch"),
):
    """Write the log of an execution to a file, one JSON object a line."""

    execution_id: str | None = prop("Which one; this one, as far as it is recorded, when missing.", default=None)
    namespace: str | None = prop("Of its flow; only together with `flowId`.", default=None)
    flow_id: str | None = prop("Its flow; only together with `namespace`.", default=None)
    tasks_id: list[str] | None = prop("Only the lines of these tasks.", default=None)
    level: Level = prop("The least level.", default="INFO")

    class Output(TaskOutput):
        uri: str = prop("The file.")
        size: int = prop("How many lines it has.")

    def run(self, ctx: RunContext) -> Output:
        execution_id = chosen_execution(ctx, self.execution_id, self.namespace, self.flow_id)
        fetched = ctx.working_dir / "logs"
        size = 0
        with fetched.open("w", encoding="utf-8") as target:
            for line in ctx.executions.logs(execution_id, LEVELS[LEVELS.index(self.level) :]):
                if self.tasks_id is None or line["taskId"] in self.tasks_id:
                    row = {**line, "executionId": execution_id}
                    target.write(json.dumps(row, ensure_ascii=False, default=datetime.isoformat) + "\n")
                    size += 1
        return self.Output(uri=ctx.storage.put(fetched, "logs.jsonl").uri, size=size)


class PurgeLogs(RunnableTask, type="log.PurgeLogs", aliases=("io.kestra.plugin.core.log.PurgeLogs",)):
    """Delete recorded log lines."""

    namespace: str | None = prop("Of the flow; without `flowId` those below it too.", default=None)
    flow_id: str | None = prop("Of which flow; of all when missing.", default=None)
    execution_id: str | None = prop("Of which execution; of all when missing.", default=None)
    log_levels: list[Level] = prop("Only lines of these levels; all when empty.", factory=list)
    start_date: datetime | None = prop("Only lines since then.", default=None)
    end_date: datetime = prop(
        "Only lines before.", examples=("2024-01-31T00:00:00Z", "{{ now() | dateAdd(-30, 'DAYS') }}")
    )
    purge_execution_logs: bool = prop("Whether the lines of executions go.", default=True)
    purge_non_execution_logs: bool = prop("Whether other lines go; here every line is an execution's.", default=True)

    class Output(TaskOutput):
        count: int = prop("How many lines were deleted.")

    def run(self, ctx: RunContext) -> Output:
        if not self.purge_execution_logs:
            return self.Output(count=0)
        return self.Output(
            count=ctx.executions.purge_logs(
                before=self.end_date, after=self.start_date, namespace=self.namespace or "",
                flow_id=self.flow_id or "", execution_id=self.execution_id or "", levels=self.log_levels,
            )
        )  # fmt: skip
