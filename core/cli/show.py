"""Recorded values for people: nested values indented, files with their size and their first rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.cli.output import table_lines
from core.cli.people import scalar, size
from core.errors import TailraceError
from core.host.views import FilePreview
from core.sdk.storage import is_storage_uri

if TYPE_CHECKING:
    from core.host.services import Files

_LONG_TEXT = 2_000
_LONG_LIST = 100


def value_lines(value: Any, files: Files, indent: str = "") -> Iterator[str]:
    """A value as indented lines, much like YAML; long texts and lists are cut and say so."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _named(f"{indent}{key}:", item, files, indent)
    elif isinstance(value, (list, tuple)) and value:
        for item in value[:_LONG_LIST]:
            yield from _named(f"{indent}-", item, files, indent)
        if len(value) > _LONG_LIST:
            yield f"{indent}… and {len(value) - _LONG_LIST} more"
    else:
        yield indent + _leaf(value, files)


def _named(name: str, item: Any, files: Files, indent: str) -> Iterator[str]:
    if isinstance(item, (Mapping, list, tuple)) and item:
        yield name
        yield from value_lines(item, files, indent + "  ")
        return
    text = _leaf(item, files)
    if "\n" in text:
        yield f"{name} |"
        yield from (f"{indent}  {line}" for line in text.splitlines())
    else:
        yield f"{name} {text}"


def _leaf(value: Any, files: Files) -> str:
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    if is_storage_uri(value):
        return f"{value}  ({_size_of(value, files)})"
    text = scalar(value)
    if len(text) <= _LONG_TEXT:
        return text
    return f"{text[:_LONG_TEXT]}…\n({len(text)} characters; `outputs get` gives all of them)"


def _size_of(uri: str, files: Files) -> str:
    try:
        return size(files.stat(uri).size)
    except TailraceError as error:  # a file that was purged is no reason not to show the rest
        return error.what


def uris_of(value: Any) -> Iterator[str]:
    """Every storage URI inside a value."""
    if is_storage_uri(value):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from uris_of(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from uris_of(item)


def preview_lines(preview: FilePreview) -> Iterator[str]:
    """The first rows or lines of a file."""
    if preview.kind == "table":
        yield from table_lines(preview.columns, preview.rows)
    elif preview.kind == "binary":
        yield f"({size(preview.size)} of binary data)"
    else:
        yield from preview.text.splitlines()
    if preview.truncated:
        yield "…"


def previews(value: Any, files: Files, *, rows: int = 10, at_most: int = 3) -> Iterator[str]:
    """Tables for the files inside a value that have rows."""
    shown = 0
    for uri in dict.fromkeys(uris_of(value)):
        if shown == at_most:
            return
        try:
            preview = files.preview(uri, rows)
        except TailraceError:
            continue  # its size line says why already
        if preview.kind == "table":
            shown += 1
            yield ""
            yield f"{uri}:"
            yield from (f"  {line}" for line in preview_lines(preview))
