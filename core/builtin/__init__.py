"""The first plugin, through the same hooks as a stranger's: types by name, imported when a flow uses them."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl

_TASKS = (
    TypeRef(
        "core.builtin.flow:Sequential",
        "flow.Sequential",
        ("io.kestra.plugin.core.flow.Sequential", "io.kestra.core.tasks.flows.Sequential"),
        "Run tasks one after another.",
    ),
    TypeRef(
        "core.builtin.log:Log",
        "log.Log",
        ("io.kestra.plugin.core.log.Log", "io.kestra.core.tasks.log.Log"),
        "Write one or more lines to the log.",
    ),
    TypeRef(
        "core.builtin.debug:Return",
        "debug.Return",
        ("io.kestra.plugin.core.debug.Return", "io.kestra.core.tasks.debugs.Return"),
        "Give a rendered text as output.",
    ),
    TypeRef(
        "core.builtin.debug:Echo",
        "debug.Echo",
        ("io.kestra.plugin.core.debug.Echo", "io.kestra.core.tasks.debugs.Echo"),
        "Write a text to the log (deprecated: use `log.Log`).",
    ),
    TypeRef(
        "core.builtin.execution:Fail",
        "execution.Fail",
        ("io.kestra.plugin.core.execution.Fail", "io.kestra.core.tasks.executions.Fail"),
        "Fail, always or on a condition.",
    ),
    TypeRef(
        "core.builtin.output:OutputValues",
        "output.OutputValues",
        ("io.kestra.plugin.core.output.OutputValues",),
        "Give named values as output.",
    ),
)
_RUNNERS = (
    TypeRef(
        "core.builtin.process:Process",
        "runner.Process",
        ("io.kestra.plugin.core.runner.Process",),
        "Run commands as processes of this machine, with the engine's environment and rights.",
        kind="runner",
    ),
)


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    """The task types every distribution has."""
    return _TASKS


@hookimpl
def task_runners() -> tuple[TypeRef, ...]:
    """The task runner every distribution has."""
    return _RUNNERS
