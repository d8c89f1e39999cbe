"""`kv`: the key-value stores of namespaces."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from core.cli.command import Call, Command, UsageError, home_options, json_option
from core.cli.exit_codes import OK
from core.cli.opening import opened
from core.cli.output import json_text
from core.cli.people import cell, iso_time, scalar, short_time
from core.errors import NotFound, TailraceError
from core.host.views import KvView
from core.model.durations import parse_duration


def _object(entry: KvView) -> dict[str, Any]:
    return {
        "namespace": entry.namespace,
        "key": entry.key,
        "value": entry.value,
        "version": entry.version,
        "updated_at": iso_time(entry.updated_at),
    }


def _configure_key(parser: ArgumentParser) -> None:
    parser.add_argument("namespace", metavar="NAMESPACE")
    parser.add_argument("key", metavar="KEY")
    json_option(parser)
    home_options(parser)


def _get(call: Call) -> int:
    with opened(call) as app:
        entry = app.kv.get(call.args.namespace, call.args.key)
    if call.args.json:
        call.out.data(_object(entry))
    elif isinstance(entry.value, (dict, list, tuple)):
        call.out.result(json_text(entry.value, indent=2))
    else:
        call.out.result(scalar(entry.value))
    return OK


def _configure_set(parser: ArgumentParser) -> None:
    _configure_key(parser)
    parser.add_argument("value", metavar="VALUE")
    parser.add_argument("--type", choices=tuple(_TYPES), default="string", help="what the value is (default: string)")


def _set(call: Call) -> int:
    args = call.args
    value = typed(args.value, args.type)
    with opened(call) as app:
        entry = app.kv.set(args.namespace, args.key, value)
    if args.json:
        call.out.data(_object(entry))
    else:
        call.out.note(f"{entry.namespace}/{entry.key} is set, version {entry.version}")
    return OK


def typed(text: str, kind: str) -> Any:
    """The value a text stands for. Raises UsageError."""
    read, expected = _TYPES[kind]
    try:
        return read(text)
    except (ValueError, RecursionError, TailraceError) as error:
        raise UsageError(f"`{text}` is not a {kind}", expected=expected) from error


def _number(text: str) -> int | float:
    number = json.loads(text)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


_TYPES: dict[str, tuple[Callable[[str], Any], str]] = {
    "string": (str, ""),
    "number": (_number, "such as 5 or 2.5"),
    "boolean": (_boolean, "true or false"),
    "datetime": (datetime.fromisoformat, "such as 2025-05-01T10:00:00Z"),
    "date": (date.fromisoformat, "such as 2025-05-01"),
    "duration": (parse_duration, "such as PT1H30M"),
    "json": (json.loads, 'such as {"a": [1, 2]}'),
}
"""The kinds of values the reference language has, by name: how one is read, and what it looks like."""


def _configure_list(parser: ArgumentParser) -> None:
    parser.add_argument("namespace", metavar="NAMESPACE")
    json_option(parser)
    home_options(parser)


def _list(call: Call) -> int:
    with opened(call) as app:
        entries = app.kv.list(call.args.namespace)
    if call.args.json:
        call.out.data({"data": [_object(entry) for entry in entries]})
    else:
        rows = [(entry.key, cell(entry.value), entry.version, short_time(entry.updated_at)) for entry in entries]
        call.out.table(("KEY", "VALUE", "VERSION", "UPDATED"), rows)
    return OK


def _delete(call: Call) -> int:
    args = call.args
    with opened(call) as app:
        if not app.kv.delete(args.namespace, args.key):
            raise NotFound(f"there is no key `{args.key}` in the namespace `{args.namespace}`")
    if args.json:
        call.out.data({"deleted": args.key})
    else:
        call.out.note(f"{args.namespace}/{args.key} is deleted")
    return OK


COMMANDS = (
    Command("kv get", "The value of a key.", _configure_key, _get),
    Command("kv set", "Set the value of a key.", _configure_set, _set),
    Command("kv list", "Every key of a namespace.", _configure_list, _list),
    Command("kv delete", "Remove a key.", _configure_key, _delete),
)
