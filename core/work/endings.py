"""In words: how a worker process died in the middle of its job."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from contextlib import suppress

from core.errors import TailraceError
from core.work.secrets import SEALED, Redactor
from core.work.wire import SecretUsed
from core.work.worker import Ending
from core.work.worker_process import EVALUATION_SECONDS
from core.work.worker_tools import WorkerTools

LINES = 20
LONGEST = 300
_WORDS = {
    signal.SIGKILL: "killed from outside, by hand or because the machine ran out of memory",
    signal.SIGSEGV: "segmentation fault: a native library used memory that is not its own",
    signal.SIGABRT: "aborted: a native library gave up",
    signal.SIGBUS: "bus error: a native library used memory that does not exist",
    signal.SIGFPE: "arithmetic error in a native library",
    signal.SIGILL: "illegal instruction: a native library was built for another processor",
}


def why_it_died(
    ending: Ending, secrets: Iterable[SecretUsed], description: WorkerTools, *, evaluation: bool
) -> str:
    """The reason, and the last lines of its standard error, secrets hidden."""
    if evaluation and ending.code == -signal.SIGALRM:
        return f"the expression takes more than {EVALUATION_SECONDS} s"
    what = "the expression" if evaluation else "the task"
    lines = [line[:LONGEST] for line in _hidden(ending.words, secrets, description).splitlines() if line.strip()]
    told = f"the process that ran {what} {_how(ending.code)}"
    if lines:
        told = "\n    ".join([f"{told}\n  it wrote last:", *lines[-LINES:]])
    return told


def _how(code: int) -> str:
    if code >= 0:
        return f"ended itself with exit code {code}"
    try:
        name, words = signal.Signals(-code).name, _WORDS.get(signal.Signals(-code)) or signal.strsignal(-code) or ""
    except ValueError:  # of those without a name
        name, words = f"signal {-code}", ""
    return f"died of {name} ({words})" if words else f"died of {name}"


def _hidden(text: str, secrets: Iterable[SecretUsed], description: WorkerTools) -> str:
    try:
        redactor = Redactor(description.secrets())
    except TailraceError:  # what must not be shown can't be known any more
        return ""
    for used in secrets:
        with suppress(TailraceError):  # it is not there (any more)
            redactor.know(SEALED, used.name) if used.sealed else redactor.know(used.name)
    return redactor.hide(text)
