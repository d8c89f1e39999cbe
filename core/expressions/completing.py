"""What is being typed at a place of an expression, and which words of the language fit there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from core.expressions.lexer import WORD_OPERATORS, Token, scan_half
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, find_filter, find_function
from core.expressions.library.declare import camel
from core.model.data import data, field

Place = Literal["name", "member", "key", "filter", "test", "operator", "nothing"]
_CLOSE = {"{{": "}}", "{%": "%}"}
_OPEN = re.compile(r"\{[{%#]")
_LONGEST = 20_000
"""Characters of a text that somebody types."""
_DEEPEST = 5
"""Texts with expressions inside of one another that are looked into."""
_VARIADIC = 0x04


@data
class Half:
    """The beginning of a word, and where it stands.

    start: where it begins; typed: what is there of it. target: an expression for what a member or key is wanted of.
    quote: the one around a key, "" before it is typed. dot: where the dot before a member is. local: names that
    statements before it gave values to, with an expression that gives such a value, "" where nothing is known of it.
    """

    place: Place
    start: int = 0
    typed: str = ""
    target: str = ""
    quote: str = ""
    dot: int = 0
    local: Mapping[str, str] = field(factory=dict)


def half_of(source: str, cursor: int) -> Half:
    """What somebody is typing in a template, or in an expression without its braces."""
    source = source[:cursor]
    if len(source) > _LONGEST:
        return Half("nothing", cursor)
    if "{{" not in source and "{%" not in source:
        return _half(source, 0, "}}", {})
    local: dict[str, str] = {}
    at = 0
    while opening := _OPEN.search(source, at):
        close = _CLOSE.get(opening.group())
        if close is None:
            end = source.find("#}", opening.end())
            if end < 0:
                break
            at = end + 2
            continue
        scanned = scan_half(source, opening.end(), close)
        if not scanned.tokens or scanned.tokens[-1].kind != "end":
            return _half(source, opening.end(), close, local)
        if close == "%}":
            _note_names(source, scanned.tokens, local)
        at = scanned.after
    return Half("nothing", cursor)


def _note_names(source: str, tokens: list[Token], local: dict[str, str]) -> None:
    """Names that a tag gives values to: `set NAME = …`, `for NAME in …`."""
    words = [token.value for token in tokens[:3]]
    if len(tokens) < 5 or tokens[1].kind != "name":
        return
    text = _in_full(source[tokens[3].at : tokens[-2].end], local)
    if words[0] == "set" and words[2] == "=":
        local[words[1]] = f"({text})"
    elif words[0] == "for" and words[2] == "in":
        local[words[1]] = f"(({text}) | first)"
        local["loop"] = ""


def _half(source: str, start: int, close: str, local: Mapping[str, str]) -> Half:
    """In an expression that begins at `start` and is not closed before the end of the source."""
    for _ in range(_DEEPEST):
        scanned = scan_half(source, start, close)
        tokens, rest = scanned.tokens, source[scanned.after :]
        if tokens and tokens[-1].kind == "end":
            break
        inner = _interpolated(source, scanned.after) if rest[:1] == '"' else None
        if inner is not None:
            start, close = inner, "}"
            continue
        if rest[:1] in ("'", '"'):
            return _key(source, tokens, scanned.after + 1, rest[0], local)
        if rest or (close == "%}" and (not tokens or tokens[0].end == len(source))):
            break
        return _word(source, tokens[1:] if close == "%}" else tokens, local)
    return Half("nothing", len(source))


def _interpolated(source: str, quote: int) -> int | None:
    """Behind the `#{` of an unfinished text that is itself not finished, None where there is no such."""
    at = source.find("#{", quote)
    while at >= 0:
        inner = scan_half(source, at + 2, "}")
        if not inner.tokens or inner.tokens[-1].kind != "end":
            return at + 2
        at = source.find("#{", inner.after)
    return None


def _key(source: str, tokens: list[Token], start: int, quote: str, local: Mapping[str, str]) -> Half:
    """In an unfinished text: `outputs['fe`."""
    if len(tokens) > 1 and tokens[-1].value == "[" and (first := _chain(tokens, len(tokens) - 1)) is not None:
        target = _in_full(source[tokens[first].at : tokens[-1].at], local)
        return Half("key", start, source[start:], target, quote, local=local)
    return Half("nothing", len(source))


def _word(source: str, tokens: list[Token], local: Mapping[str, str]) -> Half:
    """Behind whole tokens, or in the last one of them."""
    start, typed = len(source), ""
    if tokens and tokens[-1].end == len(source) and (tokens[-1].kind == "name" or tokens[-1].value in WORD_OPERATORS):
        start, typed = tokens[-1].at, source[tokens[-1].at :]
        tokens = tokens[:-1]
    before = tokens[-1] if tokens else None
    if before is None:
        return Half("name", start, typed, local=local)
    if before.kind == "operator" and before.value == ".":
        first = _chain(tokens, len(tokens) - 1)
        if first is None:
            return Half("nothing", start)
        target = _in_full(source[tokens[first].at : before.at], local)
        return Half("member", start, typed, target, dot=before.at, local=local)
    if before.kind == "operator" and before.value == "|":
        return Half("filter", start, typed, local=local)
    if before.value == "is" or [token.value for token in tokens[-2:]] == ["is", "not"]:
        return Half("test", start, typed, local=local)
    if before.kind == "operator" and before.value == "[" and (first := _chain(tokens, len(tokens) - 1)) is not None:
        return Half("key", start, typed, _in_full(source[tokens[first].at : before.at], local), local=local)
    if _ends_value(before) and not (before.value == "in" and before.kind == "name"):  # `in` of a loop
        return Half("operator" if typed or before.end < start else "nothing", start, typed, local=local)
    return Half("name", start, typed, local=local)


def _ends_value(token: Token) -> bool:
    return token.kind != "operator" or token.value in (")", "]", "}")


_PAIRS = {")": "(", "]": "[", "}": "{"}


def _chain(tokens: list[Token], end: int) -> int | None:
    """Where the chain of names, calls and keys begins that stands before the token `end`; None without any."""
    at = end
    while True:
        at -= 1
        while at >= 0 and tokens[at].kind == "operator" and tokens[at].value in _PAIRS:
            opening = _opening(tokens, at)
            if opening is None:
                return None
            if opening == 0 or not _ends_value(tokens[opening - 1]):
                at = opening  # brackets around a whole value
                break
            at = opening - 1
        if at < 0 or (tokens[at].kind == "operator" and tokens[at].value not in _PAIRS.values()):
            return None
        if tokens[at].kind == "number":
            return None
        if at == 0 or tokens[at - 1].value != "." or tokens[at - 1].kind != "operator":
            return at
        at -= 1


def _opening(tokens: list[Token], at: int) -> int | None:
    depth = 0
    for number in range(at, -1, -1):
        if tokens[number].kind != "operator":
            continue
        depth += (tokens[number].value in _PAIRS) - (tokens[number].value in _PAIRS.values())
        if depth == 0:
            return number if tokens[number].value == _PAIRS[tokens[at].value] else None
    return None


def _in_full(text: str, local: Mapping[str, str]) -> str:
    """An expression with a name of a statement at its beginning replaced by what gives that name's value."""
    name = re.match(r"[^\W\d]\w*", text)
    return text if name is None or not local.get(name.group()) else local[name.group()] + text[name.end() :]


