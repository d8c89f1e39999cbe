"""One worker process as its engine sees it: started, written to without waiting, listened to, ended."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from typing import IO, Any, BinaryIO, NamedTuple, cast

from core.host.seam import TaskResult
from core.work.timers import CallOff
from core.work.wire import SecretUsed, pack, receive
from core.work.worker_tools import WorkerTools

_CODE = "import sys; sys.path[:] = sys.argv[3:]; from core.work.keeper import main; main(*sys.argv[1:3])"
_END_SECONDS = 5.0
_LOOK_MILLISECONDS = 1000
_MOST_SECRETS = 1000


class Work(NamedTuple):
    """A job that waits or runs. attempt_id: "" for an evaluation, which has a ticket. text: the whole message.

    again, ends: as in TaskJob. then: what is told once it is over, whatever it gave.
    """

    attempt_id: str
    ticket: int
    text: bytes
    again: bool = False
    ends: bool = False
    then: TaskResult | None = None


class Ending(NamedTuple):
    """How a process ended. code: as of Popen. words: what it wrote last to its standard error."""

    code: int
    words: str


class Worker:
    """work: what it does. since: when it began, in microseconds. forced: the reason for which it is being killed.
    refused: why it could not begin. limits: time limits by their number, to be called off. secrets: what it has used.
    """

    def __init__(self) -> None:
        self.work: Work | None = None
        self.since = 0
        self.forced = ""
        self.refused = ""
        self.limits: dict[int, CallOff] = {}
        self.secrets: dict[SecretUsed, None] = {}
        self.thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._process: Popen[bytes] | None = None
        self._outgoing = bytearray()
        self._writing = False
        self._target = -1
        self._life = -1
        self._last_words: IO[bytes] | None = None
        self._killed = False

    def start(self, description: WorkerTools, grace: float) -> None:
        """Start the process; what was sent before follows. Raises OSError when there can't be another one."""
        life, life_end = os.pipe()
        words, words_end = os.pipe()
        self._last_words = os.fdopen(words, "rb")
        try:
            process = Popen(
                [sys.executable, "-c", _CODE, str(life), str(words_end), *_places()], stdin=PIPE, stdout=PIPE,
                env=dict(description.environment),  # without what is the engine's alone, such as the encryption key
                pass_fds=(life, words_end), process_group=0,  # in a session of its own it is scheduled apart: slower
            )  # fmt: skip
        except OSError:
            os.close(life_end)
            self._last_words.close()
            raise
        finally:
            os.close(life)
            os.close(words_end)
        target = cast(BinaryIO, process.stdin).fileno()
        os.set_blocking(target, False)
        with self._lock:
            self._process, self._life, self._target = process, life_end, target
            self._outgoing[:0] = pack([description, grace])
            killed = self._killed
        self.send(b"")
        if killed:
            self.kill()

    def send(self, text: bytes) -> None:
        """Write without waiting: what the pipe does not take at once follows from another thread."""
        with self._lock:
            self._outgoing += text
            if self._writing or self._target < 0 or self._flushed():
                return
            self._writing = True
            target = self._target
        threading.Thread(target=self._write_on, args=(target,), name="write", daemon=True).start()

    def messages(self) -> Iterator[Any]:
        """What it tells, until it has ended."""
        source = cast(BinaryIO, cast("Popen[bytes]", self._process).stdout)
        with suppress(EOFError):
            while True:
                yield receive(source)

    def used(self, secret: SecretUsed) -> None:
        """Remember which secrets it knows."""
        self.secrets[secret] = None
        if len(self.secrets) > _MOST_SECRETS:
            self.secrets.pop(next(iter(self.secrets)))

    def kill(self) -> None:
        """End it and all that it has started; `messages` ends soon."""
        with self._lock:
            self._killed = True
            life, self._life = self._life, -1
        if life >= 0:
            os.close(life)

    def ended(self) -> Ending:
        """Wait for its end, and give back what it held."""
        process, words = self._process, self._last_words
        if process is None or words is None:
            return Ending(1, "")
        try:
            code = process.wait(_END_SECONDS)
        except TimeoutExpired:  # it went on without its pipes, or its keeper is stuck
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        self.kill()
        with self._lock:
            self._target = -1
            for pipe in (process.stdin, process.stdout):
                cast(BinaryIO, pipe).close()
        with words:
            return Ending(code, words.read().decode("utf-8", "replace"))

    # -- writing

    def _flushed(self) -> bool:
        """Write what goes at once; whether that was all."""
        try:
            while self._outgoing:
                del self._outgoing[: os.write(self._target, self._outgoing)]
        except BlockingIOError:
            return False
        except OSError:  # it has ended
            self._outgoing.clear()
        return True

    def _write_on(self, target: int) -> None:
        ready = select.poll()
        ready.register(target, select.POLLOUT)
        while True:
            ready.poll(_LOOK_MILLISECONDS)  # once it was closed, the number may be that of another file
            with self._lock:
                if self._target < 0 or self._flushed():
                    self._writing = False
                    return


def _places() -> list[str]:
    """Where this process finds its modules."""
    here = str(Path(__file__).parents[2])
    places = [os.path.abspath(place) for place in sys.path]
    return places if here in places else [*places, here]
