"""What a rendered value becomes, by the type that a property declares. A test, and the source of a page of docs/.

A row is (annotation, value as rendered) → the value, or the message and what was expected.
"""

# ruff: noqa: UP007, UP045 - both spellings of a union are part of the table
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

from attrs import frozen

from core.sdk import Described, prop


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Limits(Described):
    """A nested map of properties."""

    rows: int = prop("Rows at most.")
    note: str = prop("Anything.", default="")


@frozen
class Becomes:
    """A row that converts."""

    annotation: Any
    given: object
    value: object


@frozen
class Refused:
    """A row that does not: the message, and what was expected. where: below `$`."""

    annotation: Any
    given: object
    message: str
    expected: str
    where: str = "$"


BOOLEAN = "true or false"
WHOLE = "a whole number, such as 5"
NUMBER = "a number, such as 1.5"
TEXT = "a text"
LIST = "a list, or the JSON text of one"
MAP = "a map, or the JSON text of one"
DURATION = "a duration, such as PT30S, PT1H30M or P1D"
DATETIME = "a date with a time, such as 2024-02-29T10:00:00Z"
DATE = "a date, such as 2024-02-29"
METHOD = Literal["GET", "POST"]

BECOMES = (
    Becomes(bool, True, True),
    Becomes(bool, "true", True),
    Becomes(bool, " false\n", False),
    Becomes(int, 5, 5),
    Becomes(int, "5", 5),
    Becomes(int, " -12 ", -12),
    Becomes(int, "123456789012345678901234567890", 123456789012345678901234567890),
    Becomes(float, 5, 5.0),
    Becomes(float, 5.7, 5.7),
    Becomes(float, "5.7e3", 5700.0),
    Becomes(float, ".5", 0.5),
    Becomes(str, "a", "a"),
    Becomes(str, "", ""),
    Becomes(str, 5, "5"),
    Becomes(str, 5.0, "5.0"),
    Becomes(str, True, "true"),
    Becomes(str, Decimal("1.10"), "1.10"),
    Becomes(str, datetime(2024, 2, 29, 10, tzinfo=UTC), "2024-02-29T10:00:00+00:00"),
    Becomes(str, date(2024, 2, 29), "2024-02-29"),
    Becomes(str, timedelta(minutes=90), "PT1H30M"),
    Becomes(timedelta, "PT1H30M", timedelta(minutes=90)),
    Becomes(timedelta, timedelta(seconds=5), timedelta(seconds=5)),
    Becomes(datetime, "2024-02-29T10:00:00Z", datetime(2024, 2, 29, 10, tzinfo=UTC)),
    Becomes(datetime, "2024-02-29T10:00", datetime(2024, 2, 29, 10)),
    Becomes(date, "2024-02-29", date(2024, 2, 29)),
    Becomes(time, "10:00:00", time(10)),
    Becomes(Path, "data/report.csv", Path("data/report.csv")),
    Becomes(METHOD, "POST", "POST"),
    Becomes(Literal[1, 2], "2", 2),
    Becomes(Literal[True, "auto"], True, True),
    Becomes(Color, "red", Color.RED),
    Becomes(Color, Color.GREEN, Color.GREEN),
    Becomes(list[int], [1, "2"], [1, 2]),
    Becomes(list[str], '["a", 5]', ["a", "5"]),
    Becomes(list[str], [], []),
    Becomes(Sequence[str], ["a"], ["a"]),
    Becomes(list, [1, "a"], [1, "a"]),
    Becomes(tuple[str, ...], ["a", "b"], ("a", "b")),
    Becomes(dict[str, int], {"a": "1"}, {"a": 1}),
    Becomes(dict[str, str], {1: True}, {"1": "true"}),
    Becomes(dict[str, Any], '{"a": [1]}', {"a": [1]}),
    Becomes(Mapping[str, object], {"a": None}, {"a": None}),
    Becomes(Optional[int], None, None),
    Becomes(int | None, "5", 5),
    Becomes(Any, None, None),
    Becomes(object, {"a": 1}, {"a": 1}),
    Becomes(Annotated[int, "rows"], "5", 5),
    Becomes(str | list[str], "a", "a"),
    Becomes(str | list[str], ["a"], ["a"]),
    Becomes(str | list[str], '["a"]', '["a"]'),
    Becomes(Union[int, str], "5", "5"),
    Becomes(Union[int, str], 5, 5),
    Becomes(Union[int, str], True, "true"),
    Becomes(Union[int, float], "5", 5),
    Becomes(Union[float, int], "5", 5.0),
    Becomes(Union[int, float], 5.7, 5.7),
    Becomes(bool | METHOD, "true", True),
    Becomes(timedelta | int, "PT5S", timedelta(seconds=5)),
    Becomes(list[int] | dict[str, int], '{"a": 1}', {"a": 1}),
    Becomes(list[int] | list[str], ["a"], ["a"]),
)

