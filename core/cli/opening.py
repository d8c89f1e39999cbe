"""From the options of a command to what it asks: an open app, or a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from core.app import App, open_app
from core.cli.command import Call, UsageError
from core.errors import NotFound
from core.host.services import Services
from core.settings import Settings, load_settings

OF_THIS_MACHINE = ("home", "plugins_dir", "secrets")
"""Options that say which installation of this machine is meant."""


class Reached(Services, Protocol):
    """An app of this machine, or the services of a server."""

    @property
    def settings(self) -> Settings: ...


def settings_of(call: Call) -> Settings:
    """The settings of everything a command line says. Raises Invalid, NotFound."""
    args = call.args
    if args.secrets is not None and not os.path.isfile(os.path.expanduser(args.secrets)):
        raise NotFound("the file of secrets does not exist", where=str(args.secrets))
    return load_settings(
        home=args.home, product=call.product, plugins_dir=args.plugins_dir, secrets_file=args.secrets
    )


@contextmanager
def opened(call: Call) -> Iterator[App]:
    """The app of the installation that the command line means, closed at the end of the block."""
    with open_app(settings_of(call)) as app:
        yield app


@contextmanager
def reached(call: Call) -> Iterator[Reached]:
    """The server that the command line or the settings name; where they name none, what `opened` gives."""
    args = call.args
    here = [name for name in OF_THIS_MACHINE if getattr(args, name) is not None]
    if args.server is not None and here:
        option = f"--{here[0].replace('_', '-')}"
        raise UsageError(f"`{option}` is about this machine", expected=f"either {option} or --server")
    settings = load_settings(home=args.home, product=call.product, server=args.server, api_key=args.api_key)
    if not settings.server or here:
        with opened(call) as app:
            yield app
        return
    from core.app.remote.services import open_remote  # noqa: PLC0415 - a client of HTTP is not loaded for a home

    with open_remote(settings) as server:
        yield server
