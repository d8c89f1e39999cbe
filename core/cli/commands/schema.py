"""`schema`: the JSON Schema of flows, with every type that is installed."""

from __future__ import annotations

from argparse import ArgumentParser

from core.cli.bytes_out import send
from core.cli.command import Call, Command, home_options, json_option, target_option
from core.cli.exit_codes import OK
from core.cli.opening import opened
from core.cli.output import json_text
from core.registry.schema import flow_schema


def _configure(parser: ArgumentParser) -> None:
    target_option(parser)
    json_option(parser)
    home_options(parser)


def _execute(call: Call) -> int:
    with opened(call) as app:
        text = json_text(flow_schema(app.registry), indent=2)
    send(call.out, call.args.output, [text.encode("utf-8"), b"\n"])
    return OK


COMMANDS = (Command("schema", "The JSON Schema of flows, for editors.", _configure, _execute),)
