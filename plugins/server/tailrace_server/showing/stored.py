"""Stored files, shown by what they are: by their names, and by their first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import evolve

from core.sdk import NotFound
from tailrace_server.people import size
from tailrace_server.showing.duck import FileTable, reader, rows, summed_up
from tailrace_server.showing.links import FILE_PAGE, joined
from tailrace_server.showing.marked import MARKDOWN, markdown
from tailrace_server.showing.shown import ShownValue, Subject
from tailrace_server.showing.table_files import PARQUET, TABLES, TooWide, cells_of, ways_to_read
from tailrace_server.showing.tables import COLUMNS, ROWS, Rows, table
from tailrace_server.showing.texts import HIGHEST, TEXT, picture_type, read_json
from tailrace_server.showing.trees import visible

HEAD: Final = 4096
"""Bytes that tell a text from anything else."""
JSON_FILE: Final = 32_000_000
"""Bytes of a JSON file that is read whole."""

_BY_NAME: Final = (
    ((".json",), "json", JSON_FILE), ((".md", ".markdown"), "markdown", MARKDOWN),
    ((".html", ".htm", ".xhtml"), "html", HIGHEST), ((".svg",), "image", HIGHEST),
)  # fmt: skip
"""What a file is by its name, up to a size in bytes."""
_PATTERN: Final = re.compile(r"[*?\[\]{}]")
_NO_SIGNS: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


def shown_file(subject: Subject) -> ShownValue | Subject:
    """A file of internal storage. Raises NotFound."""
    uri: str = subject.value
    stat = subject.services.files.stat(uri)
    facts: dict[str, Any] = {
        "name": visible(PurePosixPath(uri).name), "size": stat.size, "download": joined("/api/v1/files", [("uri", uri)])
    }  # fmt: skip
    found = _of_file(evolve(subject, own="", **facts), uri)
    return evolve(found, **facts) if isinstance(found, ShownValue) else found


def _of_file(subject: Subject, uri: str) -> ShownValue | Subject:
    files = subject.services.files
    with files.open(uri) as file:
        head = file.read(HEAD)
    forms = _forms(PurePosixPath(uri).suffix.lower(), head, subject.size or 0)
    form = "json" if subject.inside and "json" in forms else subject.form(forms) if forms else ""
    subject = evolve(subject, other=forms)
    if form == "json":
        return _json(subject)
    if subject.inside and subject.links["column"] is None:
        raise NotFound(f"there is no `{subject.inside}` in this file", where="query.at")
    if form == "table":
        return _table(subject)
    shown = ShownValue("file", _word(uri), choices=subject.choices(forms, form), note=subject.note)
    if form == "image":
        return evolve(shown, kind="image", source=joined(f"{FILE_PAGE}/image", [("uri", uri)]))
    if form == "html":
        return evolve(shown, kind="html", source=joined(f"{FILE_PAGE}/frame", [("uri", uri)]))
    if form == "markdown":
        with files.open(uri) as file:
            return evolve(shown, kind="markdown", markup=markdown(file.read().decode("utf-8", "replace")))
    return _text(shown, subject) if form == "text" else shown


def _word(uri: str) -> str:
    suffix = PurePosixPath(uri).suffix.removeprefix(".")
    return f"{suffix.upper()} file" if suffix and len(suffix) < 9 else "file"


def _forms(suffix: str, head: bytes, size: int) -> tuple[str, ...]:
    """How a file can be shown, the best way first; none for what is no text and nothing else that is known."""
    if suffix in TABLES:
        return ("table",) if suffix in PARQUET else ("table", "text")
    if picture_type(head) and size <= HIGHEST:
        return ("image",)
    for suffixes, form, most in _BY_NAME:
        if suffix in suffixes and size <= most:
            return (form, "text")
    return ("text",) if is_text(head) else ()


def is_text(head: bytes) -> bool:
    """Whether a file begins like a text, if not in UTF-8: no more than one of twenty signs is none."""
    text = head.decode("utf-8", "replace")
    return len(_NO_SIGNS.findall(text)) * 20 <= len(text)


def _text(shown: ShownValue, subject: Subject) -> ShownValue:
    """A part of a file as text, from a byte on."""
    first = min(subject.links["from"] or 0, subject.size or 0)
    with subject.services.files.open(subject.value) as file:
        file.seek(first)
        body = file.read(TEXT)
    last = first + len(body)
    if last < (subject.size or 0):  # the next part begins where a sign does
        body = body[: len(body) - _cut_off(body)]
        last = first + len(body)
    part = bool(first) or last < (subject.size or 0)
    return evolve(
        shown, kind="text", text=visible(body.decode("utf-8", "replace")),
        words=f"{size(first)} – {size(last)} of {size(subject.size)}" if part else "",
        newer=subject.links.to(from_=max(0, first - TEXT)) if first else "",
        older=subject.links.to(from_=last) if last < (subject.size or 0) else "",
    )  # fmt: skip


def _cut_off(body: bytes) -> int:
    """How many bytes at the end are the beginning of a sign in UTF-8."""
    for count in (1, 2, 3):
        lead = body[-count] if len(body) > count else 0
        if lead >= 0xC0:
            return count if count < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4) else 0
        if lead < 0x80:
            return 0
    return 0


def _json(subject: Subject) -> ShownValue | Subject:
    """The value that a file holds, or its text where it holds none."""
    with subject.services.files.open(subject.value) as file:
        body = file.read()
    try:
        found = read_json(body)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else f"it is no JSON: {error}"
        shown = ShownValue("text", _word(subject.value), note=f"shown as text, since {why}")
        return _text(shown, subject)
    return evolve(subject, value=found, other=() if subject.inside else subject.other)


# -- tables


def _table(subject: Subject) -> ShownValue | Subject:
    """A page of a file's rows, or one of its cells; its text where it can't be read as a table."""
    import duckdb  # noqa: PLC0415

    why = "it has no rows"
    local = subject.services.files.local(subject.value)
    with local as file, _by_a_plain_name(file) as path, reader(path) as connection:
        try:
            for way in ways_to_read(connection, path):
                try:
                    return _page(subject, way, connection, path)
                except duckdb.InterruptException:
                    why = "that takes too long"
                    if subject.links["sort"]:
                        unsorted = evolve(subject.links, chosen={**subject.links.chosen, "sort": None})
                        return evolve(subject, links=unsorted, note="not sorted, since that takes too long")
                    break
                except duckdb.Error as error:
                    why = _reason(error, path)
        except (duckdb.Error, TooWide) as error:
            why = _reason(error, path)
    shown = ShownValue("file", _word(subject.value), note=f"not shown as a table: {why}")
    return shown if path.suffix.lower() in PARQUET else _text(shown, subject)


@contextmanager
def _by_a_plain_name(file: Path) -> Iterator[Path]:
    """The file, by a name that means this one alone: DuckDB takes some signs for patterns of many names."""
    if not _PATTERN.search(str(file)):
        yield file
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "file").with_suffix(file.suffix.lower())  # one of TABLES
        path.symlink_to(file)
        yield path


def _reason(error: Exception, path: Path) -> str:
    """What DuckDB says, without where the file lies."""
    return str(error).split("\n", 1)[0].replace(str(path), path.name).replace(str(path.parent), "…")


def _page(subject: Subject, way: FileTable, connection: Any, path: Path) -> ShownValue | Subject:
    links = subject.links
    cell = links["column"] is not None
    first = (links["row"] if cell else links["from"]) or 0
    found, more = rows(connection, path, way, first, 1 if cell else ROWS, links["sort"] or "")
    columns = way.columns[:COLUMNS]
    cells = [cells_of(row, columns, path.suffix.lower()) for row in found]
    if cell:
        number = next((index for index, one in enumerate(columns) if one.name == links["column"]), None)
        if number is None or not cells:
            raise NotFound("there is no such cell in this file", where="query.column")
        return evolve(subject, value=cells[0][number], links=links.inside(), other=(), name="", size=None)
    summed, note = summed_up(connection, path, way, columns) if links["summary"] else (None, "")
    told = tuple(one for one in (subject.note, way.note, note) if one)
    page = Rows(
        tuple((one.name, one.kind) for one in columns), cells, more,
        hidden=len(way.columns) - len(columns), notes=told,
    )  # fmt: skip
    shown = table(page, links, summed)
    choices = subject.choices(subject.other, "table")
    return ShownValue("table", _word(subject.value), table=shown, choices=choices)
