"""Template text → statements: what is text, what is printed, what is a tag."""

from __future__ import annotations

import re
from functools import lru_cache

from core.expressions.faults import Fault, within_code
from core.expressions.lexer import WORD_OPERATORS, Scanned, scan
from core.expressions.nodes import Body, Expression, Get, Literal, Name, Print, Statement, Text
from core.expressions.parser import CONSTANTS, Parser
from core.expressions.statements import Tag, arrange
from core.model.data import data

_OPEN = r"\{[{%#]"
_RAW = r"\{%-*\s*raw\s*-*%\}"
_END_RAW = r"\{%-*\s*endraw\s*-*%\}"
_VERBATIM = r"\{%(?:-\s)?\s*verbatim\s*-?%\}"
_END_VERBATIM = r"\{%(-\s)?\s*endverbatim\s*(-)?%\}"
_PLAIN_PATH = r"\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*\}\}"
_ONE_PATH = r"\{\{" + _PLAIN_PATH
_PLAIN_SIZE = 100
"""Characters up to which a template is looked at as a plain path: no limit is near then."""
_COMMENT_END = r"(\s-)?#\}"


@data
class _Piece:
    """statement: none for a comment. after: offset behind it. trim: white space that follows is dropped."""

    statement: Statement | Tag | None
    after: int
    trim: bool = False


def plain_path(source: str) -> tuple[int, tuple[str, ...]] | None:
    """(where it begins, its names) of a template that is nothing but `{{ a.b.c }}`: what most are, told in no time."""
    return _known_path(source) if len(source) <= _PLAIN_SIZE else None


@lru_cache(maxsize=4096)
def _known_path(source: str) -> tuple[int, tuple[str, ...]] | None:
    found = _one_path().fullmatch(source)
    if found is None:
        return None
    names = found.group(1).split(".")
    return None if _has_keyword(names) else (found.start(1), tuple(names))


@lru_cache(maxsize=1)
def _one_path() -> re.Pattern[str]:
    return re.compile(_ONE_PATH)


def _has_keyword(names: list[str]) -> bool:
    return names[0] in CONSTANTS or not WORD_OPERATORS.isdisjoint(names)


def parse_template(source: str) -> Body:
    """The statements of a template. Raises Fault."""
    if (path := _one_path().fullmatch(source)) and (value := _plain_path(path)):
        return (Print(value),)
    pieces: list[Statement | Tag] = []
    at = code = 0
    trim = False
    while True:
        opening = re.compile(_OPEN).search(source, at)
        text = source[at : opening.start() if opening else len(source)]
        raw = _raw_end(source, opening) if opening and opening.group() == "{%" else 0
        if trim:
            text = text.lstrip()
        if opening and not raw and _trims_before(source, opening.end()):
            text = text.rstrip()
        if text:
            pieces.append(Text(text))
        if opening is None:
            return arrange(pieces)
        if raw:
            # Its tags stay to the end, so that no round of rendering sees what is inside; its dashes trim nothing.
            pieces.append(Text(source[opening.start() : raw]))
            at, trim = raw, False
            continue
        piece = _piece(source, opening.start())
        at, trim = piece.after, piece.trim
        if piece.statement is not None:
            code += at - opening.start()
            within_code(code)
            pieces.append(piece.statement)


def _raw_end(source: str, opening: re.Match[str]) -> int:
    """Where the raw block that starts here ends; 0 when none does."""
    raw = re.compile(_RAW).match(source, opening.start())
    if raw is None:
        return 0
    end = re.compile(_END_RAW).search(source, raw.end())
    if end is None:
        raise Fault("`raw` is never closed", expected="`{% endraw %}`", at=opening.start())
    return end.end()


def unwrap_raw(text: str) -> str:
    """The text without raw tags: those of the template, and (as in the reference) those that values brought."""
    if "{%" not in text:
        return text
    parts: list[str] = []
    at = 0
    while (raw := re.compile(_RAW).search(text, at)) and (end := re.compile(_END_RAW).search(text, raw.end())):
        parts += (text[at : raw.start()], text[raw.end() : end.start()])
        at = end.end()
    return "".join([*parts, text[at:]])


def _trims_before(source: str, at: int) -> bool:
    """`{{- x }}` trims; `{{-1}}` is minus one."""
    return source.startswith("-", at) and source[at + 1 : at + 2].isspace()


def _piece(source: str, start: int) -> _Piece:
    kind = source[start + 1]
    inside = start + 3 if _trims_before(source, start + 2) else start + 2
    if kind == "#":
        end = re.compile(_COMMENT_END).search(source, inside)
        if end is None:
            raise Fault("`{#` is never closed", expected="`#}`", at=start)
        return _Piece(None, end.end(), end.group(1) is not None)
    if kind == "{":
        if (path := re.compile(_PLAIN_PATH).match(source, inside)) and (value := _plain_path(path)):
            return _Piece(Print(value), path.end())
        scanned = scan(source, inside, "}}")
        return _Piece(Print(Parser(scanned.tokens).whole()), scanned.after, scanned.trim)
    if verbatim := re.compile(_VERBATIM).match(source, start):
        return _verbatim(source, verbatim)
    return _tag(source, start, scan(source, inside, "%}"))


def _verbatim(source: str, opening: re.Match[str]) -> _Piece:
    """The content as it is, without the white space before it (the reference always drops that)."""
    end = re.compile(_END_VERBATIM).search(source, opening.end())
    if end is None:
        raise Fault("`verbatim` is never closed", expected="`{% endverbatim %}`", at=opening.start())
    text = source[opening.end() : end.start()].lstrip()
    return _Piece(Text(text.rstrip() if end.group(1) else text), end.end(), end.group(2) is not None)


def _plain_path(match: re.Match[str]) -> Expression | None:
    """What the parser makes of `a.b.c`, in a tenth of its time: most expressions are no more than that."""
    names = match.group(1).split(".")
    if _has_keyword(names):
        return None
    at = match.start(1)
    result: Expression = Name(at, names[0])
    for number, name in enumerate(names[1:]):
        at += len(names[number]) + 1
        result = Get(at, result, Literal(at, name))
    return result


def _tag(source: str, start: int, scanned: Scanned) -> _Piece:
    first = scanned.tokens[0]
    if first.kind != "name":
        raise Fault("a tag has no name", expected="`{% name … %}`", at=start)
    return _Piece(Tag(first.at, first.value, Parser(scanned.tokens[1:])), scanned.after, scanned.trim)
