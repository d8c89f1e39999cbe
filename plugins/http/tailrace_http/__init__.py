"""HTTP tasks: `http.Request` and `http.Download`. Names only; a class is imported when a flow uses it."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl


@hookimpl
def task_types() -> tuple[TypeRef, ...]:
    """Both tasks, under the reference's name and its older one."""
    return (
        TypeRef(
            "tailrace_http.request:Request",
            "http.Request",
            aliases=("io.kestra.plugin.core.http.Request", "io.kestra.plugin.fs.http.Request"),
            title="Send an HTTP request and keep its answer as text.",
        ),
        TypeRef(
            "tailrace_http.download:Download",
            "http.Download",
            aliases=("io.kestra.plugin.core.http.Download", "io.kestra.plugin.fs.http.Download"),
            title="Download a file into internal storage, however large.",
        ),
    )
