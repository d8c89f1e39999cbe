"""Spans of time in which several executions have to happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Literal

from core.sdk.properties import Described, prop
from core.sdk.triggers import Fault

_FIELDS = {
    "window": "a window", "windowAdvance": "a window advance", "startTime": "a start time", "endTime": "an end time",
    "deadline": "a deadline",
}  # fmt: skip
_ALLOWED = {
    "DURATION_WINDOW": ("window", "windowAdvance"),
    "SLIDING_WINDOW": ("window",),
    "DAILY_TIME_DEADLINE": ("deadline",),
    "DAILY_TIME_WINDOW": ("startTime", "endTime"),
}
_NEEDED = {"DAILY_TIME_DEADLINE": ("deadline",), "DAILY_TIME_WINDOW": ("startTime", "endTime")}


class TimeWindow(Described):
    """A span of time; which fields it has depends on its type."""

    type_: Literal["DURATION_WINDOW", "SLIDING_WINDOW", "DAILY_TIME_DEADLINE", "DAILY_TIME_WINDOW"] = prop(
        "How the span is counted.", default="DURATION_WINDOW", name="type", render=False
    )
    window: timedelta | None = prop("Its length; one day when not given.", default=None, render=False)
    window_advance: timedelta | None = prop("By how much it is shifted.", default=None, render=False)
    deadline: time | None = prop("The end of a span that begins with the day.", default=None, render=False)
    start_time: time | None = prop("Where it begins on every day.", default=None, render=False)
    end_time: time | None = prop("Where it ends on every day.", default=None, render=False)

    def faults(self, path: tuple[str | int, ...]) -> Iterator[Fault]:
        """Fields that do not belong to the type, and those that are missing; the reference's words."""
        given = {
            "window": self.window, "windowAdvance": self.window_advance, "startTime": self.start_time,
            "endTime": self.end_time, "deadline": self.deadline,
        }  # fmt: skip
        for name, value in given.items():
            if value is not None and name not in _ALLOWED[self.type_]:
                what = f"Time window of type `{self.type_}` cannot have {_FIELDS[name]}."
                yield Fault((*path, name), what, ", ".join(_ALLOWED[self.type_]))
            elif value is None and name in _NEEDED.get(self.type_, ()):
                yield Fault(path, f"Time window of type `{self.type_}` must have {_FIELDS[name]}.", f"`{name}`")


class Window(Described):
    """The 2.x dialect's span of time: a `deadline`, `from` and `to`, `every`, or `lookback`."""

    deadline: time | None = prop("The end of a span that begins with the day.", default=None, render=False)
    from_: time | None = prop("Where it begins on every day.", default=None, render=False)
    to: time | None = prop("Where it ends on every day.", default=None, render=False)
    every: timedelta | None = prop("Spans of this length, one after another.", default=None, render=False)
    offset: timedelta | None = prop("By how much `every` is shifted.", default=None, render=False)
    lookback: timedelta | None = prop("The span of this length up to now.", default=None, render=False)

    def faults(self, path: tuple[str | int, ...]) -> Iterator[Fault]:
        """Exactly one of the four ways."""
        ways = [self.deadline, self.from_ or self.to, self.every, self.lookback]
        if sum(way is not None for way in ways) != 1:
            yield Fault(path, "a window is said in one way", "one of deadline; from and to; every; lookback")
        if (self.from_ is None) is not (self.to is None):
            yield Fault(path, "`from` and `to` belong together", "both of them")
        if self.offset is not None and self.every is None:
            yield Fault((*path, "offset"), "`offset` belongs to `every`", "`every`")
