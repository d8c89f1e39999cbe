"""Reading SQL text as far as that is needed, past its literals and comments."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

_TOKEN = re.compile(
    r"""
      (?<!\w)[eE]'(?:[^'\\]|''|\\.)*'          # text with escapes
    | '[^']*' | "[^"]*"                        # text, a quoted name
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$          # text between dollars
    | --[^\n]* | /\*.*?\*/                     # comments
    | ::                                       # a cast
    | :(?P<name>[A-Za-z_]\w*)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPERAND_END = re.compile(r"[\w'\"\])}]")


@frozen
class Bound:
    """SQL as DuckDB takes it. unset: names in it for which no value was given; null is bound."""

    sql: str
    unset: tuple[str, ...] = ()


def bind_names(sql: str, parameters: Mapping[str, object]) -> Bound:
    """`:name` → `$name`, outside of literals and comments.

    A name without a value counts where an operand can stand, so that `list[1:n]` and `{'a':b}` keep their meaning.
    """
    unset: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        if name not in parameters:
            if _OPERAND_END.match(sql[match.start() - 1 : match.start()]):
                return match[0]
            unset.append(name)
        return f"${name}"

    return Bound(_TOKEN.sub(replace, sql), tuple(dict.fromkeys(unset)))


def without_end(statement: str) -> str:
    """One statement without its semicolon and what follows."""
    ends = (match.start() for match in _TOKEN.finditer(statement) if match["end"])
    return statement[: next(ends, len(statement))]


def readable(message: str, prefix: str) -> str:
    """What DuckDB says, its excerpt and caret as if the prefix that was put before the SQL had not been there."""
    lines = message.strip().split("\n")
    for number, line in enumerate(lines[:-1]):
        if prefix and line.startswith(f"LINE 1: {prefix}"):
            lines[number] = line.replace(prefix, "", 1)
            lines[number + 1] = lines[number + 1][len(prefix) :]
    return "\n".join(lines)


def unique(names: list[str]) -> list[str]:
    """Column names, equal ones numbered as DuckDB does in files: `a, a` → `a, a_1`."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 0
        while candidate.lower() in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate.lower())
        result.append(candidate)
    return result
