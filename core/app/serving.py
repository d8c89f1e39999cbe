"""An engine in this process that goes on until it is closed: it serves all organizations of an installation."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from core.app.compose import App
from core.app.runs import SWITCH_SECONDS
from core.app.sweep import sweep
from core.engine.clock import monotonic, new_id, now
from core.engine.serving import EndlessEngine
from core.errors import TailraceError
from core.host.executor import Executor
from core.host.seam import Up
from core.settings import Settings
from core.work import ThreadExecutor

BEAT_SECONDS = 2.0
SWEEP_SECONDS = 60.0
WELL_SECONDS = 60.0
"""An engine that worked so long was well: what ended it is a new trouble."""
AGAIN_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""How long to wait before the engine begins anew when something it needs is gone; then always the last."""
PER_WORKER = 2
"""Executions owned for each task that can run: one works while the next is decided, and other engines get theirs."""


class Apps(Protocol):
    """The installation."""

    @property
    def settings(self) -> Settings: ...
    def services(self, organization: str) -> App:
        """Raises NotFound."""


class ServingEngine:
    """Implements `core.host.deployment.Serving`.

    workers: tasks at once; those of the settings when not given. processes: tasks run in worker processes, else in
    threads of this one. When the records can't be reached the engine ends, says so in `failure`, and begins anew until
    they can; what it owned it takes over like any other.
    """

    def __init__(self, apps: Apps, *, workers: int | None, processes: bool) -> None:
        self._apps = apps
        self._workers = workers or apps.settings.workers
        self._processes = processes
        self._engine: EndlessEngine | None = None
        self._failure: BaseException | None = None
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._switch = sys.getswitchinterval()

    def start(self) -> None:
        """Begin; raises Unreachable when the records can't be used."""
        self._app.records  # noqa: B018 # opened here: who starts a server is told at once that they can't be
        sys.setswitchinterval(min(self._switch, SWITCH_SECONDS))  # a busy task must not hold the loop up
        self._app.bell.listen(self.submit)
        for work in (self._serve, self._sweep):
            thread = threading.Thread(target=work, name="engine", daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def failure(self) -> BaseException | None:
        return self._failure

    @property
    def given_up(self) -> dict[str, str]:
        """Executions that this engine can't work on, and can't end either, with the reason."""
        engine = self._engine
        return dict(engine.given_up) if engine else {}

    def working_on(self) -> int:
        engine = self._engine
        return engine.working_on() if engine else 0

    def submit(self, organization: str, execution_id: str) -> None:
        """Work on an execution as soon as there is room."""
        engine = self._engine
        if engine is not None:
            engine.submit(organization, execution_id)

    def close(self, seconds: float = 10.0) -> None:
        self._closing.set()
        self._app.bell.leave(self.submit)
        engine = self._engine
        if engine is not None:
            engine.leave()
        until = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - monotonic(), 0.0))
        sys.setswitchinterval(self._switch)

    # -- threads

    @property
    def _app(self) -> App:
        return self._apps.services(self._apps.settings.organization)

    def _serve(self) -> None:
        failures = 0
        while not self._closing.is_set():
            began = monotonic()
            try:
                self._serve_once()
            except BaseException as error:  # noqa: BLE001 # told to whoever asks; the next engine takes over
                self._failure = error
                failures = 0 if monotonic() - began > WELL_SECONDS else failures
                self._closing.wait(AGAIN_SECONDS[min(failures, len(AGAIN_SECONDS) - 1)])
                failures += 1

    def _serve_once(self) -> None:
        """One engine, until this is closed or something is in its way."""
        app, engine_id = self._app, new_id()
        app.records.register_engine(engine_id, now())
        try:
            engine = EndlessEngine(
                engine_id, app.records, app.answers(), lambda organization: self._apps.services(organization).creation,
                self._executor, limit=PER_WORKER * self._workers,
            )  # fmt: skip
            self._engine, self._failure = engine, None
            if self._closing.is_set():
                engine.leave()
            try:
                with _beating(lambda: app.records.beat(engine_id)):
                    engine.run()
            finally:
                self._engine = None
                engine.close()
        finally:
            app.records.forget_engine(engine_id)

    def _executor(self, tell: Callable[[Up], None]) -> Executor:
        app = self._app
        if not self._processes:
            return ThreadExecutor(tell, app.tools(), self._workers)
        from core.work.processes import ProcessExecutor  # noqa: PLC0415 - a server may do without

        return ProcessExecutor(tell, app.worker_tools(), self._workers)

    def _sweep(self) -> None:
        """Now and then remove the bytes of what was purged, of every organization."""
        while not self._closing.wait(SWEEP_SECONDS):
            with suppress(TailraceError):  # the next time will do
                for organization in self._app.records.product.organizations():
                    sweep(organization.id, self._app.records, self._app.storage)


@contextmanager
def _beating(beat: Callable[[], None]) -> Iterator[None]:
    """In a thread of its own: an engine that is busy lives too."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(BEAT_SECONDS):
            with suppress(TailraceError):  # the loop meets the same trouble, and ends of it
                beat()

    thread = threading.Thread(target=go_on, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
