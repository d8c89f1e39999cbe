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

NSFILE = "nsfile://"
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
        """A file beside the flow lies in no storage: what is told is a copy among the files of the execution."""
        path, namespace = self._in_namespace(path, namespace)
        if self._place.storage_prefix:
            where = self._where(path, namespace)
            if where is not None and not is_storage_uri(where):
                with Path(where).open("rb") as source:
                    return self._files.put(source, path.removeprefix("/")).uri
        return namespace_uri(namespace, path)

    def error_logs(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self._line.ask(self._place, "error_logs", {})
        return found

    def tasks_with_state(self, state: str) -> list[dict[str, str]]:
        found = []
        for task, value, now in self._line.ask(self._place, "task_states", {}):
            if now == state.upper():
                found.append({"taskId": task, "state": now} | ({} if value is None else {"value": value}))
        return found

    def _bytes(self, path: str, namespace: str | None) -> bytes:
        self._noted(f"file:{path}")
        if not is_storage_uri(path):
            return self._namespace_file(*self._in_namespace(path, namespace))
        size = self._files.stat(path).size
        if size > MAX_READ:
            raise Invalid(f"the file `{path}` is too large to be read into an expression ({size} bytes)")
        with self._files.open(path) as source:
            return source.read()

    def _in_namespace(self, path: str, namespace: str | None) -> tuple[str, str]:
        """Path and namespace of a file that is no URI of internal storage: `nsfile:///path`, `nsfile://namespace/path`,
        or a path alone. Raises Forbidden.
        """
        if path.startswith("file://"):
            raise Forbidden(
                f"the file `{path}` can't be read: it is a file of the machine",
                expected="a file of internal storage, or of a namespace (`nsfile:///path`)",
            )
        if path.startswith(NSFILE):
            named, _, path = path.removeprefix(NSFILE).partition("/")
            namespace = named or namespace
        return path, namespace or self._place.namespace

    def _namespace_file(self, path: str, namespace: str) -> bytes:
        where = self._where(path, namespace)
        if where is None:
            raise NotFound(
                f"there is no file `{path}` in the namespace `{namespace}`",
                hint="put it into the folder `_files` beside the flow, or store it with `files put`",
            )
        if not is_storage_uri(where):
            return Path(where).read_bytes()
        with self._files.open(where) as source:
            return source.read()

    def _where(self, path: str, namespace: str) -> str | None:
        """The URI or the local path of a namespace file, None when there is none."""
        files: Mapping[str, str] = self._line.ask(self._place, "namespace_files", {"namespace": namespace})
        return files.get(path.removeprefix("/"))


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
