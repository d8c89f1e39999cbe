"""The leaf tasks of the reference's core. Names only; a class is imported when a flow uses it."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl

_OLD = "io.kestra.core.tasks"


def _core(target: str, name: str, title: str, *older: str) -> TypeRef:
    """A task of the reference's core. target: below this package. older: names beside today's."""
    return TypeRef(f"tailrace_essentials.{target}", name, (f"io.kestra.plugin.core.{name}", *older), title)


_TASKS = (
    _core("kv:Set", "kv.Set", "Give a key of a namespace's store a value."),
    _core("kv:Get", "kv.Get", "Read the value of a key."),
    _core("kv:GetKeys", "kv.GetKeys", "List the keys of a namespace's store."),
    _core("kv:Delete", "kv.Delete", "Remove a key from a namespace's store."),
    _core("kv:PurgeKV", "kv.PurgeKV", "Remove expired keys, or all that match a pattern."),
    _core("state:Set", "state.Set", "Remember values; those of other names stay as they are.", f"{_OLD}.states.Set"),
    _core("state:Get", "state.Get", "Read what an earlier execution remembered.", f"{_OLD}.states.Get"),
    _core("state:Delete", "state.Delete", "Forget what was remembered.", f"{_OLD}.states.Delete"),
    _core(
        "namespace:UploadFiles", "namespace.UploadFiles",
        "Store files of the working directory as files of a namespace.",
    ),
    _core(
        "namespace:DownloadFiles", "namespace.DownloadFiles", "Give files of a namespace to the tasks that follow.",
    ),
    _core("namespace:DeleteFiles", "namespace.DeleteFiles", "Remove files of a namespace."),
    _core("namespace:PurgeFiles", "namespace.PurgeFiles", "Remove versions of namespace files."),
    _core("storage_files:Concat", "storage.Concat", "Join files, one after another.", f"{_OLD}.storages.Concat"),
    _core("storage_files:Write", "storage.Write", "Write a text to a file."),
    _core("storage_files:Size", "storage.Size", "Tell how large a file is.", f"{_OLD}.storages.Size"),
    _core("storage_files:Delete", "storage.Delete", "Remove a file.", f"{_OLD}.storages.Delete"),
    _core(
        "storage_files:PurgeCurrentExecutionFiles", "storage.PurgeCurrentExecutionFiles",
        "Remove the files that this execution has stored so far.",
        "io.kestra.plugin.core.storage.PurgeExecution", f"{_OLD}.storages.PurgeExecution",
    ),
    _core(
        "storage_files:LocalFiles", "storage.LocalFiles",
        "Put files into the working directory, or store files of it (deprecated).",
        f"{_OLD}.storages.LocalFiles",
    ),
    _core(
        "storage_lines:Split", "storage.Split", "Cut a file into several, between its lines.",
        f"{_OLD}.storages.Split",
    ),
    _core(
        "storage_lines:Reverse", "storage.Reverse", "Turn the order of a file's lines round.",
        f"{_OLD}.storages.Reverse",
    ),
    _core(
        "storage_items:FilterItems", "storage.FilterItems", "Keep the rows of a file for which a condition holds.",
        f"{_OLD}.storages.FilterItems",
    ),
    _core(
        "storage_items:DeduplicateItems", "storage.DeduplicateItems",
        "Keep the last row of each key, in the order of the file.",
        f"{_OLD}.storages.DeduplicateItems",
    ),
    _core(
        "templating:TemplatedTask", "templating.TemplatedTask",
        "Render the YAML of a task and run that task in place of this one.",
        f"{_OLD}.templating.TemplatedTask",
    ),
    _core("flow:Sleep", "flow.Sleep", "Wait for a while."),
    _core(
        "execution:Labels", "execution.Labels", "Add labels to the execution, or replace those of the same key.",
        f"{_OLD}.executions.Labels",
    ),
    _core(
        "execution:SetVariables", "execution.SetVariables",
        "Set variables of the execution, which the tasks that follow read as `vars`.",
    ),
    _core("execution:UnsetVariables", "execution.UnsetVariables", "Take variables of the execution away."),
    _core("execution:Exit", "execution.Exit", "End the whole execution."),
    _core("execution:Assert", "execution.Assert", "Fail unless every condition holds."),
    _core("executions:Resume", "execution.Resume", "Let a paused execution go on."),
    _core(
        "executions:Count", "execution.Count",
        "Count executions of flows or namespaces, and keep the counts for which an expression holds.",
        f"{_OLD}.executions.Counts",
    ),
    _core(
        "executions:PurgeExecutions", "execution.PurgeExecutions",
        "Delete ended executions with what was recorded of them.",
        "io.kestra.plugin.core.storage.Purge", f"{_OLD}.storages.Purge",
    ),
    _core(
        "log:Fetch", "log.Fetch", "Write the log of an execution to a file, one JSON object a line.",
        f"{_OLD}.log.Fetch",
    ),
    _core("log:PurgeLogs", "log.PurgeLogs", "Delete recorded log lines."),
    _core("metric:Publish", "metric.Publish", "Record metrics."),
    _core(
        "trigger:Toggle", "trigger.Toggle",
        "Switch a trigger on or off.",
        f"{_OLD}.trigger.Toggle",
    ),
)  # fmt: skip


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    """All of them, under the reference's names."""
    return _TASKS
