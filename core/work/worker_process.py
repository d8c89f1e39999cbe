"""What runs inside a worker process: one job after another, with the same attempts as everywhere."""

from __future__ import annotations

import faulthandler
import gc
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from queue import SimpleQueue
from typing import Any, BinaryIO

from core.errors import TailraceError
from core.host.seam import Answer, EvaluationJob, EvaluationResult, Stop, TaskJob, TaskResult
from core.work.attempted import attempted
from core.work.context import AttemptContext
from core.work.evaluate import evaluate
from core.work.line import Line
from core.work.secrets import Secrets
from core.work.timers import CallOff
from core.work.tools import Tools
from core.work.wire import Limit, LimitOff, Ready, SecretUsed, pack, receive
from core.work.worker_tools import WorkerTools

EVALUATION_SECONDS = 30
"""Of one evaluation by the clock on the wall; what takes longer ends the process."""


def work(source: int, target: int) -> None:
    """Read messages from one descriptor and write to the other, until the engine is gone."""
    tell = _Writer(target).tell
    jobs = os.fdopen(source, "rb")
    description: WorkerTools
    description, grace = receive(jobs)
    _prepare()
    try:
        tools = _tools(description, tell)
    except TailraceError as error:
        tell(Ready(str(error)))
        return
    tell(Ready())
    gc.set_threshold(10_000)
    gc.freeze()
    _Worker(tools, jobs, tell, grace).work()


class _Worker:
    """grace: seconds that a member of a group has to end once its time is over."""

    def __init__(self, tools: Tools, source: BinaryIO, tell: Callable[[object], None], grace: float) -> None:
        self._tools = tools
        self._grace = grace
        self._source = source
        self._tell = tell
        self._line = Line(tell)
        self._jobs: SimpleQueue[tuple[TaskJob, AttemptContext] | tuple[EvaluationJob, None]] = SimpleQueue()
        self._context: AttemptContext | None = None
        self._numbers = itertools.count(1)

    def work(self) -> None:
        """Do jobs in the main thread, where libraries may expect to be."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        while True:
            job, context = self._jobs.get()
            result = self._evaluated(job) if context is None else self._attempted(job, context)  # type: ignore[arg-type]
            self._context = None
            self._tell(result)

    def _listen(self) -> None:
        """Hand on what comes down, until the engine is gone: then so is this process, whatever it does."""
        try:
            while True:
                self._take(receive(self._source))
        except EOFError:
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            os._exit(70)  # a process that does not listen any more is of no use

    def _take(self, message: Any) -> None:
        if isinstance(message, TaskJob):
            context = self._context = AttemptContext(message, self._tools, self._line)
            self._jobs.put((message, context))
        elif isinstance(message, EvaluationJob):
            self._jobs.put((message, None))
        elif isinstance(message, Answer):
            self._line.answer(message)
        elif isinstance(message, Stop):
            self._stop(message)

    def _stop(self, message: Stop) -> None:
        context = self._context
        if context is not None and context.attempt_id == message.attempt_id:
            threading.Thread(target=context.stop, args=(message.reason,), name="stop", daemon=True).start()

    # -- jobs

    def _attempted(self, job: TaskJob, context: AttemptContext) -> TaskResult:
        def watch(seconds: float, reason: str) -> CallOff:
            number = next(self._numbers)
            self._tell(Limit(job.attempt_id, number, seconds, reason))
            return lambda: self._tell(LimitOff(job.attempt_id, number))

        return attempted(job, self._tools, context, self._line, self._grace, watch)

    def _evaluated(self, job: EvaluationJob) -> EvaluationResult:
        signal.setitimer(signal.ITIMER_REAL, EVALUATION_SECONDS)
        try:
            return evaluate(job, self._tools, self._line)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


class _Writer:
    """Messages go up one by one, whichever thread tells them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()

    def tell(self, message: object) -> None:
        """Raises Invalid, TooLarge for what can't be told."""
        text = memoryview(pack(message))
        with self._lock:
            while text:
                text = text[os.write(self._target, text) :]


class _NamedSecrets(Secrets):
    """Secrets whose use is told by name before it happens."""

    def __init__(self, description: WorkerTools, tell: Callable[[object], None]) -> None:
        super().__init__(description.environment, description.secrets_file, description.encryption_key)
        self._tell = tell

    def get(self, name: str) -> str:
        self._tell(SecretUsed(name))
        return super().get(name)

    def unsealed(self, sealed: str) -> str:
        self._tell(SecretUsed(sealed, sealed=True))
        return super().unsealed(sealed)


def _tools(description: WorkerTools, tell: Callable[[object], None]) -> Tools:
    registry = description.registry()
    helper = _LazyHelper(description.environment)
    return description.tools(
        registry, description.storage_backend(registry), _NamedSecrets(description, tell), helper
    )


class _LazyHelper:
    """The helper, once a program or a pattern asks for one: it keeps them within their time and memory here as well."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._helper: Callable[[str, tuple[Any, ...]], Any] | None = None

    def __call__(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        if self._helper is None:
            self._helper = import_module("core.work.helper").Helper(self._environment)
        return self._helper(operation, arguments)


def _prepare() -> None:
    """What a plugin prints leads to the engine's standard error, line by line; a crash says there where it happened."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    faulthandler.enable(all_threads=False)
