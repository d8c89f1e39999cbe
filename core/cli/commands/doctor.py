"""`doctor`: what works here and what does not."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from core.cli.command import Call, Command, home_options, json_option
from core.cli.exit_codes import MISSING, OK
from core.cli.opening import opened
from core.errors import TailraceError

Check = tuple[str, bool, str]
"""A name, whether it is well, and a line about it."""


def _configure(parser: ArgumentParser) -> None:
    json_option(parser)
    home_options(parser)


def _execute(call: Call) -> int:
    checks = list(_checks(call))
    well = all(ok for _, ok, _ in checks)
    if call.args.json:
        rows = [{"name": name, "ok": ok, "message": message} for name, ok, message in checks]
        call.out.data({"ok": well, "checks": rows})
    else:
        call.out.table(("CHECK", "", ""), [(name, "ok" if ok else "BROKEN", line) for name, ok, line in checks])
    return OK if well else MISSING


def _checks(call: Call) -> Iterator[Check]:
    """Where the program was loaded from, then what the app says; what keeps it from opening is told as well."""
    yield "core", True, f"{call.product.version}, loaded from {Path(__file__).parents[2]}"
    try:
        with opened(call) as app:
            yield from app.checks()
    except TailraceError as error:
        yield "settings", False, " ".join(str(error).split())


COMMANDS = (Command("doctor", "Say what works here and what does not.", _configure, _execute),)
