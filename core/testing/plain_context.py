"""A `RunContext` without an engine: real directories, a storage of real files, everything else kept in plain lists."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Literal

from attrs import Factory, define, field, frozen

from core.errors import ExpressionError, NotFound, Unreachable
from core.sdk.context import Level, Log, copy_stream
from core.sdk.runners import TaskRunner
from core.sdk.storage import StoredFile, checked_path, storage_path, storage_uri
from core.sdk.wishes import RunnerChoice, WaitRequest
from core.testing.plain_world import PlainExecution, PlainExecutions, PlainKeyValues, PlainNamespaceFiles

_EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_PATH = re.compile(r"\w+(\.\w+)*")


@define
class PlainLog(Log):
    """Log lines as (level, message), in order."""

    lines: list[tuple[Level, str]] = Factory(list)

    def log(self, level: Level, message: str) -> None:
        self.lines.append((level, message))


@define
class PlainStorage:
    """Stored files as files below a directory."""

    root: Path
    count: int = 0

    def put(self, source: Path | BinaryIO, name: str) -> StoredFile:
        self.count += 1
        uri = storage_uri(checked_path(f"files/{self.count}/{name}"))
        target = self._path(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.move(source, target)
        else:
            with target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        return self.stat(uri)

    def open(self, uri: str) -> BinaryIO:
        return self._existing(uri).open("rb")

    def stat(self, uri: str) -> StoredFile:
        digest = hashlib.sha256()
        with self.open(uri) as source:
            for chunk in copy_stream(source):
                digest.update(chunk)
        return StoredFile(uri, self._path(uri).stat().st_size, digest.hexdigest())

    def delete(self, uri: str) -> bool:
        path = self._path(uri)
        there = path.is_file()
        path.unlink(missing_ok=True)
        return there

    def own(self) -> list[str]:
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        return [storage_uri(path.relative_to(self.root).as_posix()) for path in files]

    def fetch(self, uri: str, target: Path) -> None:
        shutil.copyfile(self._existing(uri), target)

    def _path(self, uri: str) -> Path:
        return self.root / storage_path(uri)

    def _existing(self, uri: str) -> Path:
        path = self._path(uri)
        if not path.is_file():
            raise NotFound(f"There is no file `{uri}`")
        return path


@frozen
class Metric:
    """What a task measured."""

    name: str
    value: float | timedelta
    kind: Literal["counter", "timer", "gauge"]
    tags: Mapping[str, str]


def _root(path: Path) -> Path:
    return Path(path).resolve()


@define
class PlainContext:
    """A context for tests of tasks and runners that need no flow.

    root: an empty directory, in which working directory, output directory, cache and storage are made.
    variables: what `render` knows; it fills in `{{ a.path }}` and refuses every other expression.
    runner: what `choose_runner` gives when the flow names none. `stop()` does what a kill or a timeout does.
    """

    root: Path = field(converter=_root)
    environment: Mapping[str, str] = Factory(lambda: {"PATH": os.defpath})
    variables: Mapping[str, Any] = Factory(dict)
    secrets: Mapping[str, str] = Factory(dict)
    files: Mapping[str, Path] = Factory(dict)
    runner: TaskRunner | None = None
    task_id: str = "task"
    attempt_id: str = "attempt"
    namespace: str = "tests"
    user_agent: str = "tailrace-tests"
    durable: bool = False
    log: PlainLog = Factory(PlainLog)
    storage: PlainStorage = field(init=False)
    kv: PlainKeyValues = field(init=False)
    namespace_store: PlainNamespaceFiles = field(init=False)
    execution: PlainExecution = Factory(PlainExecution)
    executions: PlainExecutions = Factory(PlainExecutions)
    metrics: list[Metric] = Factory(list)
    progress_seen: list[tuple[str, float | None]] = Factory(list)
    warnings: list[str] = Factory(list)
    output_dir_used: bool = False
    working_dir_shared: bool = False
    _stop: threading.Event = field(init=False, factory=threading.Event)
    _callbacks: list[Callable[[], object]] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.storage = PlainStorage(self.root / "storage")
        self.kv = PlainKeyValues(self.namespace)
        self.namespace_store = PlainNamespaceFiles(self.namespace)

    @property
    def working_dir(self) -> Path:
        return self._directory("work")

    @property
    def output_dir(self) -> Path:
        self.output_dir_used = True
        return self._directory("work/output")

    @property
    def cache_dir(self) -> Path:
        return self._directory("cache")

    def _directory(self, name: str) -> Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def namespace_files(self, namespace: str | None = None) -> Mapping[str, Path]:
        return self.files if namespace in (None, self.namespace) else {}

    def render(self, value: Any, variables: Mapping[str, Any] | None = None, *, typed: bool = False) -> Any:
        if isinstance(value, str):
            known = {**self.variables, **(variables or {})}
            if typed and (single := _EXPRESSION.fullmatch(value)):
                return _look_up(single[1], known)
            return _EXPRESSION.sub(lambda match: str(_look_up(match[1], known)), value)
        if isinstance(value, Mapping):
            return {
                self.render(key, variables): self.render(item, variables, typed=typed) for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.render(item, variables, typed=typed) for item in value]
        return value

    def task(self, properties: Mapping[str, object]) -> Any:
        raise Unreachable("This test context knows no task types", hint="test this with run_task")

    def secret(self, name: str) -> str:
        if name not in self.secrets:
            raise NotFound(f"There is no secret `{name}`")
        return self.secrets[name]

    def metric(
        self, name: str, value: float | timedelta, *, kind: Literal["counter", "timer", "gauge"] = "counter",
        tags: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.metrics.append(Metric(name, value, kind, tags or {}))

    def progress(self, message: str, fraction: float | None = None) -> None:
        self.progress_seen.append((message, fraction))

    def end_with_warning(self, reason: str) -> None:
        self.warnings.append(reason)

    def choose_runner(self, choice: RunnerChoice) -> TaskRunner:
        chosen = choice.requested if isinstance(choice.requested, TaskRunner) else self.runner
        if chosen is None:
            raise Unreachable("This test context has no task runner", hint="PlainContext(…, runner=Process())")
        return chosen

    @property
    def stop_requested(self) -> bool:
        return self._stop.is_set()

    @contextmanager
    def on_stop(self, callback: Callable[[], object]) -> Iterator[None]:
        self._callbacks.append(callback)
        if self._stop.is_set():
            callback()
        try:
            yield
        finally:
            self._callbacks.remove(callback)

    def stop(self) -> None:
        """Say stop, as from another thread."""
        self._stop.set()
        for callback in tuple(self._callbacks):
            callback()

    waited: Mapping[str, object] | None = None
    """Set it to test how a task goes on after it has waited."""

    def wait(
        self, *, until: datetime | None = None, for_: timedelta | None = None,
        state: Mapping[str, object] | None = None,
    ) -> WaitRequest:  # fmt: skip
        return WaitRequest(until, for_, state or {})


def _look_up(expression: str, variables: Mapping[str, Any]) -> Any:
    value: Any = variables
    if not _PATH.fullmatch(expression):
        raise ExpressionError(f"`{expression}` is more than a path", hint="test this with a flow")
    for name in expression.split("."):
        if not isinstance(value, Mapping) or name not in value:
            raise ExpressionError(f"`{expression}` is not among the variables of this context", undefined=expression)
        value = value[name]
    return value
