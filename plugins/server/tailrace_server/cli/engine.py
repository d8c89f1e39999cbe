"""`engine`."""

from __future__ import annotations

from argparse import ArgumentParser
from queue import Empty, SimpleQueue

from core.host.deployment import CommandCall, PluginCommand
from tailrace_server.cli.numbers import positive
from tailrace_server.signals import signals

DETAILS = """\
For servers with --no-engine, or to share the work of one: several engines on
the same records take what is there to do, and take over what another one left."""
LOOK = 0.5
"""Seconds between two looks at whether it still works."""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--workers", type=positive, metavar="N", help="how many tasks run at once")
    parser.add_argument("--threads", action="store_true", help="run tasks in threads, not in worker processes")


def execute(call: CommandCall) -> int:
    """Work until a signal comes. What is in the engine's way is told; it tries again by itself."""
    asked: SimpleQueue[None] = SimpleQueue()  # a signal in the middle of Event.wait would wait for itself
    told: BaseException | None = None
    with call.open() as deployment:
        engine = deployment.engine(workers=call.args.workers, processes=not call.args.threads)
        with signals(lambda: asked.put(None)):
            engine.start()
            try:
                call.out.note(f"{deployment.title} {deployment.version} works on what is there to do")
                while not _is_asked(asked):
                    failure = engine.failure
                    if failure is not told:
                        told = failure
                        call.out.note(f"this is in its way, it tries again: {failure}" if failure else "it works again")
            finally:
                engine.close()
    return 0


def _is_asked(asked: SimpleQueue[None]) -> bool:
    """Whether it is to end, after LOOK seconds at most."""
    try:
        asked.get(timeout=LOOK)
    except Empty:
        return False
    return True


COMMANDS = (PluginCommand("engine", "work on executions, without answering requests", configure, execute, DETAILS),)
