"""Containers of an attempt whose engine died: ended, in place of the stop that it can't carry out any more."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from docker.errors import NotFound
from requests.exceptions import RequestException

from core.sdk import RunContext, TaskFailed
from tailrace_runner_docker.container import Container
from tailrace_runner_docker.engine import connection
from tailrace_runner_docker.ownership import give_back
from tailrace_runner_docker.plan import ATTEMPT

LAST_LINES = 20
END_SECONDS = 60
"""How long a container may take to be gone once it was ended by force."""


def stop(ctx: RunContext, host: str, grace: float, *, delete: bool) -> None:
    """End every container of this attempt. grace, delete: as in a `Plan`. Raises Unreachable, TaskFailed."""
    with connection(host, ctx.environment) as client:
        for facts in client.containers(all=True, filters={"label": f"{ATTEMPT}={ctx.attempt_id}"}):
            with suppress(NotFound):  # it ended meanwhile, and removed itself
                _stop(Container(client, facts["Id"]), ctx, grace, delete=delete)


def _stop(container: Container, ctx: RunContext, grace: float, *, delete: bool) -> None:
    client, name = container.client, container.id[:12]
    facts = client.inspect_container(container.id)
    if facts["State"]["Status"] == "created":
        container.remove(ctx)
        return
    if facts["State"]["Running"]:
        container.end(grace)
        try:
            client.wait(container.id, timeout=END_SECONDS)
        except NotFound:  # it has removed itself
            pass
        except RequestException as error:
            raise TaskFailed(f"The container {name} does not end") from error
    removes_itself = facts["HostConfig"]["AutoRemove"]
    last = b"" if removes_itself else client.logs(container.id, tail=LAST_LINES)
    lines = last.decode("utf-8", "replace").splitlines()
    ctx.log.info(f"Ended the container {name}, which was left running" + ("; it wrote last:" if lines else ""))
    for line in lines:
        ctx.log.info(line)
    directory = facts["Config"]["WorkingDir"]
    if f"{directory}:{directory}" in (facts["HostConfig"]["Binds"] or ()) and Path(directory).is_dir():
        give_back(client, ctx, facts["Image"], Path(directory))
    if delete and not removes_itself:
        container.remove(ctx)
