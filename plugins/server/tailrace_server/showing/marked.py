"""Markdown of flows as HTML: no HTML of theirs, no pictures from elsewhere, and only links that a click may follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

MARKDOWN: Final = 50_000
"""Characters of a text that is shown as Markdown: reading more can take long, when somebody wants it to."""
SAFE: Final = re.compile(r"(https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)


def markdown(text: str) -> Markup:
    """A text in Markdown as HTML."""
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: SAFE.fullmatch(url) is not None  # type: ignore[method-assign]
    tokens = reader.parse(text.replace("\0", "\ufffd"))
    _tame(tokens)
    return Markup(reader.renderer.render(tokens, reader.options, {}))


def _tame(tokens: Sequence[Token]) -> None:
    """Take what our policy or our page does not bear: styles, pictures, and headings but below the page's own, none of
    which leaves a level out."""
    level = 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(6, level + 1, int(token.tag[1]) + 1)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"
        if token.type == "link_open":
            token.attrSet("rel", "noopener noreferrer nofollow")
        if style := token.attrs.pop("style", None):
            token.attrSet("class", str(style).removeprefix("text-align:"))
        if token.children:
            token.children = [_instead(child) for child in token.children]
            _tame(token.children)


def _instead(token: Token) -> Token:
    """A picture becomes its words: what it shows would be loaded from elsewhere."""
    if token.type != "image":
        return token
    return Token("text", "", 0, content=f"[picture: {token.content or _where(token.attrs)}]")


def _where(attributes: dict[str, Any]) -> str:
    return str(attributes.get("src", ""))
