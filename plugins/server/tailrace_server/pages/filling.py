"""Forms that ask for inputs: what their fields hold, what of it counts as given, and how each field is drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import field, frozen

from core.host.overviews import FormField
from core.host.plain import plain
from tailrace_server.pages.parts import Form
from tailrace_server.receiving import Upload

VALUE, BEGUN, FILE, OTHERS = "input.", "begun.", "file.", "others."
"""How names of fields begin: what was filled in; the default that was shown; an upload; choices not on offer."""
EMPTY_IS_A_VALUE = ("STRING", "EMAIL")
"""Types of which an emptied field, that held a default, is a text without characters."""
WIDGETS = {
    "BOOLEAN": "truth", "BOOL": "truth", "SECRET": "secret", "FILE": "file",
    "DATE": "date", "TIME": "time", "DATETIME": "datetime-local", "JSON": "area", "YAML": "area", "ARRAY": "area",
    "SELECT": "choice", "ENUM": "choice", "MULTISELECT": "checks",
}  # fmt: skip
HIDDEN = "••••"
"""How a secret is shown."""
KEYBOARDS = {"INT": "numeric", "FLOAT": "decimal", "EMAIL": "email", "URI": "url"}
HINTS = {
    "DATETIME": "a date and a time in UTC", "DURATION": "an ISO 8601 duration, such as PT1H30M",
    "URI": "an address, such as https://example.com",
}  # fmt: skip
LONG_LINE = 72
"""Characters of JSON that are shown on more than one line."""


@frozen
class Filled:
    """A form as somebody filled it in.

    texts: what fields hold that differ from the default they were shown with, by input. given: what counts as given,
    of uploads their names. uploads: the files, by input.
    """

    texts: Mapping[str, tuple[str, ...]] = field(factory=dict)
    given: Mapping[str, Any] = field(factory=dict)
    uploads: Mapping[str, Upload] = field(factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """What is given beside the uploads."""
        return {name: value for name, value in self.given.items() if name not in self.uploads}

    @property
    def files(self) -> dict[str, Path]:
        """Where the uploads are, under their own names, until the request is answered."""
        return {name: upload.path for name, upload in self.uploads.items()}


@frozen
class Drawn:
    """A field as a template draws it. text, chosen: what it holds. begun: the default it is shown with, to be told from
    what is filled in; None when there is none, or it counts as given. hint: what it takes."""

    asked: FormField
    widget: str
    keyboard: str
    text: str
    chosen: tuple[str, ...]
    choices: tuple[str, ...]
    others: str
    begun: str | None
    hint: str
    problem: str


def read(form: Form, types: Mapping[str, str], *, look: bool = False) -> Filled:
    """What a form holds for inputs of these types, by input. look: instead of files it may hold their names."""
    texts: dict[str, tuple[str, ...]] = {}
    given: dict[str, Any] = {}
    uploads: dict[str, Upload] = {}
    for name, kind in types.items():
        upload = form.get(FILE + name)
        if kind == "FILE" and isinstance(upload, Upload):
            uploads[name] = upload
            given[name] = upload.name
            continue
        if kind == "FILE" and look and isinstance(upload, str) and upload:
            given[name] = upload
            continue
        held = _held(form, name, kind)
        if _compared(held, kind) != _compared(_begun(form, name, kind), kind):
            texts[name] = held
            if any(held) or kind == "MULTISELECT" or kind in EMPTY_IS_A_VALUE:
                given[name] = _value(kind, held)
    return Filled(texts, given, uploads)


def refill(values: Mapping[str, Any], fields: Sequence[FormField]) -> Filled:
    """A form with the inputs of an execution; secrets are to be given anew. values: by (dotted) id."""
    texts: dict[str, tuple[str, ...]] = {}
    for one in fields:
        found: Any = values
        for part in one.id.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is None or one.type == "SECRET":
            continue
        many = one.type == "MULTISELECT" and isinstance(found, (list, tuple))
        texts[one.id] = tuple(_text(item, "STRING") for item in found) if many else (_text(plain(found), one.type),)
        if HIDDEN in "".join(texts[one.id]):
            del texts[one.id]
    types = {one.id: one.type for one in fields}
    return Filled(texts, {name: _value(types[name], held) for name, held in texts.items()})


def drawn(fields: Sequence[FormField], filled: Filled, *, unasked: bool = False) -> list[Drawn]:
    """The fields. unasked: nobody has sent the form yet, so what is missing is no problem."""
    return [_drawn(one, filled, "" if unasked and one.missing else _short(one)) for one in fields]


def _drawn(one: FormField, filled: Filled, problem: str) -> Drawn:
    shown = None if one.type == "SECRET" else _default(one)
    held = filled.texts.get(one.id, shown or ()) if one.type != "SECRET" else ()
    widget = _widget(one, " ".join(held))
    unknown = tuple(text for text in held if text and text not in one.choices)
    offered = widget in ("choice", "radios", "checks") and not (widget == "checks" and one.free)
    return Drawn(
        asked=one,
        widget=widget,
        keyboard=KEYBOARDS.get(one.type, ""),
        text=held[0] if held else "",
        chosen=held,
        choices=(*one.choices, *unknown) if offered else one.choices,
        others=", ".join(unknown),
        begun=None if one.prefilled or shown is None else json.dumps(shown) if one.type == "MULTISELECT" else shown[0],
        hint=_hint(one),
        problem=problem,
    )


def _widget(one: FormField, text: str) -> str:
    if one.type == "SELECT" and one.free:
        return "suggested"
    if one.rules.get("radio"):
        return "radios"
    return WIDGETS.get(one.type) or ("area" if "\n" in text else "line")


def _hint(one: FormField) -> str:
    """What a field takes, in words."""
    rules = one.rules
    words = [HINTS.get(one.type, "")]
    if one.type == "ARRAY":
        words.append(f"a list of {rules.get('item_type', 'values')}: JSON, or one a line")
    if "min" in rules or "max" in rules:
        ends = (("from", "min"), ("to", "max"))
        words.append(" ".join(f"{word} {rules[name]}" for word, name in ends if name in rules))
    if "pattern" in rules:
        words.append(f"matching {rules['pattern']}")
    if "accept" in rules:
        words.append(rules["accept"].replace(",", ", "))
    return ", ".join(filter(None, words))


def _short(one: FormField) -> str:
    """What is wrong, without what stands at the field anyway: its name, and what it holds."""
    if one.missing:
        return "it has to be given"
    text = one.problem.removeprefix(f"Invalid input for `{one.id}`, ")
    text = re.sub(r", but received `[^`]*`$", "", text)
    return re.sub(r"^Expected `\w+` but received `[^`]*` with errors: ", "", text)


def _default(one: FormField) -> tuple[str, ...] | None:
    """What a field begins with."""
    value = one.default
    if value is None or one.type == "FILE":
        return None
    if one.type == "MULTISELECT" and isinstance(value, (list, tuple)):
        return tuple(_text(item, "STRING") for item in value)
    return (value if one.prefilled and isinstance(value, str) else _text(value, one.type),)


def _text(value: Any, kind: str) -> str:
    """A plain value as the text of a field."""
    if kind == "DATETIME" and isinstance(value, str):
        return _in_utc(value)
    if isinstance(value, str) and kind not in ("JSON", "YAML"):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG_LINE else json.dumps(value, ensure_ascii=False, indent=2)


def _in_utc(text: str) -> str:
    """A date and time as a field takes it, in UTC, without its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()


