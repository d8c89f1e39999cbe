"""What a running task sees of the world: everything goes through `ctx`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from core.sdk.storage import StoredFile
from core.sdk.wishes import RunnerChoice, WaitRequest
from core.sdk.world import Executions, KeyValues, NamespaceFileStore, OwnExecution

Level = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
LEVELS: tuple[Level, ...] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")


class Log(ABC):
    """The log of this attempt; every line is recorded and shown while the task runs, secrets redacted."""

    @abstractmethod
    def log(self, level: Level, message: str) -> None:
        """Add a line; one below the task's `logLevel` is dropped."""

    def trace(self, message: str) -> None:
        self.log("TRACE", message)

    def debug(self, message: str) -> None:
        self.log("DEBUG", message)

    def info(self, message: str) -> None:
        self.log("INFO", message)

    def warn(self, message: str) -> None:
        self.log("WARN", message)

    def error(self, message: str) -> None:
        self.log("ERROR", message)


class TaskStorage(Protocol):
    """Internal storage as a task may use it: its own files written, the execution's files read."""

    def put(self, source: Path | BinaryIO, name: str) -> StoredFile:
        """Store a file under a name; a path on the same file system is moved, not copied (it is gone afterwards)."""

    def open(self, uri: str) -> BinaryIO:
        """The bytes of a stored file, seekable. Raises NotFound, Forbidden."""

    def stat(self, uri: str) -> StoredFile:
        """URI, size and sha256 of a stored file. Raises NotFound, Forbidden."""

    def delete(self, uri: str) -> bool:
        """Remove a file that may be read; False when it is not there. Raises Forbidden."""

    def own(self) -> list[str]:
        """URIs of the files that this execution has stored, as far as its results are recorded."""

    def fetch(self, uri: str, target: Path) -> None:
        """Put a stored file at a local path (linked where the file system can and the copy is safe)."""


class RunContext(Protocol):
    """Handed to `run`. Texts are rendered with the variables of the task's place in the flow."""

    @property
    def log(self) -> Log: ...
    @property
    def storage(self) -> TaskStorage: ...
    @property
    def kv(self) -> KeyValues: ...
    @property
    def namespace_store(self) -> NamespaceFileStore:
        """Files of namespaces, one by one; `namespace_files` gives them all as local paths."""

    @property
    def execution(self) -> OwnExecution: ...
    @property
    def executions(self) -> Executions: ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The process's environment; a plugin never reads `os.environ`."""

    @property
    def task_id(self) -> str: ...
    @property
    def attempt_id(self) -> str:
        """Stable over a crash of the engine: what a container is labelled with."""

    @property
    def namespace(self) -> str: ...

    @property
    def user_agent(self) -> str:
        """How outgoing requests name themselves: product and version."""

    @property
    def durable(self) -> bool:
        """Whether files must survive a loss of power (sync before rename)."""

    @property
    def working_dir(self) -> Path:
        """A directory, made when first asked for and removed after the attempt; `{{ workingDir }}`. Own and empty,
        except in a `flow.WorkingDirectory`, whose tasks share one.
        """

    @property
    def working_dir_shared(self) -> bool:
        """Whether tasks behind this one find the working directory as it is left."""

    @property
    def output_dir(self) -> Path:
        """A directory whose files are all captured by scripts, made when first asked for; `{{ outputDir }}`."""

    @property
    def output_dir_used(self) -> bool: ...

    @property
    def cache_dir(self) -> Path:
        """Kept between executions of this home; for what can be made again."""

    def namespace_files(self, namespace: str | None = None) -> Mapping[str, Path]:
        """Relative name → local path of the namespace's files."""

    def render(self, value: Any, variables: Mapping[str, Any] | None = None, *, typed: bool = False) -> Any:
        """Render a text, or the texts inside a list or map; `variables` are added to the task's own.

        typed: a text that is exactly one `{{ … }}` keeps its value's type.
        """

    def task(self, properties: Mapping[str, object]) -> Any:
        """A `RunnableTask` of its map in YAML, rendered and converted: to be run in this one's place.

        Raises NotFound for a type nobody brings, Invalid for what can't run so, ConversionError.
        """

    def secret(self, name: str) -> str:
        """A secret's value. Raises NotFound."""

    def metric(
        self, name: str, value: float | timedelta, *, kind: Literal["counter", "timer", "gauge"] = "counter",
        tags: Mapping[str, str] | None = None,
    ) -> None: ...  # fmt: skip

    def progress(self, message: str, fraction: float | None = None) -> None: ...

    def end_with_warning(self, reason: str) -> None:
        """Let this attempt end as WARNING instead of SUCCESS once `run` has returned; a failure stays a failure."""

    def choose_runner(self, choice: RunnerChoice) -> Any:
        """The task runner for a script: the one the flow names, else by the setting `runner`. Raises Unreachable."""

    @property
    def stop_requested(self) -> bool:
        """True once the attempt was killed or its time is over."""

    def on_stop(self, callback: Callable[[], object]) -> AbstractContextManager[None]:
        """While the block runs, call back (from another thread) when the attempt is to stop."""

    @property
    def waited(self) -> Mapping[str, object] | None:
        """The `state` that it gave to `wait` before it was called again; None at its first call."""

    def wait(
        self, *, until: datetime | None = None, for_: timedelta | None = None,
        state: Mapping[str, object] | None = None,
    ) -> WaitRequest:  # fmt: skip
        """What `run` returns to give its thread back: it is called again at `until`, a moment with a zone, or `for_` a
        while later. Then `waited` is the `state` (what JSON can hold; secrets are kept by name), also when another
        process goes on. The working directory is a new one; files that were stored stay; the time limit counts on.
        """


def copy_stream(source: BinaryIO, size: int = 1 << 20) -> Iterator[bytes]:
    """The chunks of a stream, in constant memory."""
    while chunk := source.read(size):
        yield chunk
