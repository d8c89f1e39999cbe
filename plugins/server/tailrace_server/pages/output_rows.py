"""What came out, value by value: the rows of the outputs of one execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from attrs import frozen
from markupsafe import Markup

from core.host.kinds import is_list, type_word
from core.host.plain import plain_text
from core.host.services import Services
from core.host.views import TaskExecutionView
from core.sdk import TailraceError, is_storage_uri
from tailrace_server.people import plural, size
from tailrace_server.showing.links import step
from tailrace_server.showing.tables import is_table
from tailrace_server.showing.trees import number, visible

HOLDERS: Final = frozenset({"outputFiles", "vars", "values"})
"""Names in outputs that only hold other names (of files, of what a script told, of `OutputValues`)."""
PARTS: Final = 40
"""Values of one output that have rows of their own."""
FILES: Final = 100
"""Files of one page whose size is looked up."""
ROOM: Final = 2_000_000
"""Bytes of outputs of one page that are read from files for their rows."""
SHORT: Final = 160
"""Characters of a preview."""
DEEP: Final = 3
"""Levels of lists and maps in a preview."""


@frozen
class Value:
    """A value of an output. key: its name there, "" for the whole; at: the JSON Pointer below that; name: both as the
    command line writes them."""

    name: str
    key: str
    at: str
    value: Any


@frozen
class Row:
    """One line of the table. name: "" of a whole output. size: in words. first: of its output."""

    view: TaskExecutionView
    name: str
    type: str
    size: str
    preview: Markup
    url: str
    current: bool
    first: bool

    @property
    def whole(self) -> str:
        """What stands where a name would: the output has none in it, was not read, or is not there."""
        return "all of it" if self.view.output_size is not None else "nothing"


Address = Callable[[str, str, str], str]
"""The address at which a value is shown: of an output's id, the name in it, and the JSON Pointer below."""
Chosen = tuple[str, str, str]


def rows(services: Services, views: tuple[TaskExecutionView, ...], address: Address, chosen: Chosen) -> Iterator[Row]:
    """A row for each value of some outputs, and for each that has none or is too large to be read in a list."""
    values, files = _values(services, views), _Files(services)
    for view in views:
        for place, one in enumerate(values_of(values[view.id]) if view.id in values else (None,)):
            key, at, name = (one.key, one.at, one.name) if one else ("", "", "")
            kind, amount, preview = _told(one.value, files) if one else _unread(view)
            current = (view.id, key) == chosen[:2] and (not at or f"{chosen[2]}/".startswith(f"{at}/"))
            yield Row(view, name, kind, amount, preview, address(view.id, key, at), current, not place)


def _values(services: Services, views: tuple[TaskExecutionView, ...]) -> Mapping[str, Any]:
    """The outputs that fit: those that are kept in the record, and of those that are files as many as have room."""
    found = dict(services.outputs.values([view.id for view in views if view.output_size is not None]))
    room = ROOM
    for view in views:
        if view.output_size is not None and view.id not in found and view.output_size <= room:
            room -= view.output_size
            found[view.id] = services.outputs.value(view.id)
    return found


def values_of(output: Any) -> Iterator[Value | None]:
    """The values of an output, by the names in it."""
    if not isinstance(output, Mapping) or not output:
        yield Value("", "", "", output)
        return
    yield from islice(_named(output), PARTS)


def _named(output: Mapping[str, Any]) -> Iterator[Value]:
    for key, value in output.items():
        if key in HOLDERS and isinstance(value, Mapping) and value:
            for name, inner in value.items():
                yield Value(f"{key}.{name}", key, step("", name), inner)
        else:
            yield Value(str(key), str(key), "", value)


class _Files:
    """How large files are; of very many on one page only the first are looked up."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._left = FILES

    def size(self, uri: str) -> str:
        self._left -= 1
        try:
            return size(self._services.files.stat(uri).size) if self._left >= 0 else ""
        except TailraceError:  # it is gone, and the value that names it is there all the same
            return "gone"


def _told(value: Any, files: _Files) -> tuple[str, str, Markup]:
    """The type, the size and the beginning of a value."""
    if is_storage_uri(value):
        return "file", files.size(value), visible(value.rpartition("/")[2])
    if isinstance(value, str):
        return "text", size(len(value.encode("utf-8", "replace"))), visible(value[:SHORT])
    if is_table(value):
        return "table", plural(len(value), "row"), preview(value)
    if is_list(value):
        return "list", plural(len(value), "item"), preview(value)
    if isinstance(value, Mapping):
        return "map", plural(len(value), "name"), preview(value)
    return type_word(value), size(len(value)) if isinstance(value, bytes) else "", preview(value)


def _unread(view: TaskExecutionView) -> tuple[str, str, Markup]:
    """What is told of an output that is not there, or not at hand."""
    if view.output_size is not None:
        return "map", size(view.output_size), visible((view.output_preview or "")[:SHORT])
    return "", "", visible(view.error[:SHORT])


def preview(value: Any) -> Markup:
    """The beginning of a value, looking at no more of it than is shown."""
    found, length = [], 0
    for piece in _pieces(value, 0):
        found.append(piece)
        length += len(piece)
        if length > SHORT:
            return visible("".join(found)[:SHORT] + "…")
    return visible("".join(found))


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield "{"
        for place, (name, item) in enumerate(value.items()):
            yield f"{', ' if place else ''}{str(name)[:SHORT]}: "
            yield from _pieces(item, depth + 1) if depth < DEEP else "…"
        yield "}"
    elif is_list(value):
        yield "["
        for place, item in enumerate(value):
            yield ", " if place else ""
            yield from _pieces(item, depth + 1) if depth < DEEP else "…"
        yield "]"
    elif value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, (int, float)):
        yield number(value)
    else:
        text = value[:SHORT] if isinstance(value, str) else plain_text(value)[:SHORT]
        yield f'"{text}"' if depth and isinstance(value, str) else text
