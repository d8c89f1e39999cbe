"""What was recorded, as expressions read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.expressions import Instant
from core.model.codec import SecretText
from core.work import variables

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)
PASSWORD = SecretText((("PASSWORD", ""),))


def secret(*name: str) -> str:
    return "open-sesame"


def test_secrets_and_moments_are_filled_in_at_any_depth() -> None:
    given = {"plain": [1, "a"], "deep": [{"at": NOON, "also": 1.5}], "key": [None, True, PASSWORD]}
    found = variables.revealed(given, secret)
    assert found == {
        "plain": [1, "a"], "deep": [{"at": Instant.fromtimestamp(NOON.timestamp(), UTC), "also": 1.5}],
        "key": [None, True, "open-sesame"],
    }  # fmt: skip
    assert isinstance(found["deep"][0]["at"], Instant)


@pytest.mark.parametrize("given", [list(range(1000)), dict.fromkeys("abcdef", 1.5), {"k": ["a"] * 1000}])
def test_what_is_as_it_was_recorded_is_copied_and_not_walked_through(
    given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each task that reads a long input would pay for all of it; what a task does with it is its own."""
    calls: list[object] = []
    reveal = variables.revealed

    def counted(value: Any, known: Callable[..., str]) -> Any:
        calls.append(value)
        return reveal(value, known)

    monkeypatch.setattr(variables, "revealed", counted)
    found = variables.revealed(given, secret)
    assert (found, found is given) == (given, False)
    assert len(calls) <= 2
