"""What people do to executions: pause, resume, restart, replay, change a task's state, force it to run.

An action is told to the execution. Where another process works on it, that process follows; else this one does, to
the end, as `run` would.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from core.app import App
from core.app.creation import declared_inputs
from core.app.executions import GIVEN_STATES
from core.cli.command import Call, Command, UsageError, json_option, reach_options
from core.cli.exit_codes import OK
from core.cli.given import given_value, pairs
from core.cli.opening import Reached, reached
from core.cli.running import follow_to_end, running_options, show_result
from core.errors import Conflict
from core.host.views import ExecutionView
from core.model.state import ENDED

WHICH = "an id, the beginning of one, or `last`"
_LIKE_RUN = "ends as `run` does, with the same exit codes; 0 when another process works on the execution and was told"


def _one(parser: ArgumentParser) -> None:
    parser.add_argument("id", help=WHICH)
    json_option(parser)
    reach_options(parser)


def _one_that_runs(parser: ArgumentParser) -> None:
    parser.add_argument("id", help=WHICH)
    parser.add_argument(
        "--flows", type=Path, metavar="DIR", help="where flows that it calls are; `_files/` in it is read first"
    )
    running_options(parser)
    reach_options(parser)


def _value_option(parser: ArgumentParser) -> None:
    parser.add_argument("--value", help="of the loop around the task (of all loops around it, joined by `/`)")


# -- told to whoever works on it


def _kill(call: Call) -> int:
    with reached(call) as app:
        view = app.executions.get(call.args.id)
        app.executions.kill(view.id)
        state = app.executions.get(view.id).state
    _show_asked(call, view.id, state, "end", f"is {state}" if state in ENDED else "was asked to end")
    return OK


def _pause(call: Call) -> int:
    with reached(call) as app:
        view = app.executions.get(call.args.id)
        app.executions.pause(view.id)
        state = app.executions.get(view.id).state
    said = "was asked to pause: what runs goes on to its end, nothing new begins"
    _show_asked(call, view.id, state, "pause", said)
    return OK


def _show_asked(call: Call, execution_id: str, state: str, asked: str, said: str) -> None:
    """What was asked of an execution, and in what state it is now."""
    if call.args.json:
        call.out.data({"id": execution_id, "state": state, "asked": asked})
    else:
        call.out.result(f"{execution_id} {said}")


# -- done here, when nobody works on it


def _configure_resume(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-i", "--input", action="append", default=[], metavar="NAME=VALUE",
        help="what the waiting task asks for; NAME=@FILE as for `run`",
    )  # fmt: skip
    parser.add_argument("--task-name", metavar="NAME", help="of several tasks that wait, let only this one go on")
    _value_option(parser)
    _one_that_runs(parser)


def _resume(call: Call) -> int:
    args = call.args
    written = pairs("input", args.input)
    if args.value is not None and args.task_name is None:
        raise UsageError("--value says which execution of a task is meant", expected="--task-name too")

    def ask(app: Reached, view: ExecutionView) -> None:
        files = _files_asked_for(app, view) if isinstance(app, App) else set()
        given = {name: given_value(name, text, is_file=name in files) for name, text in written.items()}
        app.executions.resume(view.id, given, task_name=args.task_name, value=args.value)

    return _act(call, "go on", ask)


def _files_asked_for(app: App, view: ExecutionView) -> set[str]:
    """The inputs of waiting tasks that are paths of files."""
    flow = app.flows.parsed(view.namespace, view.flow_id, view.flow_revision)
    return {one.id for step in flow.steps() for one in declared_inputs(step) if one.type == "FILE"}


def _restart(call: Call) -> int:
    return _act(call, "go on", lambda app, view: app.executions.restart(view.id))


def _force_run(call: Call) -> int:
    return _act(call, "run now", lambda app, view: app.executions.force_run(view.id))


def _configure_change_state(parser: ArgumentParser) -> None:
    _one_that_runs(parser)
    parser.add_argument("task", metavar="TASK", help="the task's id in the flow")
    parser.add_argument("state", metavar="STATE", choices=GIVEN_STATES, help="one of " + ", ".join(GIVEN_STATES))
    _value_option(parser)


def _change_state(call: Call) -> int:
    args = call.args
    return _act(
        call, "go on", lambda app, view: app.executions.change_state(view.id, args.task, args.state, value=args.value)
    )


def _act(call: Call, what: str, ask: Callable[[Reached, ExecutionView], None]) -> int:
    """Tell the execution, then follow it to its end unless another process does."""
    with reached(call) as app:
        view = app.executions.get(call.args.id)
        if not app.executions.is_owned(view.id):
            _look(call, app, view)
        ask(app, view)
        if not app.executions.is_owned(view.id):
            try:
                return _follow(call, app, view.id)
            except Conflict:
                if not app.executions.is_owned(view.id):
                    raise
        now = app.executions.get(view.id)
    if call.args.quiet:
        call.out.result(now.id)
    else:
        _show_asked(call, now.id, now.state, what, f"was asked to {what}: another process works on it")
    return OK


# -- as a new execution


def _configure_replay(parser: ArgumentParser) -> None:
    _one_that_runs(parser)
    parser.add_argument("--from", dest="from_task", metavar="TASK", help="keep what ran before this task")
    _value_option(parser)
    parser.add_argument("--stale", action="store_true", help="run only what is stale, and what follows from it")
    parser.add_argument(
        "--latest-revision", action="store_true", help="of the flow, instead of the revision that ran"
    )


def _replay(call: Call) -> int:
    args = call.args
    if args.stale and args.from_task is not None:
        raise UsageError("what runs again is either stale or begins at a task", expected="one of --from, --stale")
    if args.value is not None and args.from_task is None:
        raise UsageError("--value says which execution of a task is meant", expected="--from too")
    with reached(call) as app:
        old = app.executions.get(args.id)
        _look(call, app, old, latest=args.latest_revision)
        new = app.executions.replay(
            old.id, from_task=args.from_task, value=args.value, stale=args.stale, latest_revision=args.latest_revision
        )
        call.out.note(f"{new.id} replays {old.id}")
        return _follow(call, app, new.id)


# -- shared


def _look(call: Call, app: Reached, view: ExecutionView, *, latest: bool = False) -> None:
    """Whether what the flow needs is here, before anything is changed. Raises Unreachable, InvalidFlow.

    latest: the newest revision of the flow is meant. A server looks itself.
    """
    args = call.args
    if not isinstance(app, App):
        if args.flows is not None or args.runner is not None:
            option = "--runner" if args.flows is None else "--flows"
            raise UsageError(f"`{option}` is about a run on this machine", expected=f"either {option} or --server")
        return
    if args.flows is not None:
        app.flows.look_in(args.flows)
    revision = app.flows.get(view.namespace, view.flow_id).revision if latest else view.flow_revision
    flow = app.flows.parsed(view.namespace, view.flow_id, revision)
    for line in app.executions.preflight(flow, runner=call.args.runner, execution_id=view.id):
        call.out.note(line)


def _follow(call: Call, app: Reached, execution_id: str) -> int:
    args = call.args
    ended, code = follow_to_end(
        call, app, execution_id, runner=args.runner, log_level=args.log_level,
        local_files=args.flows / "_files" if args.flows is not None else None,
    )  # fmt: skip
    show_result(call, app, ended, code)
    return code


ACTIONS = (
    Command("executions kill", "End it, and the executions it waits for.", _one, _kill),
    Command("executions pause", "Let nothing new begin until somebody resumes it.", _one, _pause),
    Command(
        "executions resume", "Let it go on: after a pause, or where its process was lost.",
        _configure_resume, _resume, _LIKE_RUN,
    ),
    Command("executions restart", "Let one that failed go on where it failed.", _one_that_runs, _restart, _LIKE_RUN),
    Command("executions replay", "Run one again as a new execution.", _configure_replay, _replay, _LIKE_RUN),
    Command(
        "executions change-state", "Let a task count as ended otherwise, and go on from it.",
        _configure_change_state, _change_state, _LIKE_RUN,
    ),
    Command(
        "executions force-run", "Run one now that is queued, paused or to begin later.",
        _one_that_runs, _force_run, _LIKE_RUN,
    ),
)  # fmt: skip
