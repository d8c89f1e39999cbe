"""The one codec between Python values and recorded text.

A value is visible to others only as its recorded form gives it back, so `decode(encode(v))` is what every
reader sees, in the same process too. The form is JSON; what JSON does not have is a map with one `$` key:

    {"$datetime": "2024-02-29T10:00:00+00:00"}   {"$date": "2024-02-29"}   {"$time": "10:00:00"}
    {"$duration": "PT1H30M"}                      {"$decimal": "1.10"}      {"$bytes": "base64"}
    {"$float": "NaN"}                             {"$map": {"$x": 1}}       a user's map that has `$` keys
    {"$secret": ["Bearer ", ["TOKEN"]]}           text in which secrets are named, not told
"""

from __future__ import annotations

import json
import math
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core.errors import Invalid, TooLarge
from core.model.data import data
from core.model.durations import format_duration, parse_duration

MAX_DEPTH = 300
"""Levels of lists and maps: well inside what Python's own JSON reader manages from anywhere in a program."""

_LONE_SURROGATE = "[\ud800-\udfff]"


@data
class SecretText:
    """A text with secrets in it. parts: text as it is, and tuples that name a secret (and a sub-key of it)."""

    parts: tuple[str | tuple[str, ...], ...]

    def __str__(self) -> str:
        return self.reveal(lambda *name: "••••")

    def reveal(self, secret: Callable[..., str]) -> str:
        """The whole text, the value of each secret asked for by its name (and sub-key)."""
        return "".join(part if isinstance(part, str) else secret(*part) for part in self.parts)




def json_writer(*, ensure_ascii: bool = True, sort_keys: bool = False, allow_nan: bool = False,
                default: Callable[[Any], Any] | None = None) -> Callable[[object], str]:  # fmt: skip
    """`json.dumps` with these options and no blanks, made once: making its encoder takes longer than a small value."""
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, sort_keys=sort_keys, allow_nan=allow_nan, separators=(",", ":"), default=default
    )
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without it
        return encoder.encode
    texts = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    write = make(None, encoder.default, texts, None, ":", ",", sort_keys, False, allow_nan)
    return lambda value: "".join(write(value, 0))


_ENCODERS = [json_writer(ensure_ascii=ascii_only) for ascii_only in (False, True)]
_parsed = json.JSONDecoder().decode
_PLAIN = frozenset({str, int, bool, type(None)})
_TEXT = frozenset({str})


def encode(value: object) -> str:
    """The recorded text of a value, always UTF-8. Raises Invalid for what can't be recorded, TooLarge."""
    try:
        text = _json(_tagged(value, 0), ascii_only=False)
        if not text.isascii() and re.search(_LONE_SURROGATE, text):
            return _json(_tagged(value, 0), ascii_only=True)
    except RecursionError:
        raise TooLarge("a value holds itself, or is nested too deeply", hint="flatten it") from None
    except ValueError as error:
        raise TooLarge(f"a number in a value can't be recorded: {error}", hint="make it a text") from None
    return text


def decode(text: str, secret: Callable[..., str] | None = None) -> Any:
    """The value of a recorded text. secret: gives the values of secrets; without it they stay `SecretText`."""
    value = _parsed(text)
    return _untagged(value, secret) if '"$' in text else value


def normalise(value: object) -> Any:
    """The value as a reader of its record would see it."""
    return decode(encode(value))


def _json(value: object, *, ascii_only: bool) -> str:
    return _ENCODERS[ascii_only](value)


def _tagged(value: object, depth: int) -> object:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if depth > MAX_DEPTH:
        raise TooLarge(f"a value is nested deeper than {MAX_DEPTH} levels", hint="flatten it, or write it to a file")
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": str(float(value))}
    if kind is dict or isinstance(value, Mapping):
        if kind is dict and _is_plain(value):
            return value
        plain = {
            key if type(key) is str else _key(key): item if type(item) in _PLAIN else _tagged(item, depth + 1)
            for key, item in value.items()  # type: ignore[attr-defined]
        }
        return {"$map": plain} if any(key.startswith("$") for key in plain) else plain
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_tagged(item, depth + 1) for item in value]
    return _tagged_scalar(value)


def _is_plain(value: Any) -> bool:
    """Whether a map is written as it is: what most outputs are."""
    texts = _TEXT.issuperset(map(type, value)) and _PLAIN.issuperset(map(type, value.values()))
    return texts and "$" not in "".join(value)


def _tagged_scalar(value: object) -> object:
    for kind, tag, write in _WRITERS:
        if isinstance(value, kind):
            return {tag: write(value)} if tag else write(value)
    raise Invalid(
        f"a value of type {type(value).__name__} can't be recorded",
        expected="text, numbers, booleans, null, dates, durations, bytes, lists and maps of these",
    )


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key)


def _untagged(value: Any, secret: Callable[..., str] | None) -> Any:
    if isinstance(value, list):
        return [_untagged(item, secret) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag == "$map":
            return {key: _untagged(item, secret) for key, item in inner.items()}
        if tag == "$secret":
            marked = SecretText(tuple(part if isinstance(part, str) else tuple(part) for part in inner))
            return marked.reveal(secret) if secret else marked
        if tag in _READERS:
            return _READERS[tag](inner)
    return {key: _untagged(item, secret) for key, item in value.items()}


_WRITERS: tuple[tuple[type | tuple[type, ...], str, Callable[[Any], object]], ...] = (
    (str, "", str.__str__),
    (bool, "", bool),
    (int, "", int),
    (datetime, "$datetime", datetime.isoformat),
    (date, "$date", date.isoformat),
    (time, "$time", time.isoformat),
    (timedelta, "$duration", format_duration),
    (Decimal, "$decimal", str),
    (SecretText, "$secret", lambda value: [part if isinstance(part, str) else list(part) for part in value.parts]),
    ((bytes, bytearray), "$bytes", lambda value: b2a_base64(value, newline=False).decode("ascii")),
)
_READERS: dict[str, Callable[[str], object]] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$duration": parse_duration,
    "$decimal": Decimal,
    "$bytes": a2b_base64,
    "$float": float,
}
