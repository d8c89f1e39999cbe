from __future__ import annotations

import pytest

from core.builtin.cron import wrong_with_cron

RIGHT = (
    "* * * * *", "*/15 0-5,9 1 JAN-dec mon", "0 0 31 12 7", "5/10 * * * *", "1-59/2 * * * *", "@daily", "@MIDNIGHT",
    "  0   9 * * 1-5 ",
)  # fmt: skip
WRONG = {
    "": "it has 0 fields, not 5",
    "* * * *": "it has 4 fields, not 5",
    "* * * * * *": "it has 6 fields, not 5",
    "@never": "there is no nickname `@never`",
    "60 * * * *": "the minute `60` is wrong: `60` is not between 0 and 59",
    "* 24 * * *": "the hour `24` is wrong: `24` is not between 0 and 23",
    "* * 0 * *": "the day of the month `0` is wrong: `0` is not between 1 and 31",
    "* * * 13 *": "the month `13` is wrong: `13` is not between 1 and 12",
    "* * * * 8": "the day of the week `8` is wrong: `8` is not between 0 and 7",
    "* * * MON *": "the month `MON` is wrong: `MON` is not a number",
    "*/0 * * * *": "the minute `*/0` is wrong: `0` is not a step",
    "*/x * * * *": "the minute `*/x` is wrong: `x` is not a step",
    "5-1 * * * *": "the minute `5-1` is wrong: `5-1` ends before it begins",
    "1-2-3 * * * *": "the minute `1-2-3` is wrong: `1-2-3` is not a range",
    "1, * * * *": "the minute `1,` is wrong: a number is missing",
    "?  * * * *": "the minute `?` is wrong: `?` is not a number",
}


@pytest.mark.parametrize("text", RIGHT)
def test_cron_is_understood(text: str) -> None:
    assert wrong_with_cron(text, with_seconds=False) == ""


@pytest.mark.parametrize(("text", "why"), WRONG.items())
def test_what_is_wrong_with_cron_is_said(text: str, why: str) -> None:
    assert wrong_with_cron(text, with_seconds=False) == why


def test_with_seconds_there_are_six_fields() -> None:
    assert wrong_with_cron("59 * * * * *", with_seconds=True) == ""
    assert wrong_with_cron("60 * * * * *", with_seconds=True) == (
        "the second `60` is wrong: `60` is not between 0 and 59"
    )
    assert wrong_with_cron("* * * * *", with_seconds=True) == "it has 5 fields, not 6"
