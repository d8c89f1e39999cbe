"""JSON, jq, YAML and Ion in and out."""

from __future__ import annotations

from typing import Any

from core.expressions import ion, native, yaml_reader, yaml_writer
from core.expressions.faults import Fault, within_limit
from core.expressions.jq_paths import follow, json_text, path_of
from core.expressions.json_reader import parse_json
from core.expressions.library.declare import Frame, Items, Program, Table
from core.expressions.values import to_json

table = Table()


# -- JSON ------------------------------------------------------------------------------------------------------


@table.filter("toJson", "json")
def to_json_text(frame: Frame, value: object) -> str:
    """Compact JSON; null is `null`."""
    text = to_json(value, frame.runtime.zone)
    within_limit(len(text))
    return text


@table.function("fromJson", "json")
def from_json(json: str | None) -> Any:
    """The value of a JSON text; what stands behind the first value is ignored."""
    return None if json is None else parse_json(json)


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
def jq(frame: Frame, value: object, expression: Program) -> Items | None:
    """The outputs of a jq program, always a list; a text is read as JSON first.

    Programs that are more than a path count in doubles: 2.0 becomes 2, whole numbers above 2^53 lose digits (the
    reference's own jq keeps both).
    """
    if value is None:
        return None
    path = path_of(expression.value)
    given = parse_json(value) if isinstance(value, str) else value
    if path is not None and (found := follow(frame, given, path)) is not None:
        return found
    return native.jq(frame, expression, value if isinstance(value, str) else json_text(frame, value))


# -- YAML and Ion ----------------------------------------------------------------------------------------------


@table.filter("yaml")
def to_yaml(frame: Frame, value: object) -> str:
    """YAML with as few quotes as possible; null is `null`, without a line break."""
    return yaml_writer.write(value, frame.runtime.zone)


@table.function("yaml")
def from_yaml(frame: Frame, yaml: str) -> Any:
    """The first document of a YAML 1.1 text. Dates stay texts, aliases are texts."""
    return yaml_reader.read(yaml, frame.spend)


@table.filter("toIon")
def to_ion(frame: Frame, value: object) -> str:
    return ion.write(value, frame.spend)


@table.function("fromIon")
def from_ion(frame: Frame, ion: str | None, all_rows: bool = False) -> Any:
    """The first value of an Ion text, or all of them."""
    return None if ion is None else _ion_rows(frame, ion, all_rows)


def _ion_rows(frame: Frame, text: str, all_rows: bool) -> Any:
    rows = ion.read(text, frame.spend, None if all_rows else 1)
    if all_rows:
        return rows
    if not rows:
        raise Fault("an empty text is not Ion")
    return rows[0]


