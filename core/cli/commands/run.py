"""`run`: a flow's file from its inputs to what came out."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from core.cli.command import Call, Command, home_options
from core.cli.given import given_value, pairs
from core.cli.opening import opened
from core.cli.running import load_flow, run_to_end, running_options, show_result
from core.model.flow import Flow

_DETAILS = """\
exit codes: 0 success (WARNING too), 1 failed, 2 wrong usage or an invalid flow, 3 something needed is missing,
4 paused or waiting for a person, 70 a mistake of this program (a file says where), 130 interrupted (Ctrl-C and
SIGTERM end the execution, a second one leaves it as it is: `executions resume` goes on with it)
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
    running_options(parser)
    home_options(parser)


def _execute(call: Call) -> int:
    args = call.args
    inputs, labels = pairs("input", args.input), pairs("label", args.label)
    with opened(call) as app:
        flow = load_flow(call, app, args.flow)
        app.flows.look_in(args.flows or args.flow.parent)
        ended, code = run_to_end(
            call, app, flow, input_values(flow, inputs),
            labels=labels, runner=args.runner, log_level=args.log_level, local_files=args.flow.parent / "_files",
        )  # fmt: skip
        show_result(call, app, ended, code)
    return code


def input_values(flow: Flow, given: dict[str, str]) -> dict[str, str]:
    """What the flow is to be given: `@FILE` is the path for inputs of type FILE, the file's text for others."""
    file_inputs = {declared.id for declared in flow.inputs if declared.type == "FILE"}
    return {name: given_value(name, text, is_file=name in file_inputs) for name, text in given.items()}


COMMANDS = (Command("run", "Run a flow and show what came out.", _configure, _execute, _DETAILS),)
