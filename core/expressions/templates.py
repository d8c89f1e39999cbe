"""Template text → statements: what is text, what is printed, what is a tag."""

from __future__ import annotations

import re
from typing import NamedTuple

from core.expressions.faults import Fault
from core.expressions.lexer import Scanned, scan
from core.expressions.nodes import Body, Print, Statement, Text
from core.expressions.parser import Parser
from core.expressions.statements import Tag, arrange

_OPEN = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%-*\s*raw\s*-*%\}(.*?)\{%-*\s*endraw\s*-*%\}", re.DOTALL)
_VERBATIM = re.compile(r"\{%(-\s)?\s*verbatim\s*(-)?%\}\s*(.*?)(\s*)\{%(-\s)?\s*endverbatim\s*(-)?%\}", re.DOTALL)
_COMMENT_END = re.compile(r"(\s-)?#\}")


class _Piece(NamedTuple):
    """statement: none for a comment. after: offset behind it. trim: white space that follows is dropped."""

    statement: Statement | Tag | None
    after: int
    trim: bool = False


def parse_template(source: str) -> Body:
    """The statements of a template. Raises Fault."""
    pieces: list[Statement | Tag] = []
    at = 0
    trim = False
    while True:
        opening = _OPEN.search(source, at)
        text = source[at : opening.start() if opening else len(source)]
        if trim:
            text = text.lstrip()
        if opening and _trims_before(source, opening.end()):
            text = text.rstrip()
        if text:
            pieces.append(Text(text))
        if opening is None:
            return arrange(pieces)
        statement, at, trim = _piece(source, opening.start())
        if statement is not None:
            pieces.append(statement)


def unwrap_raw(text: str) -> str:
    """The text without the raw tags in it: the reference takes them out of what was rendered, too."""
    return _RAW.sub(r"\1", text) if "{%" in text else text


def _trims_before(source: str, at: int) -> bool:
    """`{{- x }}` trims; `{{-1}}` is minus one."""
    return source.startswith("-", at) and source[at + 1 : at + 2].isspace()


def _piece(source: str, start: int) -> _Piece:
    kind = source[start + 1]
    inside = start + 3 if _trims_before(source, start + 2) else start + 2
    if kind == "#":
        end = _COMMENT_END.search(source, inside)
        if end is None:
            raise Fault("`{#` is never closed", expected="`#}`", at=start)
        return _Piece(None, end.end(), end.group(1) is not None)
    if kind == "{":
        scanned = scan(source, inside, "}}")
        return _Piece(Print(Parser(scanned.tokens).whole()), scanned.after, scanned.trim)
    if raw := _RAW.match(source, start):
        return _Piece(Text(raw.group(1)), raw.end())
    if verbatim := _VERBATIM.match(source, start):
        text = verbatim.group(3) + ("" if verbatim.group(5) else verbatim.group(4))
        return _Piece(Text(text), verbatim.end(), verbatim.group(6) is not None)
    return _tag(source, start, scan(source, inside, "%}"))


def _tag(source: str, start: int, scanned: Scanned) -> _Piece:
    first = scanned.tokens[0]
    if first.kind != "name":
        raise Fault("a tag has no name", expected="`{% name … %}`", at=start)
    return _Piece(Tag(first.at, first.value, Parser(scanned.tokens[1:])), scanned.after, scanned.trim)
