"""Query parameters: declared in tables, read from the query as it was sent, refused with everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from attrs import frozen

from tailrace_server.errors import Refused
from tailrace_server.ids import is_id
from tailrace_server.times import micros

Kind = Literal["text", "whole", "time", "flag", "id"]
Pair = tuple[str, str, bool]
"""A name, its value, and whether there was a `=` between them."""
MOST = 500
"""Parameters of one request: more of them a database would not take in one question."""
EACH = 400
"""Of one that may be repeated: so that the document can say it, with room for the others below MOST."""


@frozen
class Parameter:
    """A query parameter. kind: `id` is that of a record. many: it may be repeated. least, most: of a whole number.

    required: it must be given. pattern: of a text, for the document; whoever takes it says what is wrong with another.
    prefix: of a family of parameters; its values are what stands behind it, as (name, value, with a `=`).
    times: how often one of many, or a family, may be given.
    """

    name: str
    text: str
    kind: Kind = "text"
    many: bool = False
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 2**31 - 1
    default: Any = None
    example: Any = None
    prefix: bool = False
    required: bool = False
    pattern: str = ""
    times: int = EACH


LIMIT = Parameter("limit", "How many rows a page has at most.", "whole", least=1, most=1000, default=100)
PAGE = (
    LIMIT,
    Parameter("starting_after", "The id of a row: the page begins with the next older one.", "id"),
    Parameter("ending_before", "The id of a row: the page ends with the next newer one.", "id"),
)
"""What every list takes that is read page by page, newest first."""


class Asked:
    """The parameters of one request: those that were not given have their defaults, lists an empty tuple."""

    def __init__(self, values: Mapping[str, Any], raw: str) -> None:
        self._values = values
        self.raw = raw

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def of(self, *names: str) -> dict[str, Any]:
        """Some of them by name, as the fields of a filter."""
        return {name: self._values[name] for name in names}


def read(query: bytes, declared: Sequence[Parameter]) -> Asked:
    """The parameters of a query string. Raises Refused with each that is unknown, repeated or wrong."""
    if query.count(b"&") >= MOST:  # before each is looked at, and told to be wrong
        details = [("query", f"expected: at most {MOST}")]
        raise Refused(422, f"the query has more than {MOST} parameters", details=details)
    problems: list[tuple[str, str]] = []
    given: dict[str, list[Any]] = {}
    singles = {one.name: one for one in declared if not one.prefix}
    families = [one for one in declared if one.prefix]
    for name, value, equals in _pairs(query, problems):
        family = next((one for one in families if name.startswith(one.name)), None)
        if family is not None:
            given.setdefault(family.name, []).append((name.removeprefix(family.name), value, equals))
        elif name not in singles:
            problems.append((f"query.{name}", _unknown(name, [one.name for one in declared])))
        else:
            try:
                given.setdefault(name, []).append(_value(singles[name], value))
            except ValueError as error:
                problems.append((f"query.{name}", str(error)))
    values: dict[str, Any] = {}
    for one in declared:
        found = given.get(one.name, [])
        if one.many or one.prefix:
            values[one.name] = tuple(found)
            if len(found) > one.times:
                problems.append((f"query.{one.name}", f"may be given {one.times} times"))
        elif len(found) > 1:
            problems.append((f"query.{one.name}", "may be given once"))
        elif one.required and not found and not any(place == f"query.{one.name}" for place, _ in problems):
            problems.append((f"query.{one.name}", "is missing"))
        else:
            values[one.name] = found[0] if found else one.default
    if problems:
        raise Refused(422, "the query has parameters that can't be read", details=problems)
    return Asked(values, query.decode("latin-1"))


def _pairs(query: bytes, problems: list[tuple[str, str]]) -> Iterator[Pair]:
    for part in filter(None, query.split(b"&")):
        name, equals, value = part.partition(b"=")
        try:
            texts = [unquote_to_bytes(side.replace(b"+", b" ")).decode() for side in (name, value)]
        except UnicodeDecodeError:
            problems.append((f"query.{name.decode('latin-1')}", "is not UTF-8"))
            continue
        if "\0" in texts[0] + texts[1]:
            problems.append((f"query.{texts[0]}".replace("\0", "%00"), "holds a NUL"))
            continue
        yield texts[0], texts[1], bool(equals)


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"there is no such parameter; did you mean `{near[0]}`?" if near else "there is no such parameter"


def _value(declared: Parameter, text: str) -> Any:
    if declared.choices and text not in declared.choices:
        raise ValueError(f"`{text}` is none of {', '.join(declared.choices)}")
    if declared.kind == "whole":
        return _whole(declared, text)
    if declared.kind == "time":
        try:
            return micros(text)
        except (ValueError, OverflowError):
            message = f"`{text}` is not a time in ISO 8601, such as 2025-05-01 or 2025-05-01T10:00:00Z"
            raise ValueError(message) from None
    if declared.kind == "flag":
        if text not in ("true", "false"):
            raise ValueError(f"`{text}` is neither true nor false")
        return text == "true"
    if declared.kind == "id" and not is_id(text):
        raise ValueError(f"`{text}` is not an id")
    if not text:
        raise ValueError("is empty")
    return text


def _whole(declared: Parameter, text: str) -> int:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 19 and declared.least <= int(text) <= declared.most:
        return int(text)
    raise ValueError(f"`{text}` is not a whole number from {declared.least} to {declared.most}")
