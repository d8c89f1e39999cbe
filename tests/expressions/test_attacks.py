"""What would take for ever, or all of the memory, is refused in time; what only looks like it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.expressions.attacks import ATTACKS, HARMLESS, JQ_TIME, PATTERN_TIME, TIME

SECONDS = 20.0
"""Far more than the limits of an evaluation let any of them take on a slow machine; what they take is printed by
`python -m tests.expressions.attacks`."""
BYTES = 256 * 1024 * 1024
AT_ONCE = 40
"""Attacks that one process is put under, one after the other, each measured by itself."""

Ended = tuple[bool, str, float, int]
pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux tells it")


@pytest.fixture(scope="module")
def ended() -> dict[str, Ended]:
    """Name → whether it was refused, the message or the answer, seconds, bytes."""
    names = [name for name, _, _ in (*ATTACKS, *HARMLESS)]
    found: dict[str, Ended] = {}
    for first in range(0, len(names), AT_ONCE):
        found.update(_under(names[first : first + AT_ONCE]))
    return found


def _under(names: list[str]) -> dict[str, Ended]:
    """What became of these, in a process of their own."""
    command = [sys.executable, "-W", "error", "-m", "tests.expressions.attacks", *names]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=1200
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, ""), run.stdout[-500:]
    return {name: tuple(rest) for name, *rest in map(json.loads, run.stdout.splitlines())}


def out_of_time(message: str) -> bool:
    """On a slow machine this limit may come before the one that is meant."""
    return any(time in message for time in (TIME, JQ_TIME, PATTERN_TIME))


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, _, part in ATTACKS], ids=lambda text: text[:40])
def test_an_attack_is_refused_in_time(ended: dict[str, Ended], name: str, part: str) -> None:
    refused, message, seconds, grown = ended[name]

    assert refused, message
    assert part in message or out_of_time(message), message
    assert len(message) < 10_000
    assert (seconds < SECONDS, grown < BYTES) == (True, True), f"{seconds:.2f} s, {grown >> 20} MB"


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, _, answer in HARMLESS], ids=lambda text: text[:40])
def test_what_only_looks_like_an_attack_is_answered(ended: dict[str, Ended], name: str, answer: str) -> None:
    refused, text, seconds, grown = ended[name]

    assert (refused, text) == (False, answer)
    assert (seconds < SECONDS, grown < BYTES) == (True, True), f"{seconds:.2f} s, {grown >> 20} MB"


def test_there_are_enough_of_them_and_each_has_its_own_name() -> None:
    names = [name for name, _, _ in (*ATTACKS, *HARMLESS)]

    assert len(ATTACKS) >= 100
    assert len(names) == len(set(names))
