"""The JSON of the seam: every message down and up as text and back, exactly.

Python's values that JSON does not have are maps with one `$` key, and so are our own classes, their fields in order:

    {"$TaskJob": […]}   {"$tuple": […]}   {"$map": [[key, value], …]}   a map whose keys are not all plain texts
    {"$datetime": "…"}  {"$instant": "…"} {"$date": "…"} {"$time": "…"} {"$duration": [days, seconds, microseconds]}
    {"$decimal": "…"}   {"$bytes": "base64"}   {"$path": "…"}

The text says by itself what it holds, since most of a job is declared as `Any`: what its expressions may read. So no
converter that follows type hints (cattrs) could do it, and none is needed. `core.model.codec` is for records: there
lists and tuples are one, and none of our classes occurs.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from inspect import get_annotations
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from core.errors import Invalid, TooLarge
from core.expressions import Instant
from core.host import requests, seam
from core.model.codec import SecretText, json_writer
from core.model.data import data, is_data
from core.model.flow import TaskCache
from core.work.worker_tools import WorkerTools

MAX_MESSAGE = 256 * 1024 * 1024
"""Bytes. Large outputs travel as files; this is for inputs and log lines beyond reason."""


@data
class Ready:
    """A worker process has built its tools. error: why it could not; it ends then."""

    error: str = ""


@data
class Limit:
    """Once these seconds have passed the attempt is to be stopped. Told to the executor, since a task that holds the
    interpreter's lock holds up every clock of its own process. number: by which it is called off.
    """

    attempt_id: str
    number: int
    seconds: float
    reason: str


@data
class LimitOff:
    """What was limited ended in time."""

    attempt_id: str
    number: int


@data
class SecretUsed:
    """A secret that is about to be used, by its name, or as it stands encrypted: were the process to die, what it
    wrote last is shown without it.
    """

    name: str
    sealed: bool = False


def pack(message: object) -> bytes:
    """A message as text. Raises Invalid for a value that can't cross, TooLarge."""
    try:
        body = _TEXT(_plain(message)).encode("ascii")
    except RecursionError:
        raise TooLarge("a value holds itself, or is nested too deeply", hint="flatten it") from None
    except ValueError as error:
        raise TooLarge(f"a number can't be sent: {error}", hint="make it a text") from None
    if len(body) > MAX_MESSAGE:
        raise TooLarge(
            f"a message has {len(body):,} bytes", expected=f"at most {MAX_MESSAGE:,}", hint="use a file instead"
        )
    return len(body).to_bytes(4, "big") + body


def unpack(body: bytes) -> Any:
    """The message of a text, without the length before it."""
    return _DECODER.raw_decode(body.decode("ascii"))[0]


def receive(source: BinaryIO) -> Any:
    """The next message. Raises EOFError when the other side has ended, in the middle of one too."""
    head = source.read(4)
    size = int.from_bytes(head, "big")
    if len(head) < 4 or len(body := source.read(size)) < size:
        raise EOFError
    return unpack(body)


# -- values

_TEXT = json_writer(allow_nan=True)
_SAME = frozenset({str, int, float, bool, type(None)})
_JSON_HAS = frozenset({"str", "int", "float", "bool", "None"})


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _SAME:
        return value
    write = _WRITERS.get(kind) or _writer(value)
    return write(value)


def _list(value: Any) -> Any:
    return [item if type(item) in _SAME else _plain(item) for item in value]


def _map(value: Any) -> Any:
    plain = {}
    for key, item in value.items():
        if type(key) is not str or key[:1] == "$":
            return {"$map": [[_plain(key), _plain(item)] for key, item in value.items()]}
        plain[key] = item if type(item) in _SAME else _plain(item)
    return plain


def _writer(value: object) -> Callable[[Any], Any]:
    """Of a value of a class that is like one of the known: a subclass of text, a mapping of another kind."""
    for kind, write in ((str, str.__str__), (int, int), (float, float), (Mapping, _map), (PurePath, _WRITERS[Path])):
        if isinstance(value, kind):
            return write
    raise Invalid(
        f"a value of type {type(value).__name__} can't be sent to where tasks run",
        expected="text, numbers, booleans, null, dates, durations, bytes, lists and maps of these",
    )


def _untagged(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        ((tag, inner),) = found.items()
        read = _READERS.get(tag)
        if read is not None:
            return read(inner)
    return found


def _tagged(tag: str, write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: {tag: write(value)}


def _fields_of(cls: type) -> Callable[[Any], Any]:
    """How the fields of a class are written; a `@data` object holds them in their order."""
    if all(_JSON_HAS.issuperset(str(annotation).split(" | ")) for annotation in get_annotations(cls).values()):
        return lambda value: [*vars(value).values()]
    return lambda value: _list(vars(value).values())


def _made(cls: type) -> Callable[[Any], Any]:
    return lambda values: cls(*values)


def message_classes() -> dict[str, type]:
    """Every class of ours that crosses, by name."""
    of_the_seam = [found for module in (seam, requests) for found in vars(module).values()]
    own = [Ready, Limit, LimitOff, SecretUsed, WorkerTools, SecretText, TaskCache]
    return {cls.__name__: cls for cls in (*of_the_seam, *own) if isinstance(cls, type) and is_data(cls)}


_SCALARS: tuple[tuple[type, str, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    (tuple, "$tuple", _list, tuple),
    (Instant, "$instant", datetime.isoformat, Instant.fromisoformat),
    (datetime, "$datetime", datetime.isoformat, datetime.fromisoformat),
    (date, "$date", date.isoformat, date.fromisoformat),
    (time, "$time", time.isoformat, time.fromisoformat),
    (timedelta, "$duration", lambda span: [span.days, span.seconds, span.microseconds], lambda span: timedelta(*span)),
    (Decimal, "$decimal", str, Decimal),
    (bytes, "$bytes", lambda value: b2a_base64(value, newline=False).decode("ascii"), a2b_base64),
    (Path, "$path", str, Path),
)
_CLASSES = message_classes()
_WRITERS: dict[type, Callable[[Any], Any]] = {
    list: _list,
    dict: _map,
    **{kind: _tagged(tag, write) for kind, tag, write, _ in _SCALARS},
    **{cls: _tagged(f"${name}", _fields_of(cls)) for name, cls in _CLASSES.items()},
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "$map": dict,
    **{tag: read for _, tag, _, read in _SCALARS},
    **{f"${name}": _made(cls) for name, cls in _CLASSES.items()},
}
_DECODER = json.JSONDecoder(object_hook=_untagged)
