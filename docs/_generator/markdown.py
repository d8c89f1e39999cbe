"""The little Markdown that the pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from inspect import cleandoc

NOTICE = "<!-- Made by `python -m docs.generate`: change the code, not this page. -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(columns), ["---"] * len(columns), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """A text in backticks, whatever backticks it holds itself; nothing for an empty one."""
    shown = str(text)
    if not shown:
        return ""
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def fence(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def joined(*blocks: str) -> str:
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip())


def docstring(thing: object) -> str:
    """What an object's own docstring says, without indentation."""
    return cleandoc(thing.__doc__ or "")
