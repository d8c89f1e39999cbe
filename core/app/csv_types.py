"""Two CSV files by what their columns hold, as DuckDB finds it: numbers, dates, times; where both agree."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows = list[dict[str, Any]]
CSV: Final = "header = true, delim = ',', quote = '\"', escape = '\"', sample_size = -1, nullstr = ''"
"""As Python reads it too; every row is looked at."""
CELLS: Final = 400_000
"""Of a file: more of them take seconds."""
COLUMNS: Final = 500
"""Of a file: their number costs more than that of the cells."""
LIMITS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1, "memory_limit": "256MB", "temp_directory": "", "autoinstall_known_extensions": False,
}  # fmt: skip
NUMBER, ZONED = "number", "TIMESTAMP WITH TIME ZONE"
NUMBERS = ("BIGINT", "HUGEINT", "DOUBLE", "INTEGER", "FLOAT")
DATES = ("DATE", "TIMESTAMP")
OTHERS = ("BOOLEAN", "TIME", ZONED)
CODE: Final = re.compile(r"[-+]?0\d")
"""How numbers begin that are none: `007` is not `7`."""
WHOLE: Final = re.compile(r"[-+]?\d{1,60}")
AMOUNT: Final = re.compile(r"[-+]?(?=\.?\d)\d{0,60}\.?\d{0,60}([eE][-+]?\d{1,3})?")
"""What has more digits is left a text."""


def typed_rows(first: str, second: str) -> tuple[Rows, Rows] | None:
    """The rows of two files, as texts of them: a column in which both hold numbers, truths, dates or times has these as
    values, an empty cell of it None; others texts. None for files of more than CELLS or COLUMNS, where DuckDB reads
    them otherwise than we do, and without it.

    Dates and times are texts where the files write them in different ways, which could only be guessed.
    """
    if any(map(_is_large, (first, second))):
        return None
    try:
        import duckdb  # noqa: PLC0415 # large, and not everybody has it
    except ImportError:
        return None
    with (
        TemporaryDirectory() as folder,
        suppress(duckdb.Error, csv.Error),
        duckdb.connect(config=LIMITS) as connection,
    ):  # fmt: skip
        for number, text in enumerate((first, second)):
            path = Path(folder, str(number))
            path.write_text(text, "utf-8", newline="")
            for table, more in ((f"typed{number}", ""), (f"text{number}", ", all_varchar = true")):
                connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_csv(?, {CSV}{more})", [str(path)])
        if not all(_is_read_alike(connection, *one) for one in enumerate((first, second))):
            return None
        kinds = [_kinds(connection, number, folder) for number in (0, 1)]
        agreed = {name: kind for name, kind in kinds[0].items() if kind and kinds[1].get(name) == kind}
        both = [_rows(connection, number, list(kinds[number]), agreed) for number in (0, 1)]
        _read_numbers(both, [name for name, kind in agreed.items() if kind == NUMBER])
        return both[0], both[1]
    return None


def _is_large(text: str) -> bool:
    """Whether types are not looked for; columns are counted in the first row that is not empty."""
    if text.count(",") + text.count("\n") > CELLS:
        return True
    with suppress(csv.Error):
        return len(next(filter(None, csv.reader(StringIO(text, newline=""))), [])) > COLUMNS
    return True


def _is_read_alike(connection: DuckDBPyConnection, number: int, text: str) -> bool:
    """Whether DuckDB found the columns, and as many rows, as are there: of a ragged file it leaves out lines."""
    lines = csv.reader(StringIO(text, newline=""))
    columns = next(lines, [])
    rows = sum(1 for row in lines if row)
    found = [name for name, *_ in connection.execute(f"DESCRIBE text{number}").fetchall()]
    counts = [
        connection.execute(f"SELECT count(*) FROM {table}{number}").fetchone() for table in ("typed", "text")
    ]  # fmt: skip
    return found == columns and counts == [(rows,), (rows,)]


def _kinds(connection: DuckDBPyConnection, number: int, folder: str) -> dict[str, str]:
    """What each column holds, dates with how they are written; "" for texts, and for what is none of these."""
    found = connection.execute(f"DESCRIBE typed{number}").fetchall()
    sql = f"SELECT DateFormat, TimestampFormat FROM sniff_csv(?, {CSV})"
    formats = connection.execute(sql, [str(Path(folder, str(number)))]).fetchone()
    return {name: f"{kind} {formats}" if kind in DATES else _kind(kind) for name, kind, *_ in found}


def _kind(kind: str) -> str:
    if kind in NUMBERS or kind.startswith("DECIMAL"):
        return NUMBER
    return kind if kind in OTHERS else ""


def _rows(connection: DuckDBPyConnection, number: int, columns: Sequence[str], agreed: Mapping[str, str]) -> Rows:
    """Numbers are texts yet, so that none loses digits."""
    chosen = ", ".join(_column(name, agreed.get(name, "")) for name in columns)
    found = connection.execute(f"SELECT {chosen} FROM text{number} AS text POSITIONAL JOIN typed{number} AS typed")
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _column(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == ZONED:  # Python's values of it need another library
        return f"strftime(typed.{quoted}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"typed.{quoted}" if kind not in ("", NUMBER) else f"coalesce(text.{quoted}, '')"


def _read_numbers(both: Sequence[Rows], names: Sequence[str]) -> None:
    """From their texts, but not in columns of codes."""
    for name in names:
        texts = [row[name].strip() for rows in both for row in rows]
        if any(CODE.match(text) for text in texts):
            continue
        for rows in both:
            for row in rows:
                row[name] = _number(row[name].strip())


def _number(text: str) -> int | Decimal | str | None:
    if not text:
        return None
    if WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if AMOUNT.fullmatch(text) else text