REFUSED = (
    Refused(bool, "yes", "`yes` is not true or false", BOOLEAN),
    Refused(bool, "True", "`True` is not true or false", BOOLEAN),
    Refused(bool, 1, "`1` is not true or false", BOOLEAN),
    Refused(bool, None, "nothing (null) is not true or false", BOOLEAN),
    Refused(int, 5.7, "`5.7` is not a whole number", WHOLE),
    Refused(int, "5.0", "`5.0` is not a whole number", WHOLE),
    Refused(int, True, "`true` is not a whole number", WHOLE),
    Refused(int, "1_000", "`1_000` is not a whole number", WHOLE),
    Refused(int, "", "`` is not a whole number", WHOLE),
    Refused(float, 10**400, f"`1{'0' * 59}…` is not a number", NUMBER),
    Refused(float, "nan", "`nan` is not a number", NUMBER),
    Refused(float, False, "`false` is not a number", NUMBER),
    Refused(str, {"a": 1}, "a map is not a text", TEXT),
    Refused(str, ["a"], "a list is not a text", TEXT),
    Refused(str, None, "nothing (null) is not a text", TEXT),
    Refused(timedelta, "5s", "`5s` is not a duration", DURATION),
    Refused(timedelta, 5, "`5` is not a duration", DURATION),
    Refused(timedelta, "P1M", "`P1M` is not a duration", DURATION),
    Refused(datetime, "2024-02-29", "`2024-02-29` is not a date with a time", DATETIME),
    Refused(datetime, "2023-02-29T10:00:00Z", "`2023-02-29T10:00:00Z` is not a date with a time", DATETIME),
    Refused(date, "2023-02-29", "`2023-02-29` is not a date", DATE),
    Refused(Path, "", "`` is not a path", "a path, such as data/report.csv"),
    Refused(METHOD, "PUSH", "`PUSH` is not one of GET, POST", "one of GET, POST"),
    Refused(Literal[1], True, "`true` is not 1", "1"),
    Refused(Color, "blue", "`blue` is not one of red, green", "one of red, green"),
    Refused(list[str], "a", "`a` is not a list", LIST),
    Refused(list[str], '["a"', '`["a"` is not a list', LIST),
    Refused(list[str], {"a": 1}, "a map is not a list", LIST),
    Refused(list[int], [1, "x"], "`x` is not a whole number", WHOLE, "$[1]"),
    Refused(dict[str, int], ["a"], "a list is not a map", MAP),
    Refused(dict[str, int], {"X-Id": 1.5}, "`1.5` is not a whole number", WHOLE, '$["X-Id"]'),
    Refused(dict[str, list[int]], {"a": [1, 1.5]}, "`1.5` is not a whole number", WHOLE, "$.a[1]"),
    Refused(int | None, "", "`` is not a whole number", WHOLE),
    Refused(str | list[str], {"a": 1}, "a map is not a text or a list of texts", "a text or a list of texts"),
    Refused(int | bool, "x", "`x` is not a whole number or true or false", "a whole number or true or false"),
    Refused(str | list[int], [1, "x"], "`x` is not a whole number", WHOLE, "$[1]"),
    Refused(Limits, {"rows": "many"}, "`many` is not a whole number", WHOLE, "$.rows"),
    Refused(Limits, {}, "`rows` is missing", "a whole number"),
    Refused(Limits, 5, "`5` is not a map", MAP),
    Refused(list[Limits], [{"rows": 1}, {"row": 1, "rows": 1}], "there is no property `row`", "", "$[1].row"),
)
