"""What is wrong with a text that is not YAML, in plain words."""

from __future__ import annotations

import re
from typing import Any

from core.errors import Invalid

_FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_UNQUOTED_EXPRESSION = r"^\s*(?:- +)*(?:[^\s:'\"]+: +)?(\{\{)"


class SyntaxProblem(Invalid):
    """A text can't be read as YAML. line and column begin at 1."""

    def __init__(self, what: str, line: int, column: int, expected: str = "", hint: str = "") -> None:
        """line and column as libyaml counts them, from 0."""
        super().__init__(what, expected=expected, hint=hint)
        self.line = line + 1
        self.column = column + 1


def unreadable(text: str) -> SyntaxProblem | None:
    """A character that can't stand in YAML, found before the parser sees the text: NUL and lone surrogates end it."""
    if "\0" not in text and (text.isascii() or not re.search("[\ud800-\udfff]", text)):
        return None
    return _forbidden_character(text)


def explain(error: Any, text: str) -> SyntaxProblem:
    """libyaml's error as what is wrong, where, and what was expected."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _forbidden_character(text) or SyntaxProblem(f"this is not YAML: {error}", 0, 0)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    unquoted = re.match(_UNQUOTED_EXPRESSION, line)
    if unquoted:
        return needs_quotes(mark.line, unquoted.start(1))
    what, expected, hint = _in_words(error, line, mark)
    return SyntaxProblem(what, mark.line, mark.column, expected, hint)


def needs_quotes(line: int, column: int) -> SyntaxProblem:
    """An expression without quotes, which YAML reads as a map in a map."""
    return SyntaxProblem(
        "an expression that begins a value must stand in quotes", line, column, '"{{ … }}"',
        "put quotes around the whole value",
    )  # fmt: skip


def _forbidden_character(text: str) -> SyntaxProblem | None:
    found = re.search(_FORBIDDEN, text.removeprefix("\ufeff"))
    if found is None:
        return None
    before = text.removeprefix("\ufeff")[: found.start()]
    line = before.count("\n")
    code = ord(found.group())
    surrogate = 0xD800 <= code < 0xE000
    return SyntaxProblem(
        "the text is not UTF-8" if surrogate else f"the character U+{code:04X} can't stand in a YAML text",
        line,
        len(before) - (before.rfind("\n") + 1),
        "a text encoded in UTF-8" if surrogate else "printable characters",
        "save the file as UTF-8" if surrogate else f'remove it, or write it as "\\u{code:04x}" in double quotes',
    )


def _in_words(error: Any, line: str, mark: Any) -> tuple[str, str, str]:
    """(what is wrong, what was expected, what to do) for a message of libyaml."""
    problem: str = error.problem or ""
    began = f"line {error.context_mark.line + 1}" if error.context_mark is not None else "an earlier line"
    sign = line[mark.column : mark.column + 1]
    if "cannot start any token" in problem:
        return _bad_start(sign)
    if "unknown escape" in problem:
        escape = line[mark.column : mark.column + 2]
        return f"`{escape}` is no escape in a double-quoted text", "`\\\\` for a backslash", "or use single quotes"
    for part, what, expected, hint in _WORDS:
        if part in problem:
            return what.format(began=began), expected, hint
    return f"this is not YAML: {problem}", "", ""


def _bad_start(sign: str) -> tuple[str, str, str]:
    if sign == "\t":
        return "a tab stands where YAML wants spaces", "spaces for indentation", "replace the tab by spaces"
    return f"a text can't begin with `{sign}`", "quotes around the text", f"put quotes around the value: '{sign}…'"


_WORDS = (
    (
        "mapping values are not allowed", "a `:` stands where no value can begin",
        "one `key: value` in a line, indented like its neighbours", "put quotes around a text that contains `: `",
    ),
    (
        "did not find expected key", "this does not fit into the map that began in {began}",
        "`key: value`, indented like the other keys of the map", "check the indentation and the quotes",
    ),
    (
        "did not find expected '-' indicator", "this does not fit into the list that began in {began}",
        "`- ` at the indentation of the list's other elements", "check the indentation",
    ),
    (
        "found unexpected ':'", "a `:` stands inside a text between brackets",
        "quotes around the text", "without quotes only a shorter file can have it",
    ),
    (
        "could not find expected ':'", "a `:` is missing after the key", "`key: value`",
        "check this line and the one above",
    ),
    ("expected ',' or ']'", "the list that began in {began} is not closed", "`,` or `]`", ""),
    ("expected ',' or '}'", "the map that began in {began} is not closed", "`,` or `}`", ""),
    (
        "did not find expected node content", "a value is missing here",
        "a value, or the `]` or `}` that ends the list or the map",
        "put quotes around a text that begins with `,`, `]` or `}`",
    ),
    (
        "did not find expected comment or line break", "text stands behind the `|` or `>` that begins a text of lines",
        "the text on the next lines, indented", "begin a new line before the text",
    ),
    (
        "found unexpected end of stream", "the quoted text that began in {began} is not closed", "a closing quote",
        "inside single quotes a quote is written twice: 'it''s'",
    ),
    (
        "block sequence entries are not allowed", "a list can't begin behind its key",
        "`- ` on a line of its own", "begin a new line before the `-`, or put quotes around the text",
    ),
    (
        "found a tab character", "a tab stands where YAML wants spaces", "spaces for indentation",
        "replace the tab by spaces",
    ),
    ("incompatible YAML document", "this version of YAML can't be read", "YAML 1.1 or 1.2", "remove the `%YAML` line"),
    ("expected <document start>", "the document has ended, but text follows", "one document in a file", ""),
)  # fmt: skip
