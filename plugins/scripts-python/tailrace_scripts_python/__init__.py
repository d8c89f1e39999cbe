"""Python tasks: `scripts.python.Script` and `scripts.python.Commands`. Names only; a class is imported when used."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    """Both tasks, under the reference's name."""
    return (
        TypeRef(
            "tailrace_scripts_python.tasks:Script",
            "scripts.python.Script",
            aliases=("io.kestra.plugin.scripts.python.Script",),
            title="Run a Python script.",
        ),
        TypeRef(
            "tailrace_scripts_python.tasks:Commands",
            "scripts.python.Commands",
            aliases=("io.kestra.plugin.scripts.python.Commands",),
            title="Run commands that call Python.",
        ),
    )
