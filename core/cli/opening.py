"""From the options of a command to an open app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.app import App, open_app
from core.cli.command import Call
from core.errors import NotFound
from core.settings import Settings, load_settings


def settings_of(call: Call) -> Settings:
    """The settings of everything a command line says. Raises Invalid, NotFound."""
    args = call.args
    if args.secrets is not None and not args.secrets.is_file():
        raise NotFound("the file of secrets does not exist", where=str(args.secrets))
    return load_settings(
        home=args.home, product=call.product, plugins_dir=args.plugins_dir, secrets_file=args.secrets
    )


@contextmanager
def opened(call: Call) -> Iterator[App]:
    """The app of the installation that the command line means, closed at the end of the block."""
    with open_app(settings_of(call)) as app:
        yield app
