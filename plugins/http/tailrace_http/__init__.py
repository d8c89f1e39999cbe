"""HTTP: `http.Request`, `http.Download` and `http.Trigger`. Names only; a class is imported when a flow uses it."""

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


@hookimpl
def triggers() -> tuple[TypeRef, ...]:
    """The trigger that asks again and again, under the reference's name and its older one."""
    return (
        TypeRef(
            "tailrace_http.trigger:Trigger",
            "http.Trigger",
            aliases=("io.kestra.plugin.core.http.Trigger", "io.kestra.plugin.fs.http.Trigger"),
            title="Start a flow when the answer to a request is as it should be.",
            kind="trigger",
        ),
    )
