"""`run`: a flow's file from its inputs to what came out."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from core.cli.command import Call, Command, UsageError, home_options
from core.cli.opening import opened
from core.cli.report import show_execution, show_look_further
from core.cli.running import load_flow, run_to_end
from core.cli.shapes import execution_object
from core.errors import NotFound
from core.model.flow import Flow
from core.sdk.context import LEVELS
from core.settings import RUNNERS

_DETAILS = """\
exit codes: 0 success (WARNING too), 1 failed, 2 wrong usage or an invalid flow, 3 something needed is missing,
4 paused until a person continues it, 130 interrupted (Ctrl-C ends the execution, a second one leaves it as it is)
"""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("flow", type=Path, metavar="FLOW.yaml", help="its file; `_files/` beside it is read first")
    parser.add_argument(
        "-i", "--input", action="append", default=[], metavar="NAME=VALUE",
        help="an input; NAME=@FILE: the file for a FILE input, its text for others (@@ stands for a leading @)",
    )  # fmt: skip
    parser.add_argument("--label", action="append", default=[], metavar="KEY=VALUE", help="a label of the execution")
    parser.add_argument(
        "--flows", type=Path, metavar="DIR", help="where flows that it calls are; default: the folder of FLOW.yaml"
    )
    parser.add_argument("--runner", choices=RUNNERS, help="where scripts run when the flow does not say")
    parser.add_argument(
        "--log-level", choices=LEVELS, default="INFO", help="the least level of the log lines that are shown"
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print the result as one JSON object")
    shown.add_argument("--quiet", action="store_true", help="print the id of the execution and errors, nothing else")
    home_options(parser)


def _execute(call: Call) -> int:
    args, out = call.args, call.out
    inputs, labels = pairs("input", args.input), pairs("label", args.label)
    with opened(call) as app:
        flow = load_flow(call, app, args.flow)
        app.flows.look_in(args.flows or args.flow.parent)
        ended, code = run_to_end(
            call, app, flow, input_values(flow, inputs),
            labels=labels, runner=args.runner, log_level=args.log_level, local_files=args.flow.parent / "_files",
        )  # fmt: skip
        if args.json:
            out.data(execution_object(ended, app))
        elif args.quiet:
            out.result(ended.id)
            if code:
                out.warn(f"error: the execution is {ended.state}" + (f": {ended.error}" if ended.error else ""))
        else:
            show_execution(call, app, ended)
            show_look_further(call, ended, app.executions.tasks(ended.id))
    return code


def pairs(what: str, given: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a map. Raises UsageError for one without `=` and for a name given twice."""
    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise UsageError(f"the {what} `{text}` has no value", expected="NAME=VALUE")
        if name in found:
            raise UsageError(f"the {what} `{name}` is given twice")
        found[name] = value
    return found


def input_values(flow: Flow, given: dict[str, str]) -> dict[str, str]:
    """What the flow is to be given: `@FILE` is the path for inputs of type FILE, the file's text for others."""
    file_inputs = {declared.id for declared in flow.inputs if declared.type == "FILE"}
    return {name: _input_value(name, text, name in file_inputs) for name, text in given.items()}


def _input_value(name: str, text: str, is_file: bool) -> str:
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@"):
        return text
    path = Path(text[1:]).expanduser()
    if not path.is_file():
        raise NotFound(f"the file for the input `{name}` does not exist", where=str(path))
    if is_file:
        return str(path.absolute())
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file for the input `{name}` can't be read: {error}", where=str(path)) from error


COMMANDS = (Command("run", "Run a flow and show what came out.", _configure, _execute, _DETAILS),)
