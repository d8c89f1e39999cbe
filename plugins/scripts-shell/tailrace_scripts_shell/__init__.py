"""Shell tasks: `scripts.shell.Script` and `scripts.shell.Commands`. Names only; a class is imported when it is used."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    """Both tasks, under the reference's name."""
    return (
        TypeRef(
            "tailrace_scripts_shell.tasks:Script",
            "scripts.shell.Script",
            aliases=("io.kestra.plugin.scripts.shell.Script",),
            title="Run a shell script.",
        ),
        TypeRef(
            "tailrace_scripts_shell.tasks:Commands",
            "scripts.shell.Commands",
            aliases=("io.kestra.plugin.scripts.shell.Commands",),
            title="Run shell commands.",
        ),
    )
