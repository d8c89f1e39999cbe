"""The functions of expressions that need the engine's world: handed to the renderer of each attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core import expressions
from core.errors import Forbidden, Invalid, NotFound
from core.host.seam import Place
from core.sdk.storage import is_storage_uri
from core.work.files import AttemptFiles, namespace_uri
from core.work.line import Line
from core.work.variables import revealed

MAX_READ = 64 * 1024 * 1024


class EngineFunctions:
    """`secret`, `kv`, `read` and their kin, in one place of the world. noted: told what was read (`kv:…`, `file:…`)."""

    def __init__(
        self,
        place: Place,
        line: Line,
        files: AttemptFiles,
        secret: Callable[..., str],
        noted: Callable[[str], None],
    ) -> None:
        self._place = place
        self._line = line
        self._files = files
        self._secret = secret
        self._noted = noted

    def table(self) -> dict[str, Callable[..., Any]]:
        """Name → function, for the renderer."""
        return {
            "secret": self.secret,
            "kv": self.kv,
            "read": self.read,
            "fileSize": self.file_size,
            "fileExists": self.file_exists,
            "isFileEmpty": self.is_file_empty,
            "fileURI": self.file_uri,
            "errorLogs": self.error_logs,
            "tasksWithState": self.tasks_with_state,
        }

    def secret(self, key: str, namespace: str | None = None, subkey: str | None = None) -> str:
        return self._secret(key, subkey)

    def kv(self, key: str, namespace: str | None = None, errorOnMissing: bool = True) -> Any:  # the language's name
        own = namespace or self._place.namespace
        self._noted(f"kv:{own}/{key}")
        found, value = self._line.ask(self._place, "kv", {"namespace": own, "key": key, "inherit": namespace is None})
        if not found and errorOnMissing:
            raise NotFound(
                f"the key `{key}` does not exist in the namespace `{own}`",
                hint="set it with `kv set`, or write kv(key, errorOnMissing=false)",
            )
        return value if self._secret is refuse_secret else revealed(value, self._secret)

    def read(self, path: Any, namespace: str | None = None) -> str:
        content = self._bytes(str(path), namespace)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise Invalid(f"the file `{path}` is not UTF-8 text", hint="hand it to a task as a file instead") from None

    def file_size(self, path: Any, namespace: str | None = None) -> int:
        if is_storage_uri(str(path)):
            self._noted(f"file:{path}")
            return self._files.stat(str(path)).size
        return len(self._bytes(str(path), namespace))

    def file_exists(self, path: Any, namespace: str | None = None) -> bool:
        try:
            self.file_size(path, namespace)
        except NotFound:
            return False
        return True

    def is_file_empty(self, path: Any, namespace: str | None = None) -> bool:
        return self.file_size(path, namespace) == 0

    def file_uri(self, path: str, namespace: str | None = None) -> str:
        return namespace_uri(namespace or self._place.namespace, path)

    def error_logs(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self._line.ask(self._place, "error_logs", {})
        return found

    def tasks_with_state(self, state: str) -> list[dict[str, str]]:
        states: Mapping[str, str] = self._line.ask(self._place, "task_states", {})
        return [{"taskId": task, "state": now} for task, now in states.items() if now == state.upper()]

    def _bytes(self, path: str, namespace: str | None) -> bytes:
        self._noted(f"file:{path}")
        if not is_storage_uri(path):
            return self._namespace_file(path, namespace or self._place.namespace)
        size = self._files.stat(path).size
        if size > MAX_READ:
            raise Invalid(f"the file `{path}` is too large to be read into an expression ({size} bytes)")
        with self._files.open(path) as source:
            return source.read()

    def _namespace_file(self, path: str, namespace: str) -> bytes:
        files: Mapping[str, str] = self._line.ask(self._place, "namespace_files", {"namespace": namespace})
        where = files.get(path.removeprefix("/"))
        if where is None:
            raise NotFound(
                f"there is no file `{path}` in the namespace `{namespace}`",
                hint="put it into the folder `_files` beside the flow, or store it with `files put`",
            )
        if not is_storage_uri(where):
            return Path(where).read_bytes()
        with self._files.open(where) as source:
            return source.read()


class WhenCalled(Mapping[str, Callable[..., Any]]):
    """A table of functions that is made when one of them is looked for: most expressions call none."""

    def __init__(self, make: Callable[[], dict[str, Callable[..., Any]]]) -> None:
        self._make = make
        self._made: dict[str, Callable[..., Any]] | None = None

    def _table(self) -> dict[str, Callable[..., Any]]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._table()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())


def refuse_secret(name: str, subkey: str | None = None) -> str:
    """Evaluators offered to people never tell secrets. Raises Forbidden."""
    raise Forbidden(
        "secrets can't be read here",
        where=f"secret('{name}')",
        expected="an expression without secrets",
        hint="use it inside a flow, where its value is hidden from logs and outputs",
    )


def printed(value: Any) -> str:
    """The text of a value, as `{{ … }}` prints it."""
    return value if isinstance(value, str) else expressions.Renderer().render("{{ value }}", {"value": value})
