"""How values are shown: by what they are, never more of them than fits on a page, and nothing of them as our own page.

`shown_value` gives what the macro `value` of `value.html` shows:

    {% from "value.html" import value %} … {{ value(shown) }}

A page with a place of its own for a value takes VALUE_ASKS among its parameters, gives what it was asked as `query`,
and its own address, with what it needs to show the same value again, as `address`:

    shown_output(services, view, name, address=href("/executions/…/outputs", show=view.id, name=name), query=asked)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from core.host.kinds import is_list, type_word
from core.host.plain import plain_text
from core.host.services import Services
from core.host.views import TaskExecutionView
from core.sdk import Invalid, is_storage_uri
from tailrace_server.asked import Asked
from tailrace_server.people import counted
from tailrace_server.showing.links import VALUE_ASKS, VALUE_NAMES, Links, joined, keys_of, step
from tailrace_server.showing.shown import ShownValue, Subject
from tailrace_server.showing.stored import shown_file
from tailrace_server.showing.summaries import summed_list
from tailrace_server.showing.tables import ROWS, cell_of, is_table, rows_of, table
from tailrace_server.showing.texts import shown_bytes, shown_text
from tailrace_server.showing.trees import MEMBERS, part_of, scalar, size_word, tree, visible

__all__ = ["VALUE_ASKS", "ShownValue", "shown_output", "shown_value", "value_page"]

LARGEST: Final = 32_000_000
"""Bytes of a recorded output that is read to be shown."""
WITHIN: Final = 16
"""Values within one another (a text with JSON in it in the cell of a table in a file …) that are read for one page."""
Query = Mapping[str, Any] | Asked | None


def shown_output(
    services: Services, output: TaskExecutionView | str, name: str = "", *, address: str = "", query: Query = None
) -> ShownValue:
    """A recorded output, or the value of this name in it, read only when it is not too large. output: or its id.

    address, query: as for `shown_value`; without an address those of the value's own page. Raises NotFound.
    """
    view = services.outputs.get(output) if isinstance(output, str) else output
    if view.output_size is None:
        return ShownValue("nothing", "nothing", note="this task gave no output")
    if view.output_size > LARGEST:
        return ShownValue(
            "large", "large", text=view.output_preview or "", size=view.output_size, note="too large to be shown here",
            download=f"/api/v1/task-outputs/{view.id}/output",
        )  # fmt: skip
    whole = services.outputs.value(view.id)
    value = part_of(whole, step("", name))[0] if name else whole
    own = value_page(view.id, name)
    return shown_value(services, value, address=address or own, query=query, own=own)


def value_page(output_id: str, name: str = "") -> str:
    """The address of the page of one value."""
    return joined(f"/values/{output_id}", [("name", name)] if name else [])


def shown_value(services: Services, value: Any, *, address: str = "", query: Query = None, own: str = "") -> ShownValue:
    """A value, or the part of it that is asked for, as it is shown.

    address: of the page that shows it, where links to its other pages and parts lead; "" shows its beginning only.
    query: what was asked of VALUE_ASKS. own: the address of its own page, "" where it has none (an expression's
    result); then HTML is text. Raises NotFound for a part or a file that is not there.
    """
    links = Links(address, _chosen(query))
    subject = _led(Subject(services, value, links, own, "", links["at"] or ""))
    for _ in range(WITHIN):
        found = _shown(subject)
        if isinstance(found, ShownValue):
            break
        subject = _led(found)
    else:  # files that name one another would lead round for ever
        raise Invalid("this is a value within too many others", where="query.at", expected=f"at most {WITHIN} levels")
    return evolve(
        found, name=found.name or subject.name, size=subject.size if found.size is None else found.size,
        download=found.download or subject.download or subject.below("download"), crumbs=_crumbs(links, subject),
    )  # fmt: skip


def _chosen(query: Query) -> Mapping[str, Any]:
    if query is None:
        return {}
    return query.of(*VALUE_NAMES) if isinstance(query, Asked) else {name: query.get(name) for name in VALUE_NAMES}


def _crumbs(asked: Links, subject: Subject) -> tuple[tuple[str, str], ...]:
    """The whole, and each part down to the one that is shown; of very many the first and the last."""
    found = []
    if asked["column"] is not None and subject.links.address != asked.address:  # a cell of a file
        found += [("the table", asked.to(row=None, column=None, at=None, from_=(asked["row"] or 0) // ROWS * ROWS)),
                  (visible(asked["column"]), subject.links.part(""))]  # fmt: skip
    elif subject.at:
        found += [("all of it", subject.links.part(""))]
    place = ""
    for key in keys_of(subject.at):
        place = step(place, key)
        found.append((visible(key), subject.links.part(place)))
    return tuple(found) if len(found) <= 12 else (*found[:4], ("…", ""), *found[-6:])


def _led(subject: Subject) -> Subject:
    """Where the pointer leads inside of a value."""
    value, left = part_of(subject.value, subject.inside)
    at = subject.at + subject.inside[: len(subject.inside) - len(left)]
    return evolve(subject, value=value, at=at, inside=left)


def _shown(subject: Subject) -> ShownValue | Subject:
    """What is shown of a value, or the value that is shown for it."""
    value = subject.value
    if is_storage_uri(value):
        return shown_file(subject)
    if isinstance(value, str):
        return shown_text(subject)
    if isinstance(value, bytes):
        return shown_bytes(subject)
    if isinstance(value, Mapping) or is_list(value):
        return _collection(subject)
    if value is None or isinstance(value, (bool, int, float)):
        return ShownValue("scalar", type_word(value), markup=scalar(value))
    return ShownValue("scalar", type_word(value), markup=visible(plain_text(value)))


def _collection(subject: Subject) -> ShownValue | Subject:
    """A list or a map: as a table where it is one, else as a tree."""
    value, links = subject.value, subject.links
    if isinstance(value, (set, frozenset)):
        value = list(value)
    forms = ("table", "json") if is_table(value) else ("json",)
    form = subject.form(forms)
    if form == "table" and links["column"] is not None:
        number, name = cell_of(value, links)
        inside = step(step("", number), name)
        return evolve(subject, inside=inside, links=Links(links.address, {"at": subject.at + inside}))
    shown = ShownValue("json", size_word(value), choices=subject.choices(forms, form), note=subject.note)
    if form == "table":
        summed, note = summed_list(value) if links["summary"] else (None, "")
        page = rows_of(value, links)
        return evolve(shown, kind="table", table=table(page, links, summed), note=note or shown.note)
    first = links["from"] or 0
    last = min(len(value), first + MEMBERS)
    words = f"members {counted(first + 1)}–{counted(last)} of {counted(len(value))}"
    return evolve(
        shown, markup=tree(value, links.part, subject.at, first),
        words=words if first or last < len(value) else "",
        newer=links.to(from_=max(0, first - MEMBERS)) if first else "",
        older=links.to(from_=last) if last < len(value) else "",
    )  # fmt: skip
