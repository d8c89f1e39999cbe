"""Tailrace over HTTP: the commands `server`, `engine` and `api-keys`. Names only; each is imported when it is used."""

from __future__ import annotations

from core.sdk.hooks import CommandRef, hookimpl


@hookimpl
def commands() -> tuple[CommandRef, ...]:
    """The commands this plugin brings."""
    return (
        CommandRef("tailrace_server.cli.server:COMMANDS", "server", "the API over HTTP, with the engine inside"),
        CommandRef("tailrace_server.cli.engine:COMMANDS", "engine", "only the engine, for servers beside it"),
        CommandRef("tailrace_server.cli.api_keys:COMMANDS", "api-keys", "organizations and who may use the API"),
    )
