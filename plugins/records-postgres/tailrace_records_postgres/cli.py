"""`records init|migrate|status|copy`."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from core.host.deployment import CommandCall, PluginCommand
from tailrace_records_postgres.copying import copy_home
from tailrace_records_postgres.failures import INIT, shown
from tailrace_records_postgres.installation import ENGINE, init, migrate, status
from tailrace_records_postgres.statements import migrations

_OWNER = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE of the records' owner: whoever may make roles and schemas there"


def _url(parser: ArgumentParser) -> None:
    parser.add_argument("--url", required=True, metavar="URL", help=_OWNER)


def _of_init(parser: ArgumentParser) -> None:
    _url(parser)
    parser.add_argument("--role", default=ENGINE, metavar="NAME", help=f"the role of engines; {ENGINE} if not given")


def _of_copy(parser: ArgumentParser) -> None:
    _url(parser)
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="HOME", help="where records.db lies")


def _init(call: CommandCall) -> int:
    made = init(call.args.url, call.args.role)
    if call.out.json:
        call.out.data({"url": made.url, "role": made.engine, "new_role": made.new_role})
        return 0
    call.out.result(made.url)
    call.out.note(
        "the records are there. Engines and servers use this URL (setting `records`, TAILRACE_RECORDS); its password "
        "is shown this once." if made.new_role else
        f"the records are there. Put the password of {made.engine} into the URL: it had one before."
    )  # fmt: skip
    return 0


def _migrate(call: CommandCall) -> int:
    before, after = migrate(call.args.url)
    if call.out.json:
        call.out.data({"before": before, "version": after})
    else:
        call.out.result(f"version {after}" if before == after else f"version {before} became {after}")
    return 0


def _status(call: CommandCall) -> int:
    found, newest = status(call.args.url), migrations()[-1][0]
    if call.out.json:
        call.out.data({"version": found.version, "newest": newest, "role": found.engine, "owner": found.owner})
    elif not found.version:
        call.out.result(f"{shown(call.args.url)}: no records")
        call.out.note(INIT)
    else:
        place = shown(call.args.url)
        call.out.result(f"{place}: version {found.version} of {newest}, owned by {found.owner}, used by {found.engine}")
    return 0 if found.version == newest else 3


def _copy(call: CommandCall) -> int:
    copied = copy_home(call.args.source, call.args.url)
    if call.out.json:
        call.out.data(dict(copied))
    else:
        call.out.table(("table", "rows"), [(table, number) for table, number in copied.items() if number])
        call.out.note(f"{sum(copied.values())} rows; the files stay where they are")
    return 0


COMMANDS = (
    PluginCommand(
        "records init", "make roles and tables for records on PostgreSQL", _of_init, _init,
        "Prints the URL that engines and servers use. Where everything is there already, nothing is lost.",
    ),
    PluginCommand("records migrate", "upgrade the tables to this version", _url, _migrate),
    PluginCommand("records status", "show which version the tables have", _url, _status,
                  "Exits with 3 when they are missing or of another version."),
    PluginCommand(
        "records copy", "move a home into empty records", _of_copy, _copy,
        "All rows are copied in one transaction and counted; files stay in the storage that they are in.",
    ),
)  # fmt: skip
