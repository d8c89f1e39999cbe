"""Files that a container left in a shared directory, given to the user of the engine."""

from __future__ import annotations

import os
from pathlib import Path

from docker import APIClient
from docker.errors import APIError

from core.sdk import RunContext
from tailrace_runner_docker.container import Container


def give_back(client: APIClient, ctx: RunContext, image: str, directory: Path, uid: int | None = None) -> None:
    """Let a user (the one who calls) own every file in a directory that was shared with a container.

    Another than root can neither read nor remove what root left there, so a second container of the same image does
    it. Without need it is not started.
    """
    owner = os.geteuid() if uid is None else uid
    if owner == 0 or not _has_strangers(directory, owner):
        return
    body = {
        "Image": image,
        "Entrypoint": ["chown"],
        "Cmd": ["-hR", f"{owner}:{os.getegid()}", str(directory)],
        "User": "0",
        "NetworkDisabled": True,
        "HostConfig": {"Binds": [f"{directory}:{directory}"]},
    }
    helper = Container(client, client.create_container_from_config(body)["Id"])
    try:
        client.start(helper.id)
        failed = client.wait(helper.id)["StatusCode"] != 0
    except APIError:  # the image has no `chown`
        failed = True
    finally:
        helper.remove(ctx)
    if failed:
        ctx.log.warn(f"Files in {directory} belong to another user and may be left there: use `VOLUME`, or set `user`")


def _has_strangers(directory: Path, owner: int) -> bool:
    for _, directories, files, folder in os.fwalk(directory):
        for name in (*directories, *files):
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid != owner:
                return True
    return False
