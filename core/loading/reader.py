"""YAML text → plain values, straight from the events of libyaml's parser and without positions.

Keys are always text, as the reference reads them. Positions are the business of `core.loading.positions`, which is
asked only when there is a problem to report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from core.errors import Invalid
from core.loading.events import NextEvent, from_events
from core.loading.scalars import MEANINGFUL, resolve
from core.loading.syntax import SyntaxProblem, explain, needs_quotes, unreadable

MAX_DEPTH = 200
MAX_VALUES = 200_000
"""How many values aliases may stand for, all together; it ends what grows exponentially."""

FindTemplate = Callable[[str, str], str | None]
"""(namespace, template id) → the text of the template, None when there is none."""

_TAG = "tag:yaml.org,2002:"
_FOR_COLLECTIONS = frozenset({None, "!", _TAG + "map", _TAG + "seq"})
_FOR_SCALARS: dict[str, type | tuple[type, ...]] = {
    _TAG + "int": int, _TAG + "float": (int, float), _TAG + "bool": bool, _TAG + "null": type(None),
}  # fmt: skip


def parse_yaml(text: str) -> Any:
    """The value of a YAML text, None for an empty one. Raises Invalid that names line and column."""
    try:
        return read(text)
    except SyntaxProblem as problem:
        where = f"line {problem.line}, column {problem.column}"
        raise Invalid(f"{problem.what} ({where})", expected=problem.expected, hint=problem.hint) from None


def read(text: str) -> Any:
    """The value of a YAML text, None for an empty one. Raises SyntaxProblem."""
    broken = unreadable(text)
    if broken is not None:
        raise broken
    try:
        return from_events(text, lambda next_event: _Reader(text, next_event).document())
    except YAMLError as error:
        raise explain(error, text) from None


def scalar_value(event: Any) -> object:
    """The value of a scalar event. Raises SyntaxProblem for a tag that has no meaning here."""
    tag, text = event.tag, event.value
    if tag is None:
        return resolve(text) if event.implicit[0] and text[:1] in MEANINGFUL else text
    if tag in ("!", _TAG + "str"):
        return text
    value = resolve(text)
    if tag not in _FOR_SCALARS:
        raise _unknown_tag(event)
    if not isinstance(value, _FOR_SCALARS[tag]):
        mark = event.start_mark
        raise SyntaxProblem(f"`{text}` is not what its tag `!!{tag.removeprefix(_TAG)}` says", mark.line, mark.column)
    return float(value) if tag == _TAG + "float" else value  # type: ignore[arg-type]


class _Reader:
    """One pass over the events of one document. An alias gives the very object of its anchor."""

    def __init__(self, text: str, next_event: NextEvent) -> None:
        self.text = text
        self.next = next_event
        self.anchors: dict[str, tuple[object, int]] = {}
        self.size = 0

    def document(self) -> Any:
        self.next()
        if self.next().__class__ is StreamEndEvent:
            return None
        value = self.value(self.next(), 0)
        self.next()
        event = self.next()
        if event.__class__ is DocumentStartEvent:
            raise _problem(event, "a second document begins here", "one document in a file", "remove the `---`")
        return value

    def value(self, event: Any, depth: int) -> object:
        kind = event.__class__
        if kind is AliasEvent:
            return self.alias(event)
        before = self.size
        value: object
        if kind is ScalarEvent:
            value = scalar_value(event)
        else:
            if depth == MAX_DEPTH:
                raise _problem(event, f"values are nested deeper than {MAX_DEPTH} levels")
            if event.tag not in _FOR_COLLECTIONS:
                raise _unknown_tag(event)
            value = self.mapping(depth + 1) if kind is MappingStartEvent else self.sequence(depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.size - before)
        return value

    def mapping(self, depth: int) -> dict[str, object]:
        values: dict[str, object] = {}
        merged: list[dict[str, object]] = []
        get = self.next
        while True:
            key_event = get()
            if key_event.__class__ is not ScalarEvent:
                if key_event.__class__ is MappingEndEvent:
                    break
                raise self.odd_key(key_event)
            key = key_event.value
            event = get()
            if key == "<<" and key_event.implicit[0]:
                merged += self.merge(event, depth)
                continue
            if key in values:
                raise _problem(key_event, f"Duplicate field '{key}': it stands twice in the same map", "every key once")
            if event.__class__ is ScalarEvent and event.tag is None and event.anchor is None:
                value = event.value
                if value[:1] in MEANINGFUL and event.implicit[0]:
                    value = resolve(value)
                values[key] = value
            else:
                values[key] = self.value(event, depth)
        for source in merged:
            for key, value in source.items():
                values.setdefault(key, value)
        self.size += len(values)
        return values

    def sequence(self, depth: int) -> list[object]:
        values: list[object] = []
        while (event := self.next()).__class__ is not SequenceEndEvent:
            values.append(self.value(event, depth))
        self.size += len(values)
        return values

    def merge(self, event: Any, depth: int) -> list[dict[str, object]]:
        """The maps behind `<<`, those that win first."""
        value = self.value(event, depth)
        sources: list[Any] = value if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                raise _problem(event, "`<<` does not name a map", "an alias of a map, or a list of such aliases")
        return sources

    def alias(self, event: Any) -> object:
        if event.anchor not in self.anchors:
            raise _problem(
                event, f"there is no anchor `&{event.anchor}` above this line",
                "an alias of an anchor that was set before",
                f"put quotes around it if `*{event.anchor}` is meant as text",
            )  # fmt: skip
        value, size = self.anchors[event.anchor]
        self.size += size
        if self.size > MAX_VALUES:
            raise _problem(event, f"aliases stand for more than {MAX_VALUES} values")
        return value

    def odd_key(self, event: Any) -> SyntaxProblem:
        mark = event.start_mark
        if self.text.splitlines()[mark.line][: mark.column + 1].endswith("{{"):
            return needs_quotes(mark.line, mark.column - 1)
        return _problem(event, "a key is not a text", "`key: value`")


def _problem(event: Any, what: str, expected: str = "", hint: str = "") -> SyntaxProblem:
    return SyntaxProblem(what, event.start_mark.line, event.start_mark.column, expected, hint)


def _unknown_tag(event: Any) -> SyntaxProblem:
    tag = event.tag
    shown = f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
    return _problem(event, f"the tag `{shown}` has no meaning here", "a value without a tag", f"remove `{shown}`")
