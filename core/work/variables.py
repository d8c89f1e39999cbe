"""What expressions see: the job's variables, with what is only made or loaded when an expression reads it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from core.errors import TooLarge
from core.expressions import Instant
from core.expressions.faults import MAX_TEXT
from core.host.seam import LoopOutputs, OutputReference, OutputText, Place, Read
from core.model.codec import SecretText, decode
from core.sdk.storage import StorageBackend, storage_path
from core.work.line import Line

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types of what is recorded as it is: neither a secret nor a moment, and nothing inside."""


class Scope(Mapping[str, Any]):
    """Variables by name; `lazy` ones are computed at each access."""

    def __init__(self, base: Mapping[str, Any], lazy: Mapping[str, Callable[[], Any]]) -> None:
        self._base = base
        self._lazy = lazy

    def __getitem__(self, name: str) -> Any:
        if name in self._base:
            return self._base[name]
        return self._lazy[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._base or name in self._lazy

    def __iter__(self) -> Iterator[str]:
        yield from self._base
        yield from self._lazy

    def __len__(self) -> int:
        return len(self._base) + len(self._lazy)


class Inputs(Mapping[str, Any]):
    """Inputs by name; secrets in them are filled in when an expression reads them."""

    def __init__(self, given: Mapping[str, Any], secret: Callable[..., str]) -> None:
        self._given = given
        self._secret = secret
        self._revealed: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._revealed:
            self._revealed[name] = revealed(self._given[name], self._secret)
        return self._revealed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def with_outputs(execution: Mapping[str, Any], secret: Callable[..., str]) -> Mapping[str, Any]:
    """The variable `execution` of what runs after the end, where the outputs of the flow are values like any others."""
    return {**execution, "outputs": Inputs(execution["outputs"], secret)}


def revealed(value: Any, secret: Callable[..., str]) -> Any:
    """A recorded value with the secrets in it filled in; a moment prints its seconds, as in the reference."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list and _PLAIN.issuperset(map(type, value)):  # most are, and some are long
        return value.copy()
    if kind is dict and _PLAIN.issuperset(map(type, value.values())):
        return value.copy()
    if isinstance(value, SecretText):
        return value.reveal(secret)
    if kind is datetime and value.tzinfo is not None:
        return Instant.fromtimestamp(value.timestamp(), UTC)
    if kind is dict or isinstance(value, Mapping):
        return {key: revealed(item, secret) for key, item in value.items()}
    return [revealed(item, secret) for item in value] if isinstance(value, list) else value


Load = Callable[[Any], Any]
Ask = Callable[[str, tuple[str, ...]], tuple[Any, list[str]]]
"""What is shipped of a task's output for loop values, and the values one level deeper."""


def ask_nobody(task: str, path: tuple[str, ...]) -> tuple[Any, list[str]]:
    """Where everything came along."""
    return None, []


class Outputs(Mapping[str, Any]):
    """Outputs by task id (below loops: by loop values), decoded when first read."""

    def __init__(self, shipped: Mapping[str, Any], load: Load, ask: Ask = ask_nobody) -> None:
        self._shipped = shipped
        self._load = load
        self._ask = ask
        self._decoded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._decoded:
            shipped = self._shipped[name]
            looped = isinstance(shipped, LoopOutputs)
            self._decoded[name] = ByValue(shipped, (), self._load, self._ask) if looped else self._load(shipped)
        return self._decoded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._shipped

    def __iter__(self) -> Iterator[str]:
        return iter(self._shipped)

    def __len__(self) -> int:
        return len(self._shipped)


class ByValue(Mapping[str, Any]):
    """The outputs of a task below a loop, by its values; those that did not come along are asked for one by one."""

    def __init__(self, shipped: LoopOutputs, path: tuple[str, ...], load: Load, ask: Ask) -> None:
        self._shipped = shipped
        self._path = path
        self._load = load
        self._ask = ask
        self._found: dict[str, Any] = {}
        self._values: list[str] | None = None

    def __getitem__(self, value: Any) -> Any:
        name = str(value)
        if name not in self._found:
            path = (*self._path, name)
            known = self._shipped.known
            output = known.get(path)
            if output is None and not any(other[: len(path)] == path for other in known):
                output, deeper = self._ask(self._shipped.task_name, path)
                if output is None and not deeper:
                    raise KeyError(value)
            below = ByValue(self._shipped, path, self._load, self._ask)
            self._found[name] = below if output is None else self._load(output)
        return self._found[name]

    def __contains__(self, value: object) -> bool:
        try:
            self[value]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        if self._values is None:
            self._values = self._ask(self._shipped.task_name, self._path)[1]
        return iter(self._values)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def asks(line: Line, place: Place) -> Ask:
    """How the outputs of loops that did not come along are asked for."""

    def ask(task: str, path: tuple[str, ...]) -> tuple[Any, list[str]]:
        output, values = line.ask(place, "loop_outputs", {"task": task, "path": path})
        return output, values

    return ask


def in_sight(constants: Mapping[str, Any], variables: Mapping[str, Any], load: Load) -> dict[str, Any]:
    """What a place sees: the constants, what was shipped, and of the groups around it (`parents`, and `parent`, the
    closest of them) the outputs as values.
    """
    if "parents" not in variables:
        return {**constants, **variables}
    parents = [
        {**shown, "outputs": load(shown["outputs"])} if "outputs" in shown else shown for shown in variables["parents"]
    ]
    return {**constants, **variables, "parents": parents, "parent": parents[0]}


def output_loader(
    storage: StorageBackend, organization: str, secret: Callable[..., str] | None
) -> Callable[[Any], Any]:
    """How shipped outputs become values: decoded, large ones read from internal storage, secrets filled in.

    secret: None for evaluations that people ask for, which may not take any amount of memory: they raise TooLarge.
    """

    def load(shipped: Any) -> Any:
        if isinstance(shipped, OutputText):
            return decode(shipped.text, secret)
        if isinstance(shipped, OutputReference):
            if secret is None:
                check_readable(shipped.size, "an output")
            with storage.open(organization, storage_path(shipped.uri)) as body:
                return decode(body.read().decode("utf-8", "surrogatepass"), secret)
        return shipped

    return load


def check_readable(size: int, what: str) -> None:
    """Raises TooLarge for what no expression of a person may read."""
    if size > MAX_TEXT:
        raise TooLarge(
            f"{what} has {size:,} bytes", expected=f"at most {MAX_TEXT:,} in an expression",
            hint="work on it in a task instead",
        )  # fmt: skip


def reads_of(paths: Collection[tuple[Any, ...]], noted: Collection[str]) -> tuple[Read, ...]:
    """What expressions read, for the record: outputs and inputs by path (three names deep), and what was noted."""
    if not paths and not noted:
        return ()
    recorded = sorted({path[:3] for path in paths if len(path) > 1 and path[0] in ("outputs", "inputs")}, key=str)
    named = (Read(".".join(map(str, path)), str(path[1]) if path[0] == "outputs" else "") for path in recorded)
    return (*named, *(Read(what) for what in sorted(noted)))
