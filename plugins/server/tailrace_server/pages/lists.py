"""Lists that are read page by page: the addresses of the pages beside this one, and of this one without a filter."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attrs import evolve, frozen
from litestar import Request

from core.host.views import Page
from tailrace_server.asked import LIMIT

CURSORS = ("starting_after", "ending_before")
DATES = ("ed_after", "ed_before")
"""How the names of filters end whose fields take a day; a time of day they can't show."""
ROWS = evolve(LIMIT, default=50, most=200)
"""Of a page that people look at."""
Pairs = list[tuple[str, str]]


@frozen
class Around:
    """Addresses of the next newer and the next older page; None where there is none."""

    newer: str | None
    older: str | None


@frozen
class Chosen:
    """One value of a filter that holds. without: the address of the list without it."""

    name: str
    value: str
    without: str


def around(request: Request[Any, Any, Any], found: Page[Any]) -> Around:
    """The pages beside one; rows have an `id`."""
    pairs = pairs_of(request)
    cursors = {name for name, _ in pairs if name in CURSORS}
    kept = [pair for pair in pairs if pair[0] not in CURSORS]
    backwards = "ending_before" in cursors
    if not found.data:
        first = address(request, kept) if cursors else None
        onward = address(request, [*kept, ("starting_after", found.next)]) if found.next and not backwards else None
        return Around(first, onward)
    newer = found.has_more if backwards else bool(cursors)
    older = True if backwards else found.has_more
    first, last = (found.data[0].id, found.data[-1].id) if not found.next else _ends(found, backwards)
    return Around(
        address(request, [*kept, ("ending_before", first)]) if newer else None,
        address(request, [*kept, ("starting_after", last)]) if older else None,
    )


def _ends(found: Page[Any], backwards: bool) -> tuple[str, str]:
    """A page that examined many rows goes on behind the last one it examined, which it may not show."""
    following = str(found.next)
    return (following, found.data[-1].id) if backwards else (found.data[0].id, following)


def chosen(request: Request[Any, Any, Any], *apart: str) -> list[Chosen]:
    """The filters that hold, each with the address of the list without it; apart: names that are no filters."""
    pairs = [pair for pair in pairs_of(request) if pair[0] not in CURSORS]
    filters = [pair for pair in pairs if pair[0] not in apart]
    return [Chosen(*pair, address(request, [one for one in pairs if one != pair])) for pair in filters]


def filled(filters: Iterable[Chosen], fields: Container[str]) -> tuple[dict[str, str], list[Chosen]]:
    """What the fields of a form hold, one value each, and the filters that no field can show."""
    held: dict[str, str] = {}
    others = []
    for one in filters:
        fits = one.name in fields and one.name not in held
        if fits and (not one.name.endswith(DATES) or re.fullmatch(r"\d{4}-\d\d-\d\d", one.value)):
            held[one.name] = one.value
        else:
            others.append(one)
    return held, others


def pairs_of(request: Request[Any, Any, Any]) -> Pairs:
    """The query of a request, without what was left empty in a form."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"))


def address(request: Request[Any, Any, Any], pairs: Pairs) -> str:
    """The path of a request with another query."""
    return f"{request.scope['path']}?{urlencode(pairs)}" if pairs else str(request.scope["path"])
