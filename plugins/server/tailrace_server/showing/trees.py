"""JSON as a tree that folds, without scripts: what is too much for one page is a link to that part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from attrs import define
from markupsafe import Markup, escape

from core.host.kinds import is_list
from core.host.plain import plain_text
from core.sdk import NotFound, is_storage_uri
from tailrace_server.people import counted, plural
from tailrace_server.showing.links import FAR, file_page, keys_of, step

MEMBERS = 100
"""Members of one list or map that are shown at once."""
NODES = 1500
"""Members in all."""
DEEP = 10
"""Levels."""
OPEN = 60
"""So many members are shown unfolded: those of the first lists and maps that all of fits."""
LONG = 300
"""Characters of a text inside of a tree."""
Link = Callable[[str], str]
"""The address of the part at a JSON Pointer, "" where nothing leads there."""


def size_word(value: Any) -> str:
    """What a list or map is called: `list of 3`, `map of 2`."""
    return f"{'map' if isinstance(value, Mapping) else 'list'} of {counted(len(value))}"


def part_of(value: Any, at: str) -> tuple[Any, str]:
    """The part at a JSON Pointer, and what of the pointer is left where it leads into a text. Raises NotFound."""
    keys = keys_of(at)
    for number, key in enumerate(keys):
        if isinstance(value, str):
            return value, at[len("".join(step("", known) for known in keys[:number])) :]
        found = member(value, key)
        if found is value:
            raise NotFound(f"there is no `{at}` in this value", where="query.at")
        value = found
    return value, ""


def member(value: Any, key: str) -> Any:
    """A member of a list or map, by its name or number as text; the value itself when there is none."""
    if isinstance(value, Mapping):
        if key in value:
            return value[key]
        return next((item for name, item in value.items() if str(name) == key), value)
    if isinstance(value, (list, tuple)) and key.isascii() and key.isdigit() and len(key) < 19 and int(key) < len(value):
        return value[int(key)]
    return value


def tree(value: Any, link: Link, at: str = "", first: int = 0) -> Markup:
    """The members of a list or map, from one of them on, as nested lists. at: where the value itself stands."""
    return Markup("").join(_members(value, at, link, _Room(NODES, OPEN), 0, False, first))


@define
class _Room:
    """How many members still have room, and how many of them may be unfolded."""

    left: int
    unfolded: int

    def unfolds(self, value: Any) -> bool:
        """Whether all of a list or map may be unfolded, which takes its part of that."""
        waiting, seen = [value], 0
        while waiting and seen <= self.unfolded:
            one = waiting.pop()
            if isinstance(one, Mapping) or is_list(one):
                seen += len(one)
                if seen <= self.unfolded:
                    waiting.extend(one.values() if isinstance(one, Mapping) else one)
        if seen > self.unfolded:
            return False
        self.unfolded -= seen
        return True


def _members(value: Any, at: str, link: Link, room: _Room, depth: int, unfolded: bool, first: int) -> Iterator[Markup]:
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    yield Markup("<ul>") if depth else Markup('<ul class="tree">')
    for key, item in islice(pairs, first, first + MEMBERS):
        room.left -= 1
        yield Markup("<li>")
        yield from _member(key, item, step(at, key) if len(at) <= FAR else at, link, room, depth, unfolded)
        yield Markup("</li>")
    rest = len(value) - first - MEMBERS
    if rest > 0 and depth:
        yield Markup("<li>{}</li>").format(linked(link(at), plural(rest, "more", "more")))
    yield Markup("</ul>")


def _member(key: Any, item: Any, at: str, link: Link, room: _Room, depth: int, unfolded: bool) -> Iterator[Markup]:
    name = Markup('<span class="{}">{}</span> ').format("key" if isinstance(key, str) else "index", heading(str(key)))
    if not (isinstance(item, Mapping) or is_list(item)):
        yield name + scalar(item, link(at))
        return
    if not item:
        empty = "empty map" if isinstance(item, Mapping) else "empty list"
        yield name + Markup('<span class="quiet">{}</span>').format(empty)
        return
    head = Markup('<summary>{}<span class="quiet">{}</span></summary>').format(name, size_word(item))
    if depth + 1 < DEEP and room.left > 0:
        unfolded = unfolded or room.unfolds(item)
        yield Markup("<details open>" if unfolded else "<details>") + head
        yield from _members(item, at, link, room, depth + 1, unfolded, 0)
        yield Markup("</details>")
    elif address := link(at):
        alone = '<details data-more="{0}" data-members="{1}">{2}<a href="{0}">Show it alone</a></details>'
        yield Markup(alone).format(address, len(item), head)
    else:
        yield name + Markup('<span class="quiet">{}</span>').format(size_word(item))


def scalar(value: Any, address: str = "") -> Markup:
    """What holds no other values, with a class for its type. address: where all of a long text is."""
    if value is None or isinstance(value, bool):
        return Markup('<span class="word">{}</span>').format({None: "null", True: "true", False: "false"}[value])
    if isinstance(value, (int, float)):
        return Markup('<span class="num">{}</span>').format(number(value))
    if is_storage_uri(value):
        return Markup('<a href="{}">{}</a>').format(file_page(value), visible(value))
    text = value if isinstance(value, str) else plain_text(value)
    if len(text) <= LONG:
        return Markup('<span class="{}">{}</span>').format("str" if isinstance(value, str) else "other", visible(text))
    rest = linked(address, plural(len(text), "character"))
    return Markup('<span class="str">{}…</span> {}').format(visible(text[:LONG]), rest)


def number(value: int | float) -> str:
    """A number as it is written; one of more digits than Python writes is told by their count."""
    try:
        return repr(value)
    except ValueError:
        return f"a whole number of {value.bit_length()} bits" if isinstance(value, int) else ""


def visible(text: str) -> Markup:
    """A text, escaped, with pictures for what has none: control characters, and halves of pairs of UTF-16."""
    if text.isprintable():
        return escape(text)
    return escape(text.translate(_PICTURES).encode("utf-8", "replace").decode())


_PICTURES = {
    **{code: 0x2400 + code for code in range(32) if code not in (9, 10, 13)}, 13: None, 127: 0x2421,
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}  # fmt: skip
"""What would turn the direction of the page's own text is shown as unknown."""


def heading(name: str) -> Markup:
    """The name of a member or a column, or its beginning."""
    return visible(name if len(name) <= LONG else f"{name[:LONG]}…")


def linked(address: str, words: str) -> Markup:
    """Words as a link, where there is an address."""
    if not address:
        return Markup('<span class="quiet">{}</span>').format(words)
    return Markup('<a href="{}">{}</a>').format(address, words)
