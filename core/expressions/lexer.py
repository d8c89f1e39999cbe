"""Text → tokens. `}}` closes an expression only when all its brackets are closed."""

from __future__ import annotations

import re
from typing import Any

from core.expressions.faults import MAX_CODE, Fault, within_code
from core.model.data import data

OPERATOR_WORDS = frozenset({"and", "or", "not", "is", "contains", "equals"})
WORD_OPERATORS = OPERATOR_WORDS | {"isIn", "isNotIn"}
MAX_WHOLE = 2**63 - 1

_TOKEN = r"""(?xs)\s*(?:
      (?P<name>[^\W\d]\w*)
    | (?P<decimal>\d+\.\d+)
    | (?P<whole>\d+)L?
    | (?P<single>'(?:[^'\\]|\\.)*')
    | (?P<double>"(?:[^"\\]|\\.)*")
    | (?P<operator>\?\?\?|\?\?|==|!=|<=|>=|\.\.|[][(){}.?:,|~+*/%<>=-])
    )"""
_BLANK = r"\s*"
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


@data
class Token:
    """kind: name, operator, number, text, parts (of an interpolated text) or end. value: what it stands for."""

    kind: str
    value: Any
    at: int
    end: int


@data
class Scanned:
    """tokens: the last one is `end`. after: offset behind the closing delimiter. trim: it was `-}}` or `-%}`."""

    tokens: list[Token]
    after: int
    trim: bool


def scan(source: str, start: int, close: str) -> Scanned:
    """The tokens from `start` up to the delimiter `close` (`}}`, `%}`, or `}` inside of an interpolated text)."""
    tokens: list[Token] = []
    open_brackets: list[Token] = []
    trimmed_close = "-" + close
    next_token, blank = re.compile(_TOKEN).match, re.compile(_BLANK).match
    at = start
    while True:
        match = next_token(source, at)
        kind = match.lastgroup if match else None
        first = match.start(kind) if match and kind else blank(source, at).end()  # type: ignore[union-attr]
        if not open_brackets:
            if source.startswith(close, first):
                tokens.append(Token("end", close, first, first))
                return Scanned(tokens, first + len(close), False)
            if source.startswith(trimmed_close, first):
                tokens.append(Token("end", close, first, first))
                return Scanned(tokens, first + len(trimmed_close), True)
        if match is None or kind is None:
            raise _unreadable(source, first, start, close)
        token = _token(source, kind, match, first)
        if kind == "operator":
            _track(open_brackets, token)
        tokens.append(token)
        at = token.end
        if at - start > MAX_CODE:
            within_code(at - start)


def scan_half(source: str, start: int, close: str) -> Scanned:
    """What can be read of an expression that may not be finished; `scan` for somebody who still types.

    The last token is `end` only where `close` was found; `after` is where reading stopped: behind that, before what is
    no token (a text without its closing quote), or at the end of the source.
    """
    tokens: list[Token] = []
    depth = 0
    next_token, blank = re.compile(_TOKEN).match, re.compile(_BLANK).match
    at = start
    while True:
        first = blank(source, at).end()  # type: ignore[union-attr]
        if depth == 0 and source.startswith((close, f"-{close}"), first):
            after = source.index(close, first) + len(close)
            tokens.append(Token("end", close, first, first))
            return Scanned(tokens, after, source[first] == "-")
        match = next_token(source, at)
        if match is None or match.lastgroup is None:
            return Scanned(tokens, first, False)
        try:
            token = _token(source, match.lastgroup, match, first)
        except (Fault, RecursionError):
            return Scanned(tokens, first, False)
        if token.kind == "operator":
            depth = max(0, depth + (token.value in _CLOSERS) - (token.value in _CLOSERS.values()))
        tokens.append(token)
        at = token.end


def _token(source: str, kind: str, match: re.Match[str], first: int) -> Token:
    text = match.group(kind)
    if kind == "name":
        return Token("operator" if text in WORD_OPERATORS else "name", text, first, match.end())
    if kind == "operator":
        return Token(kind, text, first, match.end())
    if kind == "whole":
        value = int(text) if len(text) < 25 else MAX_WHOLE + 1
        if value > MAX_WHOLE:
            raise Fault(f"the number {text[:30]} is too large", expected=f"at most {MAX_WHOLE}", at=first)
        return Token("number", value, first, match.end())
    if kind == "decimal":
        return Token("number", float(text), first, match.end())
    if kind == "single":
        return Token("text", text[1:-1].replace("\\'", "'"), first, match.end())
    if "#" in text:
        return _interpolated(source, first)
    return Token("text", text[1:-1].replace('\\"', '"'), first, match.end())


def _interpolated(source: str, first: int) -> Token:
    """A text in double quotes that holds a `#`: backslashes stay, `#{…}` is an expression."""
    parts: list[str | list[Token]] = []
    text_start = at = first + 1
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 2
        elif char == '"':
            parts.append(source[text_start:at])
            return Token("parts", parts, first, at + 1)
        elif source.startswith("#{", at):
            parts.append(source[text_start:at])
            inner = scan(source, at + 2, "}")
            parts.append(inner.tokens)
            text_start = at = inner.after
        else:
            at += 1
    raise Fault("this text has no closing quote", expected='a " at its end', at=first)


def _track(open_brackets: list[Token], token: Token) -> None:
    if token.value in _CLOSERS:
        open_brackets.append(token)
    elif token.value in (")", "]", "}"):
        if not open_brackets:
            raise Fault(f"`{token.value}` closes nothing here", at=token.at)
        opening = open_brackets.pop()
        if _CLOSERS[opening.value] != token.value:
            raise Fault(f"`{opening.value}` is never closed", expected=f"`{_CLOSERS[opening.value]}`", at=opening.at)


def _unreadable(source: str, at: int, start: int, close: str) -> Fault:
    if at >= len(source):
        opener = {"}}": "{{", "%}": "{%", "}": "#{"}[close]
        return Fault(f"`{opener}` is never closed", expected=f"`{close}`", at=max(0, start - 2))
    if source[at] in "'\"":
        return Fault("this text has no closing quote", expected=f"a {source[at]} at its end", at=at)
    char = source[at]
    hints = {"&": "write `and`", "!": "write `not`, or `!=` to compare", "^": "there is no such operator",
             "$": "names stand in `{{ }}` without a sign before them"}  # fmt: skip
    return Fault(f"`{char}` can't stand in an expression", hint=hints.get(char, ""), at=at)
