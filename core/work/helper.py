"""Processes for work that this one could not stop: jq programs, regular expressions, whole evaluations for people.

They start when they are first needed, stay warm, hold nothing but what a call gives them (no environment, no files,
limited memory), and are killed when a call takes too long.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from core.errors import Interrupted, TailraceError, Unreachable
from core.expressions.faults import Fault
from core.work.pipes import plain_error, raise_error, receive, send

if TYPE_CHECKING:
    from subprocess import Popen

MAX_SECONDS = 1.25
"""Of one call, by the clock on the wall."""
MAX_MEMORY = 256 * 1024 * 1024
"""Bytes that a helper may take on top of what it starts with."""
_START_SECONDS = 30.0
_CAN_POLL = hasattr(select, "poll")
"""Pipes of Windows can't be waited for with a time limit: there another thread ends what is late, which is slower."""
_AT_ONCE = 4
_CODE = "import sys; sys.path[:] = sys.argv[2:]; from core.work.helper_process import main; main(sys.argv[1])"
_NEEDED_TO_START = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")

Answer = Callable[[str, list[Any]], Any]
_WORDS = {"jq": "the jq program", "split": "the regular expression", "replace": "the regular expression"}


class Helper:
    """Safe for many threads; up to four calls run at once, the others wait. `close` it.

    environment: of this process; the helpers get what an interpreter needs to start, and nothing else of it.
    """

    def __init__(self, environment: Mapping[str, str], seconds: float = MAX_SECONDS, memory: int = MAX_MEMORY) -> None:
        self._environment = {name: environment[name] for name in _NEEDED_TO_START if name in environment}
        self._seconds = seconds
        self._memory = memory
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._started: set[_Process] = set()
        self._closed = False

    def __call__(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        """An operation of `core.expressions.native`. Raises Fault."""
        return self.call(operation, list(arguments), _no_answers)

    def call(self, operation: str, arguments: list[Any], answer: Answer) -> Any:
        """Do an operation; `answer` is asked for what it wants to know meanwhile: (question, arguments) → answer.

        Raises Fault (when it took too long, or too much memory), what the operation raised, and what `answer` did.
        """
        with self._free:
            process = self._take()
            try:
                reply = process.call([operation, arguments], answer, self._seconds)
            except (EOFError, ValueError):  # ended; or its pipes were closed by `close` in the middle of a call
                self._discard(process)
                raise self._reason(process, _WORDS.get(operation, "the expression")) from None
            except BaseException:
                self._discard(process)
                raise
            if reply.get("last") or process.late:
                self._discard(process)
            else:
                self._give_back(process)
        if "memory" in reply:
            raise self._too_much_memory(_WORDS.get(operation, "the expression"))
        if "error" in reply:
            raise_error(reply["error"])
        return reply["value"]

    def warm(self) -> None:
        """Start a process that comes up while this one goes on, unless one is there already."""
        with self._lock:
            needed = not self._started and not self._closed
        if needed:
            self._give_back(self._take())

    def close(self) -> None:
        """End all of them; calls that still run fail."""
        with self._lock:
            self._closed = True
            self._idle.clear()
            processes = list(self._started)
        for process in processes:
            self._discard(process)

    # -- processes

    def _take(self) -> _Process:
        with self._lock:
            if self._closed:
                raise Interrupted("the engine is closing")
            if self._idle:
                return self._idle.pop()
        process = _Process(self._environment, f"{self._memory},{self._seconds}")
        with self._lock:
            self._started.add(process)
            closed = self._closed
        if closed:
            self._discard(process)
            raise Interrupted("the engine is closing")
        return process

    def _give_back(self, process: _Process) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(process)

    def _discard(self, process: _Process) -> None:
        with self._lock:
            self._started.discard(process)
        process.end()

    # -- what went wrong

    def _reason(self, process: _Process, words: str) -> Exception:
        if self._closed:
            return Interrupted("the engine is closing")
        if not process.ready:
            return _not_started("it ended at once, or never came up")
        if process.late:
            return Fault(
                f"{words} takes more than {self._seconds:g} s",
                expected=f"at most {self._seconds:g} s",
                hint="make it simpler or its data smaller, or do this work in a task",
            )
        if process.broke:
            return Fault(f"{words} could not be worked on: the helper process failed", hint="tell the project how")
        return self._too_much_memory(words)

    def _too_much_memory(self, words: str) -> Fault:
        return Fault(
            f"{words} takes more than {self._memory >> 20} MB of memory, or goes too deep",
            expected=f"at most {self._memory >> 20} MB",
            hint="make it simpler or its data smaller, or do this work in a task",
        )


def _not_started(reason: str) -> Unreachable:
    return Unreachable(
        f"the process that evaluates expressions can't be started: {reason}",
        hint="see whether another Python process can be started on this machine",
    )


def _no_answers(question: str, arguments: list[Any]) -> Any:
    raise Unreachable(f"nobody answers `{question}`")


class _Process:
    """One helper.

    ready: it came up. late: it was killed because it took too long. broke: an error of its own ended it.
    """

    def __init__(self, environment: Mapping[str, str], limits: str) -> None:
        self.ready = False
        self.late = False
        self.broke = False
        self._popen = _start(environment, limits)
        self._ending = threading.Lock()

    def call(self, request: list[Any], answer: Answer, seconds: float) -> dict[str, Any]:
        """Raises EOFError when the process has ended, TooLarge, what `answer` raises beside errors of ours."""
        if not self.ready:
            self._receive(monotonic() + _START_SECONDS)
            self.ready = True
        until = monotonic() + seconds
        self._send(request)
        while True:
            reply = self._receive(until)
            if "ask" not in reply:
                return reply
            try:
                answered = {"value": answer(*reply["ask"])}
            except TailraceError as error:
                answered = {"error": plain_error(error)}
            self._send(answered)

    def _send(self, message: object) -> None:
        try:
            send(cast(BinaryIO, self._popen.stdin), message)
        except (BrokenPipeError, ConnectionError):
            raise EOFError from None

    def _receive(self, until: float) -> dict[str, Any]:
        """The next message; at `until` (of the monotonic clock) the process is killed."""
        source = cast(BinaryIO, self._popen.stdout)
        seconds = max(0.0, until - monotonic())
        if _CAN_POLL:
            arrives = select.poll()
            arrives.register(source, select.POLLIN)
            if not arrives.poll(seconds * 1000):
                self._kill_late()
            message: dict[str, Any] = receive(source)
            return message
        timer = threading.Timer(seconds, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            message = receive(source)
        finally:
            timer.cancel()
        return message

    def _kill_late(self) -> None:
        self.late = True
        self._popen.kill()

    def end(self) -> None:
        """Kill it, wait for its end, close the pipes."""
        with self._ending:
            self.broke = self._popen.poll() == 1
            self._popen.kill()
            self._popen.wait()
            for pipe in (self._popen.stdin, self._popen.stdout):
                _close(pipe)


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:  # what was not written yet has no reader any more
        return


def _start(environment: Mapping[str, str], limits: str) -> Popen[bytes]:
    """An interpreter that knows the same places of modules, but looks at no configuration."""
    from subprocess import DEVNULL, PIPE, Popen  # noqa: PLC0415 - slow to import, and most runs need no helper

    here = str(Path(__file__).parents[2])
    places = [os.path.abspath(place) for place in sys.path if place != here]
    command = [sys.executable, "-S", "-E", "-c", _CODE, limits, here, *places]
    try:
        return Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=dict(environment), bufsize=-1)
    except OSError as error:
        raise _not_started(error.strerror or "") from error
