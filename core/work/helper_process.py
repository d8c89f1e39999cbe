"""The helper's own side: reads calls from its standard input and writes what became of them to its standard output."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

from core.errors import TailraceError
from core.expressions.faults import Fault
from core.expressions.native import OPERATIONS
from core.work.apart_process import evaluate
from core.work.pipes import plain_error, raise_error, receive, send


def main(limits: str) -> None:
    """limits: bytes of memory and seconds of one call, `268435456,1.5`."""
    memory, seconds = limits.split(",")
    source, target = _pipes()
    _ignore_interrupts()
    _limit_memory(int(memory))
    send(target, {"ready": True})
    while True:
        try:
            operation, arguments = receive(source)
        except EOFError:
            return
        _alarm(float(seconds) + 1)
        reply = _done(operation, arguments, source, target)
        send(target, reply)
        _alarm(0)


def _done(operation: str, arguments: list[Any], source: BinaryIO, target: BinaryIO) -> dict[str, Any]:
    def ask(question: str, *details: Any) -> Any:
        send(target, {"ask": [question, list(details)]})
        reply = receive(source)
        if "error" in reply:
            raise_error(reply["error"])
        return reply["value"]

    try:
        value = evaluate(ask, *arguments) if operation == "evaluate" else OPERATIONS[operation](*arguments)
        return {"value": value}
    except (Fault, TailraceError) as error:
        return {"error": plain_error(error)}
    except MemoryError:
        return {"memory": True, "last": True}
    except RecursionError:
        return {"memory": True}


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Copies of the standard streams, which themselves lead nowhere from now on: a C library may write to them."""
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return source, target


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal; whoever started this one decides."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _limit_memory(memory: int) -> None:
    """As far as the system has such limits."""
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return
    try:
        with open("/proc/self/statm", "rb") as sizes:
            used = int(sizes.read().split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    except (OSError, ValueError):
        return


def _alarm(seconds: float) -> None:
    """Ends this process should whoever started it not be there any more to do so; 0 takes it back."""
    import signal  # noqa: PLC0415

    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)
