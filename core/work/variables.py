"""What expressions see: the job's variables, with what is only made or loaded when an expression reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from core.host.seam import OutputReference, OutputText, Read
from core.model.codec import SecretText, decode
from core.sdk.storage import StorageBackend, storage_path


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
            self._revealed[name] = _revealed(self._given[name], self._secret)
        return self._revealed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


def _revealed(value: Any, secret: Callable[..., str]) -> Any:
    if isinstance(value, SecretText):
        return value.reveal(secret)
    if isinstance(value, Mapping):
        return {key: _revealed(item, secret) for key, item in value.items()}
    return [_revealed(item, secret) for item in value] if isinstance(value, list) else value


class Outputs(Mapping[str, Any]):
    """Outputs by task id (below loops: by loop values), decoded when first read."""

    def __init__(self, shipped: Mapping[str, Any], load: Callable[[Any], Any]) -> None:
        self._shipped = shipped
        self._load = load
        self._decoded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._decoded:
            shipped = self._shipped[name]
            nested = isinstance(shipped, Mapping)
            self._decoded[name] = Outputs(shipped, self._load) if nested else self._load(shipped)
        return self._decoded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._shipped

    def __iter__(self) -> Iterator[str]:
        return iter(self._shipped)

    def __len__(self) -> int:
        return len(self._shipped)


def output_loader(
    storage: StorageBackend, organization: str, secret: Callable[..., str] | None
) -> Callable[[Any], Any]:
    """How shipped outputs become values: decoded, large ones read from internal storage, secrets filled in."""

    def load(shipped: Any) -> Any:
        if isinstance(shipped, OutputText):
            return decode(shipped.text, secret)
        if isinstance(shipped, OutputReference):
            with storage.open(organization, storage_path(shipped.uri)) as body:
                return decode(body.read().decode("utf-8", "surrogatepass"), secret)
        return shipped

    return load


def reads_of(paths: Iterable[tuple[Any, ...]], noted: Iterable[str]) -> tuple[Read, ...]:
    """What expressions read, for the record: outputs and inputs by path (three names deep), and what was noted."""
    recorded = sorted({path[:3] for path in paths if len(path) > 1 and path[0] in ("outputs", "inputs")}, key=str)
    named = (Read(".".join(map(str, path)), str(path[1]) if path[0] == "outputs" else "") for path in recorded)
    return (*named, *(Read(what) for what in sorted(noted)))
