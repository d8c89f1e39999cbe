"""What tests of values need: outputs and files as they like them, and pages as elements to look into."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from attrs import define, field

from .conftest import Site

FLOW = "id: values\nnamespace: company.team\ntasks:\n  - {id: first, type: debug.Return, format: '1'}\n"
VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})


def output_of(site: Site, value: Any) -> str:
    """The id of a task output whose `value` is this."""
    app = site.app
    execution = app.run(FLOW)
    return app.changes.add_output(execution.id, "outside", by="somebody", output={"value": value}).id


def stored(site: Site, folder: Path, name: str, content: bytes) -> str:
    """The URI of a stored file."""
    path = folder / "content"
    path.write_bytes(content)
    return site.app.files.put(path, "company.team", name).uri


@define
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    inside: list[Element | str] = field(factory=list)

    @property
    def text(self) -> str:
        """All of its text, the texts of its elements apart, blanks made one."""
        return " ".join(" ".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for one in self.inside:
            yield from [one] if isinstance(one, str) else one._texts()

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Those below it; `class_` is one of its classes."""
        return list(self._all(tag, attributes))

    def _all(self, tag: str, wanted: dict[str, str]) -> Iterator[Element]:
        for one in self.inside:
            if isinstance(one, Element):
                if one.tag == tag and all(one.has(name, value) for name, value in wanted.items()):
                    yield one
                yield from one._all(tag, wanted)

    def has(self, name: str, value: str) -> bool:
        if name == "class_":
            return value in self.attributes.get("class", "").split()
        return self.attributes.get(name.replace("_", "-")) == value

    def one(self, tag: str, **attributes: str) -> Element:
        """The only one."""
        (found,) = self.all(tag, **attributes)
        return found

    def link(self, text: str) -> str:
        """The address of the link with this text."""
        (found,) = [one for one in self.all("a") if one.text == text]
        return found.attributes["href"]

    def rows(self) -> list[list[str]]:
        """The rows of the table below it, without their numbers."""
        return [[cell.text for cell in row.all("td")] for row in self.one("tbody").all("tr")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(html: str) -> Element:
    """A page; each of its elements is closed where it should be."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    (root,) = reader.open
    return root


def shown(site: Site, path: str) -> Element:
    """The value that a page shows."""
    return read(site.get(path)).one("section", id="value")
