"""`eval`: an expression in the recorded context of an execution."""

from __future__ import annotations

from argparse import ArgumentParser

from core.cli.command import Call, Command, json_option, reach_options
from core.cli.exit_codes import OK
from core.cli.opening import reached


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="EXECUTION_ID", help="an id, the beginning of one, or `last`")
    parser.add_argument("expression", metavar="EXPRESSION", help="with or without its braces")
    parser.add_argument("--task-name", metavar="NAME", help="as this task would see it")
    parser.add_argument("--value", help="the value of the loop around that task; of all loops, joined by `/`")
    json_option(parser)
    reach_options(parser)


def _execute(call: Call) -> int:
    args = call.args
    with reached(call) as app:
        execution = app.executions.get(args.id)
        found = app.evaluator.evaluate(execution.id, args.expression, task_name=args.task_name, value=args.value)
    if args.json:
        call.out.data({"value": found.value, "type": found.type, "text": found.text})
    else:
        call.out.result(found.text)
    return OK


COMMANDS = (
    Command("eval", "Evaluate an expression in the recorded context of an execution.", _configure, _execute),
)
