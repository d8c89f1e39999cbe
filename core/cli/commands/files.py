"""`files`: stored files, to look at, to fetch and to put there."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.cli.bytes_out import send
from core.cli.command import Call, Command, UsageError, home_options, json_option, positive, target_option
from core.cli.exit_codes import OK
from core.cli.opening import opened
from core.cli.people import size
from core.cli.show import preview_lines
from core.errors import NotFound
from core.host.views import FileView
from core.sdk.context import copy_stream


def _object(file: FileView) -> dict[str, Any]:
    return {"uri": file.uri, "size": file.size, "sha256": file.sha256 or None}


def _configure_get(parser: ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="storage:///…")
    target_option(parser)
    home_options(parser)


def _get(call: Call) -> int:
    with opened(call) as app, app.files.open(call.args.uri) as source:
        send(call.out, call.args.output, copy_stream(source))
    return OK


def _configure_put(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("target", metavar="NAMESPACE[/NAME]", help="the name may hold folders (default: the file's)")
    json_option(parser)
    home_options(parser)


def _put(call: Call) -> int:
    file: Path = call.args.file
    if not os.path.isfile(file):  # unlike that of Path, it takes any text
        raise NotFound("there is no such file", where=str(file))
    namespace, _, name = call.args.target.partition("/")
    if not namespace:
        raise UsageError(f"`{call.args.target}` has no namespace", expected="NAMESPACE or NAMESPACE/NAME")
    with opened(call) as app:
        stored = app.files.put(file, namespace, name or file.name)
    if call.args.json:
        call.out.data(_object(stored))
    else:
        call.out.result(f"{stored.uri}  ({size(stored.size)})")
    return OK


def _configure_list(parser: ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="a directory: storage:///…")
    json_option(parser)
    home_options(parser)


def _list(call: Call) -> int:
    with opened(call) as app:
        files = app.files.list(call.args.uri)
    if call.args.json:
        call.out.data({"data": [_object(file) for file in files]})
    else:
        call.out.table(("BYTES", "URI"), [(file.size, file.uri) for file in files])
    return OK


def _configure_preview(parser: ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="storage:///…")
    parser.add_argument("--rows", type=positive, default=20, metavar="N", help="how many rows (default 20)")
    json_option(parser)
    home_options(parser)


def _preview(call: Call) -> int:
    with opened(call) as app:
        preview = app.files.preview(call.args.uri, call.args.rows)
    if not call.args.json:
        for line in preview_lines(preview):
            call.out.result(line)
        return OK
    call.out.data(
        {
            "uri": preview.uri,
            "size": preview.size,
            "kind": preview.kind,
            "columns": preview.columns,
            "rows": preview.rows,
            "text": preview.text,
            "truncated": preview.truncated,
        }
    )
    return OK


COMMANDS = (
    Command("files get", "The bytes of a stored file.", _configure_get, _get),
    Command("files put", "Store a file for all flows of a namespace.", _configure_put, _put),
    Command("files list", "The files below a directory of the storage.", _configure_list, _list),
    Command("files preview", "The first rows or lines of a stored file.", _configure_preview, _preview),
)