# -- words of the language ------------------------------------------------------------------------------------------


def functions(handed: Mapping[str, Callable[..., Any]]) -> Iterator[tuple[str, str]]:
    """Functions with what they take. handed: those that the engine gives."""
    for name in FUNCTIONS:
        declared = find_function(name)
        yield name, signature(declared.function) if declared else ""
    for name, function in handed.items():
        yield name, signature(function)


def filters() -> Iterator[tuple[str, str]]:
    """Filters with what they take beside the value before them."""
    yield "default", "(default)"
    for name in FILTERS:
        declared = find_filter(name)
        yield name, signature(declared.function, inputs=1) if declared else ""


def tests() -> Iterator[tuple[str, str]]:
    """What can stand behind `is`."""
    for name in ("defined", *TESTS):
        yield name, "test"


def operators() -> Iterator[tuple[str, str]]:
    """Those that are words."""
    for name in sorted(WORD_OPERATORS - {"not"}):
        yield name, "operator"


def signature(function: Callable[..., Any], inputs: int = 0) -> str:
    """`(date, format?, timeZone?)`, a `?` behind what may be left out. inputs: arguments that come from before it."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    required = len(names) - len(function.__defaults__ or ())
    shown = [camel(name) + ("" if number < required else "?") for number, name in enumerate(names)]
    shown = shown[(names[:1] in (("frame",), ("self",))) + inputs :]
    return f"({', '.join([*shown, '…'] if code.co_flags & _VARIADIC else shown)})"
