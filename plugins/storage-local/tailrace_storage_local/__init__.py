"""Internal storage as files below a directory. Nothing heavy is imported before the storage is used."""

from __future__ import annotations

from core.sdk.hooks import StorageRef, hookimpl

LOCAL = StorageRef(
    target="tailrace_storage_local.backend:create",
    name="local",
    title="Files below a directory of this machine",
)


@hookimpl
def storage_backends() -> tuple[StorageRef, ...]:
    return (LOCAL,)
