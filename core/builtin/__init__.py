"""The first plugin, through the same hooks as a stranger's: types by name, imported when a flow uses them."""

from __future__ import annotations

from typing import Literal

from core.sdk.hooks import TypeRef, hookimpl

_OLD = "io.kestra.core.tasks"


def _core(
    target: str, name: str, title: str, *older: str, kind: Literal["task", "runner", "trigger", "condition"] = "task"
) -> TypeRef:
    """A type of the reference's core. target: below this package. older: names beside today's."""
    return TypeRef(f"core.builtin.{target}", name, (f"io.kestra.plugin.core.{name}", *older), title, kind)


def _condition(name: str, title: str) -> TypeRef:
    """A condition; older versions wrote `Condition` behind its name."""
    today, older = "io.kestra.plugin.core.condition", "io.kestra.core.models.conditions.types"
    names = (f"{today}.{name}Condition", f"{older}.{name}Condition")
    return _core(f"condition:{name}", f"condition.{name}", title, *names, kind="condition")


def _old_condition(name: str, title: str) -> TypeRef:
    older = f"io.kestra.core.models.conditions.types.{name}"
    return _core(f"condition:{name}", f"condition.{name}", title, older, kind="condition")


_TASKS = (
    _core("flow:Sequential", "flow.Sequential", "Run tasks one after another.", f"{_OLD}.flows.Sequential"),
    _core(
        "flow:AllowFailure", "flow.AllowFailure",
        "Run tasks one after another; a failure among them counts as a warning.", f"{_OLD}.flows.AllowFailure",
    ),
    _core("flow:Parallel", "flow.Parallel", "Run tasks side by side.", f"{_OLD}.flows.Parallel"),
    _core("flow:Dag", "flow.Dag", "Run tasks side by side, each after those it depends on.", f"{_OLD}.flows.Dag"),
    _core(
        "flow:WorkingDirectory", "flow.WorkingDirectory",
        "Run tasks one after another in one directory that they share.",
        f"{_OLD}.flows.WorkingDirectory", f"{_OLD}.flows.Worker",
    ),
    _core("flow_choices:If", "flow.If", "Run tasks if a condition holds, and others if not.", f"{_OLD}.flows.If"),
    _core("flow_choices:Switch", "flow.Switch", "Run the tasks that belong to a value.", f"{_OLD}.flows.Switch"),
    _core("flow_loops:ForEach", "flow.ForEach", "Run tasks once for each value of a list."),
    _core(
        "flow_loops:EachSequential", "flow.EachSequential",
        "Run tasks once for each value of a list, one value after another (deprecated: use `flow.ForEach`).",
        f"{_OLD}.flows.EachSequential",
    ),
    _core(
        "flow_loops:EachParallel", "flow.EachParallel",
        "Run every task for every value of a list, all side by side (deprecated: use `flow.ForEach`).",
        f"{_OLD}.flows.EachParallel",
    ),
    _core(
        "flow_loops:Loop", "flow.Loop", "Run tasks once for each value of a list, or entry of a map (the 2.x dialect)."
    ),
    _core(
        "flow_loops:LoopUntil", "flow.LoopUntil", "Run tasks again and again until a condition holds.",
        "flow.WaitFor", "io.kestra.plugin.core.flow.WaitFor",
    ),
    _core(
        "flow_calls:Subflow", "flow.Subflow", "Run another flow.", f"{_OLD}.flows.Subflow", f"{_OLD}.flows.Flow"
    ),
    _core(
        "flow_calls:ForEachItem", "flow.ForEachItem", "Run another flow for each batch of the lines of a file.",
        f"{_OLD}.flows.ForEachItem",
    ),
    TypeRef(
        "core.builtin.flow_batches:ForEachItemSplit", "flow.ForEachItemSplit",
        ("io.kestra.plugin.core.flow.ForEachItem$ForEachItemSplit",), "Divide the lines of a file into batches.",
    ),
    TypeRef(
        "core.builtin.flow_batches:ForEachItemMerge", "flow.ForEachItemMerge",
        ("io.kestra.plugin.core.flow.ForEachItem$ForEachItemMergeOutputs",),
        "Put what came of the batches into one file.",
    ),
    _core(
        "flow_calls:Template", "flow.Template",
        "Run the tasks of a template (deprecated: make it a flow, and call it with `flow.Subflow`).",
        f"{_OLD}.flows.Template",
    ),
    _core("flow_waits:Pause", "flow.Pause", "Wait for a while, or until a person goes on.", f"{_OLD}.flows.Pause"),
    _core("log:Log", "log.Log", "Write one or more lines to the log.", f"{_OLD}.log.Log"),
    _core("debug:Return", "debug.Return", "Give a rendered text as output.", f"{_OLD}.debugs.Return"),
    _core(
        "debug:Echo", "debug.Echo", "Write a text to the log (deprecated: use `log.Log`).", f"{_OLD}.debugs.Echo"
    ),
    _core("execution:Fail", "execution.Fail", "Fail, always or on a condition.", f"{_OLD}.executions.Fail"),
    _core("output:OutputValues", "output.OutputValues", "Give named values as output."),
)  # fmt: skip
_RUNNERS = (
    _core(
        "process:Process", "runner.Process",
        "Run commands as processes of this machine, with the engine's environment and rights.", kind="runner",
    ),
)  # fmt: skip
_TRIGGERS = (
    _core(
        "trigger:Schedule", "trigger.Schedule", "Start a flow by the clock, as cron does.",
        "io.kestra.core.models.triggers.types.Schedule", kind="trigger",
    ),
    _core("trigger:ScheduleOnDates", "trigger.ScheduleOnDates", "Start a flow on given dates.", kind="trigger"),
    _core(
        "trigger:Flow", "trigger.Flow", "Start a flow after executions of other flows.",
        "io.kestra.core.models.triggers.types.Flow", kind="trigger",
    ),
    _core(
        "trigger:Webhook", "trigger.Webhook", "Start a flow by a request over HTTP.",
        "io.kestra.core.models.triggers.types.Webhook", kind="trigger",
    ),
)  # fmt: skip
_CONDITIONS = (
    _core(
        "condition:Expression", "condition.Expression",
        "Holds when an expression gives something else than nothing and `false`.",
        "io.kestra.plugin.core.condition.ExpressionCondition",
        "io.kestra.core.models.conditions.types.VariableCondition", kind="condition",
    ),
    _condition(
        "ExecutionOutputs",
        "Holds when an expression over `trigger.outputs` gives something else than nothing and `false`.",
    ),
    _condition("ExecutionFlow", "Holds for executions of one flow."),
    _condition("ExecutionNamespace", "Holds for executions of the flows of a namespace."),
    _condition("ExecutionStatus", "Holds for executions in some states."),
    _condition("ExecutionLabels", "Holds for executions with some labels."),
    _condition(
        "HasRetryAttempt", "Holds for executions with a task that was tried again, by the states of its attempts."
    ),
    _old_condition("FlowCondition", "Holds in one flow (deprecated: use `condition.ExecutionFlow`)."),
    _old_condition(
        "FlowNamespaceCondition",
        "Holds in the flows of a namespace (deprecated: use `condition.ExecutionNamespace`).",
    ),
    _old_condition(
        "MultipleCondition",
        "Holds when each of several conditions held within a span of time (deprecated: use `preconditions`).",
    ),
    _condition("Not", "Holds when none of its conditions does."),
    _condition("Or", "Holds when any of its conditions does."),
    _condition("DateTimeBetween", "Holds between two dates."),
    _condition("TimeBetween", "Holds between two times of the day."),
    _condition("DayWeek", "Holds on one day of the week."),
    _condition("DayWeekInMonth", "Holds on the first, second, … or last such day of a month."),
    _condition("Weekend", "Holds on Saturdays and Sundays."),
    _condition("PublicHoliday", "Holds on public holidays."),
)  # fmt: skip


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    """The task types every distribution has."""
    return _TASKS


@hookimpl
def task_runners() -> tuple[TypeRef, ...]:
    """The task runner every distribution has."""
    return _RUNNERS


@hookimpl
def triggers() -> tuple[TypeRef, ...]:
    """The triggers every distribution knows, and their conditions."""
    return (*_TRIGGERS, *_CONDITIONS)
