"""What a task says to its context, kept for the tests to look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from attrs import define, field


@define
class RecordedLog:
    """Log lines as (level, message)."""

    lines: list[tuple[str, str]] = field(factory=list)

    def debug(self, message: str) -> None:
        self.log("DEBUG", message)

    def error(self, message: str) -> None:
        self.log("ERROR", message)

    def log(self, level: str, message: str) -> None:
        self.lines.append((level, message))


@define
class Recorder:
    """The part of a RunContext that the built-in tasks use."""

    log: RecordedLog = field(factory=RecordedLog)
    metrics: list[tuple[str, float | timedelta]] = field(factory=list)

    def metric(
        self, name: str, value: float | timedelta, *, kind: str = "counter", tags: Mapping[str, str] | None = None
    ) -> None:
        self.metrics.append((name, value))


@pytest.fixture
def ctx() -> Recorder:
    return Recorder()
