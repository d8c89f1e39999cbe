"""`api-keys create`, `list`, `revoke`, `organizations`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from core.host.deployment import CommandCall, PluginCommand
from core.host.product import ROLES, ApiKey
from core.sdk import NotFound
from tailrace_server.cli.numbers import positive
from tailrace_server.times import iso

BY = "local"
"""The actor of the audit: whoever sits at this machine."""


def _key(key: ApiKey) -> dict[str, Any]:
    """A key as `--json` shows it."""
    return {
        "id": key.id, "organization_id": key.organization_id, "name": key.name, "role": key.role,
        "created_at": iso(key.created_at), "expires_at": iso(key.expires_at), "revoked_at": iso(key.revoked_at),
        "last_used_at": iso(key.last_used_at),
    }  # fmt: skip


def configure_create(parser: ArgumentParser) -> None:
    """Add the options of `create`."""
    parser.add_argument("--organization", metavar="ID", required=True, help="whose records it opens")
    parser.add_argument("--role", choices=ROLES, required=True, help="read; change, run; also audit and metrics")
    parser.add_argument("--name", default="", metavar="TEXT", help="what it is for")
    parser.add_argument("--days", type=positive, metavar="N", help="how long it is valid (default: for ever)")


def create(call: CommandCall) -> int:
    """Make a key; its secret is the only result, so that it can be piped."""
    args = call.args
    with call.open() as deployment:
        key, secret = deployment.keys.create(args.organization, args.name, args.role, days=args.days, by=BY)
    if call.out.json:
        call.out.data({**_key(key), "secret": secret})
    else:
        call.out.note(f"the key {key.id}, role {key.role}; its secret is shown only now:")
        call.out.result(secret)
    return 0


def configure_list(parser: ArgumentParser) -> None:
    """Add the options of `list`."""
    parser.add_argument("--organization", metavar="ID", help="only its keys (default: of all)")


def show(call: CommandCall) -> int:
    """List keys, never their secrets."""
    with call.open() as deployment:
        wanted = call.args.organization
        ids = [wanted] if wanted else [one.id for one in deployment.keys.organizations()]
        found = [key for one in ids for key in deployment.keys.list(one)]
    if call.out.json:
        call.out.data({"data": [_key(key) for key in found]})
    else:
        columns = ("id", "organization", "role", "name", "created", "expires", "revoked", "last used")
        rows = [list(_key(key).values()) for key in found]
        call.out.table(columns, [[row[0], row[1], row[3], row[2], *(text or "-" for text in row[4:])] for row in rows])
    return 0


def configure_revoke(parser: ArgumentParser) -> None:
    """Add the arguments of `revoke`."""
    parser.add_argument("id", metavar="ID", help="of the key, not its secret")


def revoke(call: CommandCall) -> int:
    """Let a key open nothing from now on. Raises NotFound."""
    with call.open() as deployment:
        keys = deployment.keys
        for organization in keys.organizations():
            if any(key.id == call.args.id for key in keys.list(organization.id)):
                keys.revoke(organization.id, call.args.id, by=BY)
                break
        else:
            raise NotFound(f"there is no API key `{call.args.id}`", hint=call.to_type("api-keys", "list"))
    if call.out.json:
        call.out.data({"id": call.args.id, "revoked": True})
    else:
        call.out.note(f"the key {call.args.id} is revoked")
    return 0


def configure_organizations(parser: ArgumentParser) -> None:
    """Add the options of `organizations`."""
    parser.add_argument("--create", metavar="ID", help="make a new one first")
    parser.add_argument("--name", default="", metavar="TEXT", help="of the new one, for people")


def organizations(call: CommandCall) -> int:
    """List the organizations. Raises Conflict, Invalid."""
    with call.open() as deployment:
        if call.args.create:
            deployment.keys.create_organization(call.args.create, call.args.name)
        found = deployment.keys.organizations()
    if call.out.json:
        call.out.data({"data": [{"id": one.id, "name": one.name, "created_at": iso(one.created_at)} for one in found]})
    else:
        call.out.table(("id", "name", "created"), [(one.id, one.name, iso(one.created_at)) for one in found])
    return 0


COMMANDS = (
    PluginCommand("api-keys create", "make a key; its secret is shown once", configure_create, create),
    PluginCommand("api-keys list", "keys and when they were last used", configure_list, show),
    PluginCommand("api-keys revoke", "let a key open nothing any more", configure_revoke, revoke),
    PluginCommand("api-keys organizations", "organizations, and new ones", configure_organizations, organizations),
)
