"""One attempt's view of the world: implements `core.sdk.RunContext`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from core import expressions
from core.host.requests import Request
from core.host.seam import Metric, Place, Progress, Read, TaskJob
from core.model.codec import decode
from core.model.data import evolve
from core.sdk.runners import TaskRunner
from core.sdk.storage import is_storage_uri
from core.sdk.tasks import RunnableTask
from core.sdk.wishes import RunnerChoice, WaitRequest
from core.work.building import built
from core.work.functions import EngineFunctions, WhenCalled
from core.work.line import Line
from core.work.log import AttemptLog
from core.work.log_file import LogFile
from core.work.runners import DOCKER, choose_runner, unavailable_reason
from core.work.secrets import Redactor
from core.work.tools import Tools
from core.work.variables import Inputs, Outputs, Scope, asks, in_sight, output_loader, reads_of, with_outputs
from core.work.world import Executions, KeyValues, NamespaceFiles, OwnExecution, TaskFiles, Wishes


class AttemptContext:
    """Made for one attempt and gone with it.

    group: for a member of a group, the group's: they share a directory, and the secrets that were used are hidden in
    what each of them says.
    """

    note = ""
    warning: str | None = None
    stop_reason = ""
    waited: Mapping[str, object] | None = None
    log_file: LogFile | None = None
    _stopped = False
    _directory: Path | None = None
    _output_dir: Path | None = None
    _copies: Path | None = None
    _renderer: expressions.Renderer | None = None
    _scope: Scope | None = None
    _storage: TaskFiles | None = None

    def __init__(self, job: TaskJob, tools: Tools, line: Line, *, group: AttemptContext | None = None) -> None:
        self._job = job
        self._tools = tools
        self._line = line
        self._group = group
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []
        self._older: list[Path] = []
        self._reads: set[tuple[Any, ...]] = set()
        self._noted: set[str] = set()
        self.redactor: Redactor = group.redactor if group else Redactor(tools.secrets)
        self._wishes = Wishes(job.place, line, self.redactor, tools.now)
        tell = line.tell
        if job.log_to_file:
            self.log_file = LogFile(tools.scratch / f"{job.attempt_id}.log")
            tell = self.log_file.tell
        self.log = AttemptLog(job.attempt_id, job.log_level, tools.now, tell, self.redactor.hide)

    # -- what the task knows of itself

    @property
    def environment(self) -> Mapping[str, str]:
        return self._tools.environment

    @property
    def task_id(self) -> str:
        return self._job.place.task_name

    @property
    def attempt_id(self) -> str:
        return self._job.attempt_id

    @property
    def only_ends(self) -> bool:
        return self._job.ends

    @property
    def namespace(self) -> str:
        return self._job.place.namespace

    @property
    def user_agent(self) -> str:
        return self._tools.user_agent

    @property
    def durable(self) -> bool:
        return self._tools.durable

    # -- the engine's world: doors that are seldom opened

    @property
    def storage(self) -> TaskFiles:
        with self._lock:  # a task may have threads of its own
            if self._storage is None:
                may_read = partial(_may_read, self._line, self._job.place, self._noted)
                self._storage = TaskFiles(self._tools.storage, _own_place(self._job), may_read, self._wishes)
            return self._storage

    @property
    def kv(self) -> KeyValues:
        return KeyValues(self._wishes)

    @property
    def namespace_store(self) -> NamespaceFiles:
        return NamespaceFiles(self._wishes, self._tools.storage)

    @property
    def execution(self) -> OwnExecution:
        return OwnExecution(self._wishes, self._job.variables.get("vars", {}))

    @property
    def executions(self) -> Executions:
        return Executions(self._wishes)

    # -- directories

    @property
    def working_dir(self) -> Path:
        if self._directory is None:
            self._directory = self._group.working_dir if self._group else _made(self._own_dir)
        return self._directory

    @property
    def working_dir_shared(self) -> bool:
        return self._group is not None

    @property
    def _own_dir(self) -> Path:
        return self._tools.scratch / self._job.attempt_id

    def begin_anew(self) -> None:
        """Take a working directory that is empty. What an engine that died left behind stays until the end: a
        container may still write there.
        """
        directory = self._own_dir
        while directory.exists():
            self._older.append(directory)
            directory = self._own_dir.with_name(f"{self._own_dir.name}.{len(self._older) + 1}")
        self._directory = _made(directory)

    @property
    def output_dir(self) -> Path:
        if self._output_dir is None:
            name = f".outputs-{self.task_id}" if self._group else ".outputs"
            self._output_dir = self.working_dir / name
            self._output_dir.mkdir(exist_ok=True)
        return self._output_dir

    @property
    def output_dir_used(self) -> bool:
        return self._output_dir is not None

    @property
    def cache_dir(self) -> Path:
        self._tools.cache.mkdir(parents=True, exist_ok=True)
        return self._tools.cache

    def namespace_files(self, namespace: str | None = None) -> Mapping[str, Path]:
        wanted = namespace or self.namespace
        files: Mapping[str, str] = self._line.ask(self._job.place, "namespace_files", {"namespace": wanted})
        found = {}
        for name, where in files.items():
            if is_storage_uri(where):
                self._copies = self._tools.scratch / f"{self._job.attempt_id}.files"
                local = self._copies / wanted / name
                self.storage.fetch(where, local)
                found[name] = local
            else:
                found[name] = Path(where)
        return found

    def ask(self, what: str, **arguments: Any) -> Any:
        """What the engine answers a question with."""
        return self._line.ask(self._job.place, what, arguments)

    # -- rendering

    def render(self, value: Any, variables: Mapping[str, Any] | None = None, *, typed: bool = False) -> Any:
        if isinstance(value, str) and "{" not in value:
            return value
        if self._renderer is None or self._scope is None:
            self._renderer, self._scope = self._prepare()
        scope: Mapping[str, Any] = Scope(variables, _Through(self._scope)) if variables else self._scope
        if typed:
            return self._typed(value, scope)
        if isinstance(value, str):
            return self._renderer.render(value, scope, self._reads)
        return self._renderer.render_object(value, scope, self._reads)

    def _typed(self, value: Any, scope: Mapping[str, Any]) -> Any:
        if isinstance(value, Mapping):
            return {self._typed(key, scope): self._typed(item, scope) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._typed(item, scope) for item in value]
        rendered = value
        if isinstance(value, str) and self._renderer is not None:
            rendered = self._renderer.render_typed(value, scope, self._reads)
        return rendered

    def task(self, properties: Mapping[str, object]) -> RunnableTask:
        return built(self._tools.registry, properties, self.render)

    def _prepare(self) -> tuple[expressions.Renderer, Scope]:
        job = self._job
        load = output_loader(self._tools.storage, job.place.organization_id, self.redactor.get)
        base = in_sight(self._tools.constants, job.variables, load)
        base["inputs"] = Inputs(job.variables.get("inputs", {}), self.redactor.get)
        if "vars" in base:
            base["vars"] = Inputs(base["vars"], self.redactor.get)
        if "outputs" in base.get("execution", ()):
            base["execution"] = with_outputs(base["execution"], self.redactor.get)
        base["outputs"] = Outputs(job.variables.get("outputs", {}), load, asks(self._line, job.place))
        lazy = {"workingDir": lambda: str(self.working_dir), "outputDir": lambda: str(self.output_dir)}
        return self._tools.renderer(WhenCalled(self._functions)), Scope(base, lazy)

    def _functions(self) -> dict[str, Callable[..., Any]]:
        return EngineFunctions(
            self._job.place, self._line, self.storage, self.redactor.get, self._noted.add
        ).table()

    def files(self) -> tuple[tuple[str, int, str], ...]:
        """(URI, size, SHA-256) of what this attempt has stored so far."""
        if self._storage is None:
            return ()
        return tuple([(file.uri, file.size, file.sha256) for file in self._storage.stored.values()])

    def reads(self) -> tuple[Read, ...]:
        """What expressions of this attempt have read so far."""
        return reads_of(self._reads, self._noted)

    @property
    def requests(self) -> tuple[Request, ...]:
        """What the task wants written, for its result."""
        return tuple(self._wishes.requests)

    def request(self, wish: Request) -> None:
        """Have something written besides what the task asks for."""
        self._wishes.requests.append(wish)

    def secret(self, name: str) -> str:
        return self.redactor.get(name)

    # -- telling

    def metric(
        self,
        name: str,
        value: float | timedelta,
        *,
        kind: Literal["counter", "timer", "gauge"] = "counter",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        number = value.total_seconds() if isinstance(value, timedelta) else float(value)
        if not isfinite(number):
            self.log.warn(f"the metric `{name}` is not recorded: its value is {number}")
            return
        hide = self.redactor.hide
        shown = {str(key): hide(str(tag)) for key, tag in tags.items()} if tags else {}
        self._line.tell(Metric(self.attempt_id, self._tools.now(), name, kind, number, shown))

    def progress(self, message: str, fraction: float | None = None) -> None:
        self._line.tell(Progress(self.attempt_id, self.redactor.hide(message), fraction))

    def end_with_warning(self, reason: str) -> None:
        self.warning = self.redactor.hide(reason)
        self.log.warn(reason)

    # -- runners

    def choose_runner(self, choice: RunnerChoice) -> TaskRunner:
        registry, environment = self._tools.registry, self.environment

        def make(name: str) -> TaskRunner:
            cls = registry.resolve(name)
            made: TaskRunner = cls()  # type: ignore[assignment]
            return made

        def docker_unavailable() -> str:
            found = registry.resolve(DOCKER) if registry.find(DOCKER) else None
            return unavailable_reason(found, environment)  # type: ignore[arg-type]

        runner, note = choose_runner(
            choice, self._tools.runner, docker_unavailable, make, lambda runner: type(runner).unavailable(environment)
        )
        if note:
            self.note = note
            self.log.info(note)
        return runner

    # -- stopping

    @property
    def stop_requested(self) -> bool:
        return self._stopped

    @contextmanager
    def on_stop(self, callback: Callable[[], object]) -> Iterator[None]:
        with self._lock:
            self._callbacks.append(callback)
            stopped = self._stopped
        if stopped:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def stop(self, reason: str) -> None:
        """Ask the attempt to end; the first reason counts."""
        with self._lock:
            if self._stopped:
                return
            self.stop_reason = reason
            self._stopped = True
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 # a plugin's own mistake; its attempt ends without it
                self.log.warn(f"stopping the task failed: {type(error).__name__}: {error}")

    def wait(
        self, *, until: datetime | None = None, for_: timedelta | None = None, state: Mapping[str, object] | None = None
    ) -> WaitRequest:
        return WaitRequest(until, for_, state or {})

    def clean_up(self) -> None:
        """Remove the working directory (of a member, what is its own in there), and the copies of namespace files."""
        if self.log_file is not None:
            self.log_file.close()
        self._renderer = self._scope = None  # they know this context: without the circle it is freed at once
        own = self._output_dir if self._group else self._directory
        for directory in (own, self._copies, *self._older):
            if directory is not None:
                from shutil import rmtree  # noqa: PLC0415 - with all its archive formats; most attempts need none of it

                rmtree(directory, ignore_errors=True)


def _own_place(job: TaskJob) -> Place:
    """Each call of an attempt that waits stores files in a directory of its own: none replaces another."""
    if job.waited is None:
        return job.place
    return evolve(job.place, storage_prefix=f"{job.place.storage_prefix}/again-{decode(job.waited)['calls']}")


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def _may_read(line: Line, place: Place, noted: set[str], uri: str) -> bool:
    noted.add(f"file:{uri}")
    return bool(line.ask(place, "file_allowed", {"uri": uri}))


class _Through(Mapping[str, Callable[[], Any]]):
    """A scope as the lazy part of another one."""

    def __init__(self, below: Scope) -> None:
        self._below = below

    def __getitem__(self, name: str) -> Callable[[], Any]:
        value = self._below[name]
        return lambda: value

    def __contains__(self, name: object) -> bool:
        return name in self._below

    def __iter__(self) -> Iterator[str]:
        return iter(self._below)

    def __len__(self) -> int:
        return len(self._below)
