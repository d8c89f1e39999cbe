"""The task runner `runner.Docker`. Names only: the class is imported when a flow uses it, the SDK when it runs."""

from __future__ import annotations

from core.sdk.hooks import TypeRef, hookimpl


@hookimpl
def task_runners() -> tuple[TypeRef, ...]:
    """The runner, under the reference's name and its older one."""
    return (
        TypeRef(
            "tailrace_runner_docker.runner:Docker",
            "runner.Docker",
            (
                "io.kestra.plugin.scripts.runner.docker.Docker",
                "io.kestra.plugin.scripts.runner.docker.DockerTaskRunner",
            ),
            "Run commands in a container of Docker or Podman.",
            kind="runner",
        ),
    )
