"""`outputs`: what came out, across executions."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.cli.bytes_out import send
from core.cli.command import Call, Command, json_option, positive, reach_options, target_option
from core.cli.compared import DIFF
from core.cli.exit_codes import OK
from core.cli.filters import created_between, flow_filters, flow_ids, page_options
from core.cli.opening import Reached, reached
from core.cli.output import json_text
from core.cli.people import facts, short_time, size
from core.cli.report import show_task
from core.cli.shapes import output_object, output_row, page_object
from core.errors import NotFound
from core.host.views import OutputFilter, TaskExecutionView
from core.model.data import evolve
from core.model.near import did_you_mean, near_misses
from core.sdk.context import copy_stream
from core.sdk.storage import is_storage_uri

_WHICH = "an id, the beginning of one, EXECUTION/TASK, or last/TASK"


def _filters(parser: ArgumentParser) -> None:
    group = flow_filters(parser)
    group.add_argument(
        "--flow-execution-id", action="append", default=[], metavar="ID", help="its flow execution (also `last`)"
    )
    group.add_argument("--task-name", action="append", default=[], metavar="NAME", help="the task's id in the flow")
    group.add_argument("--tag", action="append", default=[], metavar="KEY[:VALUE]", help="a tag of the output")


def _filter(call: Call, app: Reached) -> OutputFilter:
    args = call.args
    after, before = created_between(args, app.settings.zone)
    return OutputFilter(
        flow_execution_id=tuple(app.executions.get(text).id for text in args.flow_execution_id),
        flow_id=flow_ids(args),
        namespace=tuple(args.namespace),
        task_name=tuple(args.task_name),
        status=tuple(args.status),
        state=tuple(args.state),
        tag=tuple(args.tag),
        created_after=after,
        created_before=before,
    )


def _configure_list(parser: ArgumentParser) -> None:
    _filters(parser)
    page_options(parser)
    json_option(parser)
    reach_options(parser)


def _list(call: Call) -> int:
    args, out = call.args, call.out
    with reached(call) as app:
        which = evolve(_filter(call, app), limit=args.limit, starting_after=args.starting_after)
        page = app.outputs.list(which)
        if args.json:
            out.data(page_object(page, [output_row(view, app.settings.organization) for view in page.data]))
            return OK
    columns = ("ID", "FLOW", "TASK", "VALUE", "STATUS", "SIZE", "SUMMARY", "CREATED")
    out.table(columns, [_table_row(view) for view in page.data])
    if page.has_more and page.next is not None:
        out.note(f"there are more: add --starting-after {page.next}")
    return OK


def _table_row(view: TaskExecutionView) -> tuple[Any, ...]:
    return (
        view.id, f"{view.namespace}/{view.flow_id}", view.task_name, view.value, view.status,
        size(view.output_size), view.error or facts(view.summary), short_time(view.created_at),
    )  # fmt: skip


def _configure_show(parser: ArgumentParser) -> None:
    parser.add_argument("id", help=_WHICH)
    json_option(parser)
    reach_options(parser)


def _show(call: Call) -> int:
    with reached(call) as app:
        view = app.outputs.get(call.args.id)
        if call.args.json:
            call.out.data(output_object(view, app.outputs.value(view.id), app.settings.organization))
        else:
            show_task(call, app, view)
    return OK


def _configure_get(parser: ArgumentParser) -> None:
    parser.add_argument("id", help=_WHICH)
    parser.add_argument("name", nargs="?", help="one value of the output, such as uri or outputFiles.products.csv")
    parser.add_argument("--json", action="store_true", help="print the value as JSON where it names a file, too")
    target_option(parser)
    reach_options(parser)


def _get(call: Call) -> int:
    args = call.args
    with reached(call) as app:
        value = app.outputs.value(app.outputs.get(args.id).id)
        if args.name is not None:
            value = named_value(value, args.name)
        if is_storage_uri(value) and not args.json:
            with app.files.open(value) as source:
                send(call.out, args.output, copy_stream(source))
        else:
            send(call.out, args.output, [json_text(value, indent=2).encode("utf-8", "backslashreplace"), b"\n"])
    return OK


def named_value(value: Any, name: str) -> Any:
    """The value under `name`, parts joined by dots; a key that holds dots itself may be given as it is.

    Raises NotFound that tells what there is.
    """
    found = list(_under(value, name))
    if found:
        return found[0]
    names = list(value) if isinstance(value, Mapping) else []
    raise NotFound(
        f"the output has no `{name}`",
        expected="one of " + ", ".join(names) if names else "",
        hint=did_you_mean(near_misses(name, names)),
    )


def _under(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, Mapping):
        return
    if name in value:
        yield value[name]
    for key, item in value.items():
        if name.startswith(f"{key}."):
            yield from _under(item, name[len(key) + 1 :])


def _configure_export(parser: ArgumentParser) -> None:
    _filters(parser)
    parser.add_argument("--format", choices=("jsonl",), default="jsonl", help="one JSON object a line")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many (default: all)")
    parser.add_argument("--json", action="store_true", help="the same as --format jsonl")
    target_option(parser)
    reach_options(parser)


def _export(call: Call) -> int:
    target: Path | None = call.args.output
    with reached(call) as app:
        send(call.out, target, _exported(app, _filter(call, app), call.args.limit))
    return OK


def _exported(app: Reached, which: OutputFilter, limit: int | None) -> Iterator[bytes]:
    """Lines of the export, page by page, so that however much there is never has to be held."""
    left = limit
    while left is None or left > 0:
        page = app.outputs.list(evolve(which, limit=min(left or 500, 500)))
        for view in page.data:
            row = output_object(view, app.outputs.value(view.id), app.settings.organization)
            yield json_text(row).encode("utf-8", "backslashreplace") + b"\n"
        left = None if left is None else left - len(page.data)
        if not page.has_more or page.next is None:
            return
        which = evolve(which, starting_after=page.next)


COMMANDS = (
    Command("outputs list", "Task outputs, newest first.", _configure_list, _list),
    Command("outputs show", "One task output: its values, its files and their first rows.", _configure_show, _show),
    Command("outputs get", "The recorded output as JSON, or the bytes of a file in it.", _configure_get, _get),
    DIFF,
    Command("outputs export", "Task outputs with all they hold, one JSON object a line.", _configure_export, _export),
)
