"""JSON, jq, YAML and Ion in and out."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NoReturn

from core.expressions import ion, yaml_reader, yaml_writer
from core.expressions.faults import Fault, within_limit
from core.expressions.library.declare import Frame, Items, Table
from core.expressions.values import to_json

table = Table()


# -- JSON ------------------------------------------------------------------------------------------------------


@table.filter("toJson", "json")
def to_json_text(frame: Frame, value: object) -> str:
    """Compact JSON; null is `null`."""
    text = to_json(value, frame.runtime.zone)
    within_limit(len(text))
    return text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@table.function("fromJson", "json")
def from_json(json: str | None) -> Any:
    """The value of a JSON text; what stands behind the first value is ignored."""
    return None if json is None else parse_json(json)


def parse_json(text: str) -> Any:
    """The first JSON value of a text. Raises Fault."""
    try:
        return _DECODER.raw_decode(text.lstrip(" \t\r\n\ufeff"))[0]
    except ValueError as error:
        shown = text.strip()[:60]
        problem = str(error).partition(" (char")[0]
        raise Fault(f"`{shown}` is not JSON: {problem}" if shown else "an empty text is not JSON") from None


@table.test("json")
def is_json(value: str) -> bool:
    """Whether the first value of a text is JSON; an empty text counts."""
    if not value.strip():
        return True
    try:
        parse_json(value)
    except Fault:
        return False
    return True


# -- jq --------------------------------------------------------------------------------------------------------


@table.filter("jq")
def jq(frame: Frame, value: object, expression: str) -> Items:
    """The outputs of a jq program, always a list; a text is read as JSON first.

    jq counts in doubles: 2.0 comes back as 2, whole numbers above 2^53 lose digits (the reference's own jq keeps both).
    """
    text = value if isinstance(value, str) else to_json(value, frame.runtime.zone)
    if isinstance(value, str):
        parse_json(value)
    program = _program(expression)
    try:
        return list(program.input_text(text))
    except ValueError as error:
        raise Fault(f"jq: {_first_line(error)}") from None


@lru_cache(maxsize=256)
def _program(expression: str) -> Any:
    import jq  # type: ignore[import-not-found]  # noqa: PLC0415 (a C library)

    try:
        return jq.compile(expression)
    except ValueError as error:
        raise Fault(f"jq: {_first_line(error)}") from None


def _first_line(error: ValueError) -> str:
    return str(error).strip().partition("\n")[0].removeprefix("jq: error: ").rstrip(":")


# -- YAML and Ion ----------------------------------------------------------------------------------------------


@table.filter("yaml")
def to_yaml(frame: Frame, value: object) -> str:
    """YAML with as few quotes as possible; null is `null`, without a line break."""
    return yaml_writer.write(value, frame.runtime.zone)


@table.function("yaml")
def from_yaml(yaml: str) -> Any:
    """The first document of a YAML 1.1 text. Dates stay texts, aliases are texts."""
    return yaml_reader.read(yaml)


@table.filter("toIon")
def to_ion(frame: Frame, value: object) -> str:
    return ion.write(value)


@table.function("fromIon")
def from_ion(ion: str | None, all_rows: bool = False) -> Any:
    """The first value of an Ion text, or all of them."""
    return None if ion is None else _ion_rows(ion, all_rows)


def _ion_rows(text: str, all_rows: bool) -> Any:
    rows = ion.read(text, None if all_rows else 1)
    if all_rows:
        return rows
    if not rows:
        raise Fault("an empty text is not Ion")
    return rows[0]


