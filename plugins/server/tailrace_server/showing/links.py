"""Where the links of a shown value lead: the address it is shown at, with other choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from tailrace_server.asked import Parameter

VALUE_ASKS = (
    Parameter("at", "Which part of the value, as a JSON Pointer.", example="/rows/0"),
    Parameter("from", "The first row, member or character that is shown, from 0.", "whole", most=2**53),
    Parameter("sort", "The column to sort by; with a `-` before it downwards.", example="-price"),
    Parameter("row", "The row, in this order, of the one cell that is shown.", "whole", most=2**53),
    Parameter("column", "The column of that cell."),
    Parameter("as", "How it is shown.", choices=("table", "json", "text", "markdown", "html", "image")),
    Parameter("summary", "Whether each column is summed up.", "flag"),
)  # fmt: skip
"""What the page of a value is asked for; a page that shows a value in a place of its own takes these too."""

VALUE_NAMES = tuple(one.name for one in VALUE_ASKS)
FILE_PAGE = "/values/file"
FAR = 4000
"""Characters of a pointer, or of a column's name, that an address holds: to what lies farther nothing leads."""


@frozen
class Links:
    """address: of the page that shows the value, with whatever query of its own it needs; "" where nothing leads on.

    chosen: those of VALUE_ASKS that were given.
    """

    address: str
    chosen: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.chosen.get(name)

    def to(self, **changes: Any) -> str:
        """The address with these choices made otherwise: `from_` and `as_` for those that are words of Python."""
        kept = {name: self[name] for name in VALUE_NAMES}
        return self._address({**kept, **{name.removesuffix("_"): value for name, value in changes.items()}})

    def part(self, at: str) -> str:
        """The address of a part, without any other choice."""
        return self._address({"at": at})

    def inside(self) -> Links:
        """Of what stands in one cell: its own parts, further on."""
        address = self._address({name: self[name] for name in ("row", "column", "sort")})
        return Links(address, {name: self[name] for name in ("at", "from")})

    def _address(self, choices: Mapping[str, Any]) -> str:
        if not self.address:
            return ""
        if any(isinstance(value, str) and len(value) > FAR for value in choices.values()):
            return ""
        pairs = ((name, "true" if value is True else value) for name, value in choices.items())
        return joined(self.address, ((name, value) for name, value in pairs if value or (name == "row" and value == 0)))


def joined(address: str, pairs: Iterable[tuple[str, Any]]) -> str:
    """An address with more of a query; what is no text in UTF-8 (halves of pairs of UTF-16) leads nowhere."""
    query = urlencode(tuple(pairs), errors="replace")
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address


def file_page(uri: str) -> str:
    """Where a stored file is shown."""
    return joined(FILE_PAGE, [("uri", uri)])


def step(at: str, key: object) -> str:
    """A JSON Pointer (RFC 6901), one member further."""
    return f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"


def keys_of(at: str) -> list[str]:
    """The members that a JSON Pointer names, one after the other."""
    return [part.replace("~1", "/").replace("~0", "~") for part in at.split("/")[1:]]