def _held(form: Form, name: str, kind: str) -> tuple[str, ...]:
    """The texts in the fields of an input."""
    texts = [text.replace("\r\n", "\n") for text in form.getall(VALUE + name, []) if isinstance(text, str)]
    if kind != "MULTISELECT":
        return tuple(texts[:1]) or ("",)
    others = form.get(OTHERS + name)
    more = [part.strip() for part in others.split(",")] if isinstance(others, str) else []
    return tuple(dict.fromkeys(text for text in (*texts, *more) if text))


def _begun(form: Form, name: str, kind: str) -> tuple[str, ...]:
    """The default that a field was shown with; what an empty one holds without any."""
    text = form.get(BEGUN + name)
    if not isinstance(text, str):
        return () if kind == "MULTISELECT" else ("",)
    if kind != "MULTISELECT":
        return (text.replace("\r\n", "\n"),)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else ()


def _compared(held: tuple[str, ...], kind: str) -> list[str]:
    """Texts in the form in which two of them are told apart: browsers leave seconds away, and give choices in order."""
    return sorted(re.sub(r"(:\d\d):00$", r"\1", text) if kind in ("TIME", "DATETIME") else text for text in held)


def _value(kind: str, held: tuple[str, ...]) -> Any:
    """What the texts of a field are as a value; its type is checked by whoever knows the input."""
    if kind == "MULTISELECT":
        return list(held)
    text = held[0]
    if kind == "DATETIME" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?", text):
        return f"{text if text.count(':') == 2 else text + ':00'}Z"
    if kind == "ARRAY" and not text.lstrip().startswith("["):
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text
