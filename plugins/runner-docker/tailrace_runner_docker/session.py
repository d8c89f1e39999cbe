"""Carrying out a plan: image, container, working directory in, output, working directory out, removal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docker import APIClient

from core.sdk import Command, CommandResult, Interrupted, Invalid, RunContext
from tailrace_runner_docker.container import Container
from tailrace_runner_docker.engine import connection, ensure_image, registry_login
from tailrace_runner_docker.ownership import give_back
from tailrace_runner_docker.plan import ATTEMPT, Plan

ROOT = ("", "0", "root")


def run(plan: Plan, ctx: RunContext, command: Command) -> CommandResult:
    """Run a command in a new container. Raises Unreachable, Invalid, Interrupted, TaskFailed."""
    with connection(plan.host, ctx.environment) as client:
        _check_mount(plan, client)
        login = plan.credentials or registry_login(plan.config, plan.image, ctx.environment)
        image = ensure_image(client, ctx, plan.image, plan.pull_policy, login)
        container = _create(client, plan, ctx)
        left_running = False
        try:
            if not plan.mount:
                user = str(plan.body["User"] or (image.get("Config") or {}).get("User") or "")
                container.copy_in(command.working_dir, for_everyone=user.split(":")[0] not in ROOT)
            if ctx.stop_requested:
                raise Interrupted("The container was stopped before it started")
            if not plan.wait:
                container.start(command.argv[0], plan.image)
                left_running = True
                return CommandResult(exit_code=0, details={"containerId": container.id})
            with container.attached() as output:
                container.start(command.argv[0], plan.image)
                exit_code = container.follow(ctx, output, command.on_line, plan.grace)
            return _taken_back(container, plan, ctx, command, exit_code, str(command.working_dir))
        finally:
            if not left_running:
                _finish(container, plan, ctx, command)


def reattach(plan: Plan, ctx: RunContext, command: Command) -> CommandResult | None:
    """Go on with the newest container of this attempt; others of it are removed."""
    with connection(plan.host, ctx.environment) as client:
        found = client.containers(all=True, filters={"label": f"{ATTEMPT}={ctx.attempt_id}"})
        newest: Container | None = None
        for facts in sorted(found, key=_created, reverse=True):
            container = Container(client, facts["Id"])
            if plan.resume and newest is None and facts["State"] in ("running", "exited", "paused"):
                newest = container
            else:
                container.remove(ctx)
        if newest is None:
            return None
        ctx.log.info(f"Going on with the container {newest.id[:12]}")
        if not plan.wait:
            return CommandResult(exit_code=0, details={"containerId": newest.id})
        inside = client.inspect_container(newest.id)["Config"]["WorkingDir"]
        try:
            exit_code = newest.follow(ctx, newest.logged(), command.on_line, plan.grace)
            return _taken_back(newest, plan, ctx, command, exit_code, inside)
        finally:
            _finish(newest, plan, ctx, command)


def _created(facts: Mapping[str, Any]) -> int:
    return int(facts["Created"])


def _check_mount(plan: Plan, client: APIClient) -> None:
    if plan.mount and not client.base_url.startswith("http+docker://"):
        raise Invalid(
            "The working directory can't be shared with a container engine that may be on another machine",
            where="fileHandlingStrategy",
            expected="VOLUME, or an engine reached by a unix:// socket",
        )


def _create(client: APIClient, plan: Plan, ctx: RunContext) -> Container:
    created = client.create_container_from_config(dict(plan.body))
    for warning in created.get("Warnings") or ():
        ctx.log.warn(warning)
    return Container(client, created["Id"])


def _taken_back(
    container: Container, plan: Plan, ctx: RunContext, command: Command, exit_code: int, inside: str
) -> CommandResult:
    """How a container ended, its working directory taken back."""
    details: dict[str, Any] = {"containerId": container.id}
    if exit_code and container.out_of_memory(exit_code):
        limit = plan.body["HostConfig"].get("Memory")
        details["oomKilled"] = True
        ctx.log.error(f"The container ran out of memory{f' (its limit is {limit} bytes)' if limit else ''}")
    if not plan.mount or inside != str(command.working_dir):
        left_out = container.copy_out(inside, command.working_dir)
        if left_out:
            ctx.log.debug(f"Not taken out of the container: {', '.join(left_out)}")
    return CommandResult(exit_code=exit_code, details=details)


def _finish(container: Container, plan: Plan, ctx: RunContext, command: Command) -> None:
    if plan.mount:
        give_back(container.client, ctx, plan.image, command.working_dir)
    if plan.delete:
        container.remove(ctx)
