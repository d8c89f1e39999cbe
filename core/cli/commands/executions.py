"""`executions`: flow executions, their logs, and why they stand where they stand."""

from __future__ import annotations

from argparse import ArgumentParser

from core.cli.actions import ACTIONS, WHICH
from core.cli.command import Call, Command, UsageError, json_option, reach_options
from core.cli.exit_codes import OK
from core.cli.filters import created_between, flow_filters, flow_ids, page_options
from core.cli.opening import Reached, reached
from core.cli.people import duration, iso_time, short_time
from core.cli.report import all_logs, show_execution, show_reasons, show_task
from core.cli.shapes import execution_object, execution_row, log_row, output_object, page_object
from core.errors import NotFound
from core.host.views import ExecutionFilter, ExecutionView
from core.model.data import evolve
from core.sdk.context import LEVELS


def _filters(parser: ArgumentParser) -> None:
    group = flow_filters(parser)
    group.add_argument("--label", action="append", default=[], metavar="KEY[:VALUE]", help="a label of the execution")


def _filter(call: Call, app: Reached) -> ExecutionFilter:
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
    parser.add_argument("id", help=WHICH)
    reach_options(parser)


def _one_execution_json(parser: ArgumentParser) -> None:
    json_option(parser)
    _one_execution(parser)


def _configure_list(parser: ArgumentParser) -> None:
    _filters(parser)
    page_options(parser)
    json_option(parser)
    reach_options(parser)


def _list(call: Call) -> int:
    args, out = call.args, call.out
    with reached(call) as app:
        page = app.executions.list(evolve(_filter(call, app), limit=args.limit, starting_after=args.starting_after))
    if args.json:
        out.data(page_object(page, [execution_row(view) for view in page.data]))
        return OK
    linked = any(map(_from, page.data))
    out.table(
        ("ID", "FLOW", "REVISION", "STATE", "DURATION", "CREATED", *(("FROM",) if linked else ()), "ERROR"),
        [
            (view.id, f"{view.namespace}/{view.flow_id}", view.flow_revision, view.state, duration(view.duration),
             short_time(view.created_at), *((_from(view),) if linked else ()), view.error or None)
            for view in page.data
        ],
    )  # fmt: skip
    if page.has_more and page.next is not None:
        out.note(f"there are more: add --starting-after {page.next}")
    return OK


def _configure_show(parser: ArgumentParser) -> None:
    parser.add_argument("--task-name", metavar="NAME", help="one task: its output, what it failed with")
    parser.add_argument("--value", help="of the loop around that task")
    parser.add_argument("--all", action="store_true", help="every task execution, however many there are of one task")
    _one_execution_json(parser)


def _from(view: ExecutionView) -> str | None:
    """What it was made from: the execution that called it, or the one that it was derived from."""
    if view.parent_id:
        return f"called by {view.parent_id}"
    return f"derived from {view.original_id}" if view.original_id else None


def _show(call: Call) -> int:
    args, out = call.args, call.out
    if args.value is not None and args.task_name is None:
        raise UsageError("--value says which execution of a task is meant", expected="--task-name too")
    with reached(call) as app:
        view = app.executions.get(args.id)
        if args.task_name is not None:
            _show_tasks(call, app, view.id)
        elif args.json:
            out.data(execution_object(view, app))
        else:
            show_execution(call, app, view, everything=args.all)
    return OK


def _show_tasks(call: Call, app: Reached, execution_id: str) -> None:
    args, out = call.args, call.out
    named = [task for task in app.executions.tasks(execution_id) if task.task_name == args.task_name]
    found = [task for task in named if args.value is None or task.value == args.value]
    if not found:
        raise NotFound(f"no task `{args.task_name}` ran in the execution {execution_id}" + (
            f" for the value `{args.value}`" if named else ""))  # fmt: skip
    if args.json:
        organization = app.settings.organization
        out.data({"data": [output_object(task, app.outputs.value(task.id), organization) for task in found]})
        return
    for task in found:
        show_task(call, app, task)


def _configure_logs(parser: ArgumentParser) -> None:
    parser.add_argument("--task-name", metavar="NAME", help="of this task only")
    parser.add_argument("--level", choices=LEVELS, default="TRACE", help="the least level")
    _one_execution_json(parser)


def _logs(call: Call) -> int:
    args, out = call.args, call.out
    with reached(call) as app:
        lines = all_logs(app, app.executions.get(args.id).id, task_name=args.task_name, level=args.level)
        if args.json:
            out.data({"data": [log_row(line) for line in lines]})
            return OK
        for line in lines:
            out.result(f"{iso_time(line.at)} {line.task_name or '-'} {line.level} {line.message}")
    return OK


def _why(call: Call) -> int:
    with reached(call) as app:
        reasons = app.executions.why(app.executions.get(call.args.id).id)
    if call.args.json:
        commands = [list(reason.command) for reason in reasons if reason.command]
        call.out.data({"why": [reason.text for reason in reasons], "commands": commands})
    else:
        show_reasons(call, reasons)
    return OK


def _configure_purge(parser: ArgumentParser) -> None:
    _filters(parser)
    parser.add_argument("--all", action="store_true", help="every execution that has ended; instead of filters")
    json_option(parser)
    reach_options(parser)


def _purge(call: Call) -> int:
    with reached(call) as app:
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
    Command("executions show", "One execution: its tasks, outputs and failures.", _configure_show, _show),
    Command("executions logs", "Recorded log lines.", _configure_logs, _logs),
    Command("executions why", "What it waits for, or why it ended as it did.", _one_execution_json, _why),
    *ACTIONS,
    Command("executions purge", "Delete ended executions, their records and files.", _configure_purge, _purge),
)
