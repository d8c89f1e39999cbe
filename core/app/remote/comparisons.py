"""Comparisons out of the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.host.overviews import OutputComparison, OutputDifference, TableDifference, ValueDifference
from core.model.data import fields

Row = Mapping[str, Any]


def comparison_view(row: Row) -> OutputComparison:
    """The outputs of two executions."""
    return OutputComparison(
        first=row["first"], second=row["second"], differences=tuple(map(_difference, row["differences"])),
        counts=row["counts"], more=row["more"], inputs=_parts(row["inputs"]), outputs=_parts(row["outputs"]),
    )  # fmt: skip


def _difference(row: Row) -> OutputDifference:
    known = {name: row[name] for name in fields(OutputDifference)}
    tables = tuple(map(_table, row["tables"]))
    return OutputDifference(**{**known, "path": tuple(row["path"]), "parts": _parts(row["parts"]), "tables": tables})


def _parts(rows: list[Row]) -> tuple[ValueDifference, ...]:
    return tuple(ValueDifference(row["path"], row["change"], row["before"], row["after"]) for row in rows)


def _table(row: Row) -> TableDifference:
    known = {name: row[name] for name in fields(TableDifference)}
    come, gone = tuple(row["columns_added"]), tuple(row["columns_removed"])
    return TableDifference(**{**known, "columns_added": come, "columns_removed": gone})
