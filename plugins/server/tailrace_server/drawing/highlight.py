"""A flow's source as HTML: numbered lines to link to (`#L12`), and the words of YAML and of expressions in colour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from markupsafe import Markup, escape

WORDS = re.compile(
    r"""(?P<expression>\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$))
    |(?P<comment>(?:(?<=\s)|^)\#.*)
    |(?P<key>(?:"[^"]*"|'[^']*'|[\w$.<][\w$.<@/-]*)(?=\s*:(?:\s|$)))
    |(?P<text>"(?:\\.|[^"\\])*"?|'(?:''|[^'])*'?)
    |(?P<number>(?<![\w.:-])(?:-?\d+(?:\.\d+)?|true|false|null|~)(?=\s*(?:$|[,\]}]|\s\#)))
    |(?P<anchor>(?<![\w.])[&*!][\w!.-]+)
    |(?P<plain>[\w./:$@+=%<>()?!*&~^;|\\`-]+|.)""",
    re.VERBOSE,
)
BLOCK = re.compile(r"(?:[^#\"']*[\s:-]|^)[|>][+-]?\d?[+-]?\s*(?:\s#.*)?$")
"""A line that begins a text of several lines."""
LONG = 2000
"""Longer lines than this stay as they are."""
EXPRESSION = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)")


def source_html(text: str, marks: Mapping[int, str] | None = None) -> Markup:
    """The lines of a source. marks: what is said of some, by their numbers from 1."""
    said = marks or {}
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    rows = [_row(number, line, said.get(number, "")) for number, line in enumerate(_coloured(lines), 1)]
    return Markup('<pre class="source" tabindex="0" aria-label="Source"><code>{}</code></pre>').format(
        Markup("").join(rows)
    )


def _row(number: int, line: Markup, said: str) -> Markup:
    told = Markup('<span class="said">{}</span>').format(said) if said else Markup("")
    return Markup(
        '<span class="line{0}" id="L{1}"><a class="n" href="#L{1}" tabindex="-1" data-n="{1}" aria-label="Line {1}">'
        "</a>{2}{3}\n</span>"
    ).format(" marked" if said else "", number, line, told)


def _coloured(lines: list[str]) -> Iterator[Markup]:
    """Each line in colour; within a text of several lines only expressions are."""
    block: int | None = None
    for line in lines:
        if len(line) > LONG:
            yield escape(line)
            continue
        indent = len(line) - len(line.lstrip(" "))
        if block is not None and (not line.strip() or indent > block):
            yield _in_text(line)
            continue
        yield _words(line)
        block = indent if BLOCK.match(line) else None


def _in_text(line: str) -> Markup:
    parts, at = [], 0
    for match in EXPRESSION.finditer(line):
        parts += [escape(line[at : match.start()]), _span("expression", match[0])]
        at = match.end()
    return Markup("").join([*parts, escape(line[at:])])


def _words(line: str) -> Markup:
    parts: list[Markup] = []
    for match in WORDS.finditer(line):
        kind, word = match.lastgroup or "plain", match[0]
        if kind == "text" and EXPRESSION.search(word):
            parts.append(Markup('<span class="y-text">{}</span>').format(_in_text(word)))
        else:
            parts.append(escape(word) if kind == "plain" else _span(kind, word))
    return Markup("").join(parts)


def _span(kind: str, word: str) -> Markup:
    return Markup('<span class="y-{}">{}</span>').format(kind, word)
