"""What is shown of a value, and the value on its way there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import frozen
from markupsafe import Markup

from core.host.services import Services
from tailrace_server.showing.links import Links, joined
from tailrace_server.showing.tables import Table

Kind = Literal["scalar", "json", "table", "text", "markdown", "image", "html", "file", "large", "nothing"]
EMPTY = Markup()
FORMS = {"table": "Table", "json": "JSON", "markdown": "Markdown", "html": "Page", "image": "Image", "text": "Text"}
"""Ways to show a value, as they are named for people."""


@frozen
class Choice:
    """One of several ways to show a value."""

    name: str
    url: str
    current: bool = False


@frozen
class ShownValue:
    """What `value.html` needs.

    type: in the language's words. text: of `text`; markup: of `scalar`, `json` and `markdown`, made of escaped parts;
    table: of `table`; source: of `image` and `html`, the address of what an <img> or a frame loads. name, size: of a
    file, in bytes. download: where all of it can be had, "" where nothing can. choices: other ways to show it.
    crumbs: the parts that this part lies in, (name, address). words: which part of how much is shown, with newer and
    older around it. note: why it is not shown otherwise.
    """

    kind: Kind
    type: str = ""
    text: str = ""
    markup: Markup = EMPTY
    table: Table | None = None
    source: str = ""
    name: str = ""
    size: int | None = None
    download: str = ""
    choices: tuple[Choice, ...] = ()
    crumbs: tuple[tuple[str, str], ...] = ()
    words: str = ""
    newer: str = ""
    older: str = ""
    note: str = ""


@frozen
class Subject:
    """A value to be shown. at: the JSON Pointer of where it stands; inside: what of the pointer leads further, into a
    text or a file. own: the address of its own page, below which `frame`, `image` and `download` are; "" without one.
    other: further forms that what it came from can be shown in. note: how it was read. name, size, download: of the
    file it came from.
    """

    services: Services
    value: Any
    links: Links
    own: str = ""
    at: str = ""
    inside: str = ""
    other: tuple[str, ...] = ()
    note: str = ""
    name: str = ""
    size: int | None = None
    download: str = ""

    def below(self, name: str) -> str:
        """The address of what only its own page has; "" without one."""
        if not self.own:
            return ""
        path, mark, query = self.own.partition("?")
        return joined(f"{path}/{name}{mark}{query}", [("at", self.at)] if self.at else [])

    def form(self, forms: Sequence[str]) -> str:
        """The one of these that is asked for, the first otherwise."""
        asked = self.links["as"]
        return asked if asked in forms else forms[0]

    def choices(self, forms: Sequence[str], current: str) -> tuple[Choice, ...]:
        """Links to the ways it can be shown, if there are several."""
        names = tuple(dict.fromkeys((*forms, *self.other)))
        if len(names) < 2 or not self.links.address:
            return ()
        return tuple(
            Choice(FORMS[name], self.links.to(as_=name, from_=None, sort=None, summary=None), name == current)
            for name in names
        )
