"""Texts: as they stand, as the JSON they are, as Markdown, or as a page in a frame."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec
from attrs import evolve

from core.host.kinds import type_word
from core.sdk import NotFound
from tailrace_server.people import counted, plural
from tailrace_server.showing.marked import MARKDOWN, markdown
from tailrace_server.showing.shown import ShownValue, Subject
from tailrace_server.showing.trees import visible

SHORT: Final = 300
"""Characters of a text that is shown like a number, when it has one line."""
TEXT: Final = 50_000
"""Characters of a text that are shown at once."""
JSON_TEXT: Final = 8_000_000
"""Characters of a text that is looked at whether it is JSON."""
HIGHEST: Final = 16_000_000
"""Bytes of a file that a frame or an <img> loads."""
NO_JSON: Final = object()
_PAGE = re.compile(r"\s{0,100}(<!--.{0,1000}?-->\s{0,100})?<(!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)


def shown_text(subject: Subject) -> ShownValue | Subject:
    """A text of an output, or of a file that is read whole."""
    text: str = subject.value
    parsed = json_of(text)
    if parsed is not NO_JSON and (subject.inside or subject.links["as"] != "text"):
        download = subject.download or subject.below("download")
        note = subject.note or "a text that holds JSON"
        other = () if subject.inside else ("text",)
        return evolve(subject, value=parsed, own="", other=other, note=note, download=download)
    if subject.inside:
        raise NotFound(f"there is no `{subject.at}{subject.inside}` in this value", where="query.at")
    forms = _forms(text, parsed is not NO_JSON, framed=bool(subject.own))
    form = subject.form(forms)
    shown = ShownValue("text", type_word(text), choices=subject.choices(forms, form), note=subject.note)
    if form == "html":
        return evolve(shown, kind="html", source=subject.below("frame"))
    if form == "markdown":
        return evolve(shown, kind="markdown", markup=markdown(text))
    if is_short(text):
        return evolve(shown, kind="scalar", markup=visible(text))
    return _paged(shown, subject, text)


def _forms(text: str, is_json: bool, *, framed: bool) -> tuple[str, ...]:
    if is_json:
        return ("text", "json")
    if framed and _PAGE.match(text):
        return ("html", "text")
    if is_short(text):
        return ("text",)
    return ("text", *(("markdown",) if len(text) <= MARKDOWN else ()), *(("html",) if framed and "<" in text else ()))


def is_short(text: str) -> bool:
    """Whether a text is shown like a number."""
    return len(text) <= SHORT and "\n" not in text


def _paged(shown: ShownValue, subject: Subject, text: str) -> ShownValue:
    first = subject.links["from"] or 0
    last = min(len(text), first + TEXT)
    return evolve(
        shown, text=visible(text[first:last]), words=plural(len(text), "character") if last - first == len(text) else
        f"characters {counted(first + 1)}–{counted(last)} of {counted(len(text))}",
        newer=subject.links.to(from_=max(0, first - TEXT)) if first else "",
        older=subject.links.to(from_=last) if last < len(text) else "",
    )  # fmt: skip


def json_of(text: str) -> Any:
    """The list or map that a text writes as JSON, or NO_JSON."""
    if len(text) > JSON_TEXT or text.lstrip()[:1] not in ("{", "["):
        return NO_JSON
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return NO_JSON


def read_json(body: str | bytes) -> Any:
    """The value of a JSON text, quickly; what only Python reads, such as NaN, by that. Raises ValueError,
    RecursionError."""
    try:
        return msgspec.json.decode(body)
    except ValueError:
        return json.loads(body)


def shown_bytes(subject: Subject) -> ShownValue:
    """Bytes: a picture where they are one, else their beginning."""
    body: bytes = subject.value
    if picture_type(body) and subject.own:
        return ShownValue("image", "bytes", source=subject.below("image"), size=len(body))
    more = "" if len(body) <= 64 else " …"
    return ShownValue("scalar", "bytes", markup=visible(body[:64].hex(" ") + more), size=len(body))


def picture_type(head: bytes) -> str:
    """The media type of a picture by its first bytes, "" when it is none that pages show."""
    for begin, media in ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif")):
        if head.startswith(begin):
            return media
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""
