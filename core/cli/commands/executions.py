"""`executions`: flow executions, their logs, and why they stand where they stand."""

from __future__ import annotations

from argparse import ArgumentParser

from core.app import App
from core.cli.command import Call, Command, UsageError, home_options, json_option
from core.cli.exit_codes import OK
from core.cli.filters import created_between, flow_filters, flow_ids, page_options
from core.cli.opening import opened
from core.cli.people import duration, iso_time, short_time
from core.cli.report import all_logs, show_execution
from core.cli.shapes import execution_object, execution_row, log_row, page_object
from core.host.views import ExecutionFilter
from core.model.data import evolve
from core.model.state import ENDED
from core.sdk.context import LEVELS

_WHICH = "an id, the beginning of one, or `last`"


def _filters(parser: ArgumentParser) -> None:
    group = flow_filters(parser)
    group.add_argument("--label", action="append", default=[], metavar="KEY[:VALUE]", help="a label of the execution")


def _filter(call: Call, app: App) -> ExecutionFilter:
    args = call.args
    after, before = created_between(args, app.settings.zone)
    return ExecutionFilter(
        flow_id=flow_ids(args),
        namespace=tuple(args.namespace),
        status=tuple(args.status),
        state=tuple(args.state),
        label=tuple(args.label),
        created_after=after,
        created_before=before,
    )


def _one_execution(parser: ArgumentParser) -> None:
    parser.add_argument("id", help=_WHICH)
    home_options(parser)


def _one_execution_json(parser: ArgumentParser) -> None:
    json_option(parser)
    _one_execution(parser)


def _configure_list(parser: ArgumentParser) -> None:
    _filters(parser)
    page_options(parser)
    json_option(parser)
    home_options(parser)


def _list(call: Call) -> int:
    args, out = call.args, call.out
    with opened(call) as app:
        page = app.executions.list(evolve(_filter(call, app), limit=args.limit, starting_after=args.starting_after))
    if args.json:
        out.data(page_object(page, [execution_row(view) for view in page.data]))
        return OK
    out.table(
        ("ID", "FLOW", "REVISION", "STATE", "DURATION", "CREATED", "ERROR"),
        [
            (view.id, f"{view.namespace}/{view.flow_id}", view.flow_revision, view.state, duration(view.duration),
             short_time(view.created_at), view.error or None)
            for view in page.data
        ],
    )  # fmt: skip
    if page.has_more and page.next is not None:
        out.note(f"there are more: add --starting-after {page.next}")
    return OK


def _show(call: Call) -> int:
    with opened(call) as app:
        view = app.executions.get(call.args.id)
        if call.args.json:
            call.out.data(execution_object(view, app))
        else:
            show_execution(call, app, view)
    return OK


def _configure_logs(parser: ArgumentParser) -> None:
    parser.add_argument("--task-name", metavar="NAME", help="of this task only")
    parser.add_argument("--level", choices=LEVELS, default="TRACE", help="the least level")
    _one_execution_json(parser)


def _logs(call: Call) -> int:
    args, out = call.args, call.out
    with opened(call) as app:
        lines = all_logs(app, app.executions.get(args.id).id, task_name=args.task_name, level=args.level)
    if args.json:
        out.data({"data": [log_row(line) for line in lines]})
        return OK
    for line in lines:
        out.result(f"{iso_time(line.at)} {line.task_name or '-'} {line.level} {line.message}")
    return OK


def _why(call: Call) -> int:
    with opened(call) as app:
        reasons = app.executions.why(app.executions.get(call.args.id).id)
    if call.args.json:
        call.out.data({"why": reasons})
    else:
        for line in reasons:
            call.out.result(line)
    return OK


def _kill(call: Call) -> int:
    with opened(call) as app:
        view = app.executions.get(call.args.id)
        app.executions.kill(view.id)
        state = app.executions.get(view.id).state
    call.out.result(f"{view.id} is {state}" if state in ENDED else f"{view.id} was asked to end")
    return OK


def _configure_purge(parser: ArgumentParser) -> None:
    _filters(parser)
    parser.add_argument("--all", action="store_true", help="every execution that has ended; instead of filters")
    json_option(parser)
    home_options(parser)


def _purge(call: Call) -> int:
    with opened(call) as app:
        which = _filter(call, app)
        if (which == ExecutionFilter()) != call.args.all:
            raise UsageError(
                "it is not clear which executions to delete", expected="filters, or --all for every one that has ended"
            )
        purged = 0
        while count := app.executions.purge(which):  # a page at a time
            purged += count
    if call.args.json:
        call.out.data({"purged": purged})
    else:
        call.out.result(f"{purged} purged")
    return OK


COMMANDS = (
    Command("executions list", "Flow executions, newest first.", _configure_list, _list),
    Command("executions show", "One execution: its tasks, outputs and failures.", _one_execution_json, _show),
    Command("executions logs", "Recorded log lines.", _configure_logs, _logs),
    Command("executions why", "What it waits for, or why it ended as it did.", _one_execution_json, _why),
    Command("executions kill", "Ask whoever runs it to end it.", _one_execution, _kill),
    Command("executions purge", "Delete ended executions, their records and files.", _configure_purge, _purge),
)
