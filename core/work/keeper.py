"""The process above a worker process: sees to it that nothing of the worker outlives it, or outlives the engine.

An engine starts a keeper, which forks before it has imported anything: the child becomes the worker, the keeper stays
small. It adopts what the worker leaves behind (scripts have sessions of their own, so no signal to a group reaches
them), and ends it all when the worker ends, or when the engine does, however that came about. Then it ends in the very
way its worker did, which is what the engine sees. Where the system has no adoption (only Linux has) scripts of a worker
that crashed go on.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

TAIL = 8192
"""Bytes of what the worker wrote last that are kept for its engine, in whole lines: half a secret can't be hidden."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(life: str, last_words: str) -> None:
    """Standard input and output carry jobs and what becomes of them. life: a descriptor that ends with the engine.
    last_words: a descriptor for what the worker wrote last to its standard error.
    """
    prctl = _prctl()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _nothing)  # sent to all of a terminal or a service; whoever started this one decides
    noise, noise_end = os.pipe()
    worker = os.fork()
    if worker == 0:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        source, target = os.dup(0), os.dup(1)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for stream, instead in ((0, nowhere), (1, noise_end), (2, noise_end)):
            os.dup2(instead, stream)
        for descriptor in (nowhere, noise, noise_end, int(life), int(last_words)):
            os.close(descriptor)
        from core.work.worker_process import work  # noqa: PLC0415 - the keeper does without all that a worker needs

        work(source, target)
        os._exit(0)
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    os.close(noise_end)
    for stream in (0, 1):
        os.close(stream)
    _Keeper(worker, int(life), noise, int(last_words)).keep()


class _Keeper:
    def __init__(self, worker: int, life: int, noise: int, last_words: int) -> None:
        self._worker = worker
        self._life = life
        self._noise = noise
        self._last_words = last_words
        self._tail = b""

    def keep(self) -> None:
        """Wait for the end of the worker or of the engine; never returns."""
        os.set_blocking(self._noise, False)
        status = self._ended()
        self._listen()
        _end_children()
        with suppress(OSError):  # nobody there any more to read it
            os.write(self._last_words, self._tail if len(self._tail) < TAIL else self._tail.partition(b"\n")[2])
        _end_like(status)

    def _ended(self) -> int:
        """How the worker ended."""
        news, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        waiting = select.poll()
        for descriptor in (self._life, self._noise, news):
            waiting.register(descriptor, select.POLLIN)
        while True:
            status = self._reaped()
            if status is not None:
                return status
            for descriptor, _ in waiting.poll():
                if descriptor == self._life:
                    os.kill(self._worker, signal.SIGKILL)
                    return signal.SIGKILL
                if descriptor == news:
                    os.read(news, 512)
                elif not self._listen():
                    waiting.unregister(descriptor)

    def _reaped(self) -> int | None:
        """The status of the worker if it has ended; what it left behind and has ended is taken away."""
        with suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == self._worker:
                    return status
                if child == 0:
                    return None
        return signal.SIGKILL

    def _listen(self) -> bool:
        """Hand on what was written, and keep the end of it; False when nobody can write any more."""
        while True:
            try:
                text = os.read(self._noise, 65536)
            except BlockingIOError:
                return True
            if not text:
                return False
            with suppress(OSError):
                os.write(2, text)
            self._tail = (self._tail + text)[-TAIL:]


def _end_children() -> None:
    """What is ended leaves its own children to this process: until there are none."""
    while True:
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> Iterator[int]:
    """Those of this process; none where the system does not tell."""
    try:
        processes = os.listdir("/proc")
    except OSError:
        return
    own = os.getpid()
    for process in processes:
        if process.isdecimal() and _parent(process) == own:
            yield int(process)


def _parent(process: str) -> int:
    try:
        with open(f"/proc/{process}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _end_like(status: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    with suppress(ImportError):
        import resource  # noqa: PLC0415 - at the very end

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # one core is enough, that of the worker
    with suppress(OSError, ValueError):
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    os._exit(1)


def _nothing(*_: object) -> None:
    """A handler, where ignoring would be passed on to every script that is started."""


def _prctl() -> Callable[[int, int], object]:
    if sys.platform != "linux":
        return lambda option, value: None
    try:
        import ctypes  # noqa: PLC0415 - where there is none, the system's own ways of ending have to do
    except ImportError:
        return lambda option, value: None
    call = ctypes.CDLL(None).prctl
    return lambda option, value: call(option, value, 0, 0, 0)
