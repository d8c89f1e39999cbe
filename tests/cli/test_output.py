"""Everything that is printed."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.cli.output import Output, json_text, table_lines
from core.errors import TooLarge


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2025, 5, 1, 10, tzinfo=UTC), '"2025-05-01T10:00:00+00:00"'),
        (date(2025, 5, 1), '"2025-05-01"'),
        (time(10, 30), '"10:30:00"'),
        (timedelta(minutes=90), '"PT1H30M"'),
        (Decimal("1.10"), '"1.10"'),
        (b"\x00\xff", '"AP8="'),
        (float("nan"), '"NaN"'),
        (float("-inf"), '"-Infinity"'),
        (float("inf"), '"Infinity"'),
        (1.0, "1.0"),
        (2**70, "1180591620717411303424"),
        ({"é": (1, None, True)}, '{"é": [1, null, true]}'),
    ],
)
def test_what_json_does_not_have_becomes_text(value: Any, text: str) -> None:
    assert json_text(value) == text


def test_a_lone_surrogate_is_still_valid_json() -> None:
    sink = io.BytesIO()
    out = Output(io.TextIOWrapper(sink, "ascii"), io.StringIO(), json=True)

    out.data({"text": "é\ud800"})
    out.flush()

    assert json.loads(sink.getvalue().decode("utf-8")) == {"text": "é\ud800"}


def test_nesting_of_900_levels_is_printed_and_more_is_refused() -> None:
    value: Any = 1
    for _ in range(850):
        value = [value]
    assert json_text(value).count("[") == 850

    for _ in range(5_000):
        value = [value]
    with pytest.raises(TooLarge, match="nested too deeply"):
        json_text(value)


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    rows = [("a", 5, None), ("日本", 1234, "x"), ("é", None, True)]

    assert list(table_lines(("NAME", "N", "LAST"), rows)) == [
        "NAME     N  LAST",
        "a        5",
        "日本  1234  x",
        "é           true",
    ]


def test_a_cell_is_one_line_and_cut() -> None:
    rows = [("a\nb", "x" * 70, 1)]

    assert list(table_lines(("A", "B", "C"), rows))[1] == f"a b  {'x' * 59}…  1"


def test_escape_sequences_do_not_reach_a_terminal_and_stay_in_a_pipe() -> None:
    terminal, pipe = _Terminal(), io.StringIO()

    Output(terminal, pipe).result("a\x1b[2Jb\tc\nd")
    Output(pipe, terminal).result("a\x1b[2Jb")

    assert terminal.getvalue() == "a\\x1b[2Jb\tc\nd\n"
    assert pipe.getvalue() == "a\x1b[2Jb\n"


def test_a_closed_standard_error_ends_nothing() -> None:
    stdout = io.StringIO()
    out = Output(stdout, _Closed())

    out.note("lost")
    out.note("lost too")
    out.result("kept")

    assert stdout.getvalue() == "kept\n"


def test_quiet_leaves_out_notes_and_keeps_warnings() -> None:
    stderr = io.StringIO()
    out = Output(io.StringIO(), stderr, quiet=True)

    out.note("no")
    out.warn("yes")

    assert stderr.getvalue() == "yes\n"


@pytest.mark.parametrize(("json_", "quiet", "live"), [(False, False, True), (True, False, False), (False, True, False)])
def test_a_live_display_is_for_people_at_a_terminal(json_: bool, quiet: bool, live: bool) -> None:
    assert Output(io.StringIO(), _Terminal(), json=json_, quiet=quiet).live is live
    assert Output(io.StringIO(), io.StringIO(), json=json_, quiet=quiet).live is False
