"""`doctor`: what works here and what does not."""

from __future__ import annotations

import platform
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from core.cli.command import Call, Command, home_options, json_option
from core.cli.exit_codes import MISSING, OK
from core.cli.opening import opened, settings_of
from core.cli.people import size
from core.errors import TailraceError

_LITTLE_SPACE = 1 << 30
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
    """What can be told without an app, then what the app says of itself; what keeps it from opening is a check too."""
    yield "python", True, f"{platform.python_version()} ({sys.executable})"
    yield "core", True, f"{call.product.version}, loaded from {Path(__file__).parents[2]}"
    try:
        home = settings_of(call).home
        with opened(call) as app:
            yield "home", True, f"{home} can be written"
            yield _free_space(home)
            yield from app.checks()
    except TailraceError as error:
        yield "home", False, " ".join(str(error).split())


def _free_space(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    return "disk", free >= _LITTLE_SPACE, f"{size(free)} free" + ("" if free >= _LITTLE_SPACE else ": too little")


COMMANDS = (Command("doctor", "Say what works here and what does not.", _configure, _execute),)
