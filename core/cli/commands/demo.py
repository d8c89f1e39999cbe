"""`demo`: a flow of three tasks against a server of its own: an API, a Python script, a query."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator

from core.app import App
from core.cli.command import Call, Command, home_options, json_option
from core.cli.demo_server import DATA, product_api
from core.cli.exit_codes import OK
from core.cli.opening import opened
from core.cli.people import duration
from core.cli.report import show_execution
from core.cli.running import load_flow, run_to_end
from core.cli.shapes import execution_object
from core.cli.show import preview_lines
from core.host.views import ExecutionView

_DETAILS = """\
It runs the flow that `--print-flow` shows. The products come from a server on this machine; `pip install polars` in
its second task may use the network the first time.
"""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("--print-flow", action="store_true", help="print the flow instead of running it")
    json_option(parser)
    home_options(parser)


def _execute(call: Call) -> int:
    source = DATA / "getting_started.yaml"
    if call.args.print_flow:
        call.out.result(source.read_text("utf-8").removesuffix("\n"))
        return OK
    with opened(call) as app, product_api() as url:
        flow = load_flow(call, app, source, warnings=False)
        call.out.note(f"{flow.namespace}/{flow.id}: {', '.join(step.id for step in flow.steps())}; api_url is {url}")
        ended, code = run_to_end(call, app, flow, {"api_url": url})
        if call.args.json:
            call.out.data(execution_object(ended, app))
        elif code != OK:
            show_execution(call, app, ended)
        else:
            _show(call, app, ended)
    return code


def _show(call: Call, app: App, ended: ExecutionView) -> None:
    table: str = app.outputs.value(_output_id(app, ended, "sqlQuery"))["uri"]
    out = call.out
    out.result(f"{ended.id}  {ended.state}  {duration(ended.duration)}\n")
    for line in preview_lines(app.files.preview(table)):
        out.result(line)
    out.result("\nEverything that came out is recorded. Look further:")
    for line in _look_further(call, app, ended, table):
        out.result(f"  {line}")


def _look_further(call: Call, app: App, ended: ExecutionView, table: str) -> Iterator[str]:
    yield call.to_type("outputs", "list", "--flow-execution-id", ended.id)
    yield call.to_type("outputs", "show", _output_id(app, ended, "python"))
    yield call.to_type("eval", ended.id, '{{ outputs.api.body | jq(".products[0].title") | first }}')
    yield call.to_type("files", "get", table)


def _output_id(app: App, ended: ExecutionView, task_name: str) -> str:
    """The id of the one output that a task of the demo gave."""
    return next(task.id for task in app.executions.tasks(ended.id) if task.task_name == task_name)


COMMANDS = (Command("demo", "Run a flow of three tasks against an API of its own.", _configure, _execute, _DETAILS),)
