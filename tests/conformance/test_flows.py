"""The reference's own flows, run: what its tests assert of each.

`python -m tests.conformance.test_flows` prints how many of each kind pass, fail, and differ on purpose.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest

from core.errors import TailraceError
from tests.conformance.flow_cases import BY_1X, CASES, DEVIATIONS, ON_PURPOSE, RUN, STARTED_BY_TRIGGERS, Case
from tests.conformance.flow_steps import play
from tests.conformance.flow_story import story_of

needs_cases = pytest.mark.skipif(
    not CASES, reason="no flows.json here: name its folder by the environment variable TAILRACE_CONFORMANCE"
)


def told(case: Case) -> None:
    with story_of(case) as story:
        play(story)


@needs_cases
@pytest.mark.parametrize("case", [case for case in RUN if case["id"] not in DEVIATIONS], ids=lambda case: case["id"])
def test_a_flow_does_what_the_reference_asserts(case: dict[str, Any]) -> None:
    told(case)


@needs_cases
@pytest.mark.parametrize("case", [case for case in RUN if case["id"] in DEVIATIONS], ids=lambda case: case["id"])
def test_a_deviation_is_still_one(case: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, TailraceError)):
        told(case)


@needs_cases
def test_every_deviation_is_one_of_a_case_and_few_are_our_own() -> None:
    assert DEVIATIONS.keys() <= {case["id"] for case in RUN}
    assert not BY_1X.keys() & ON_PURPOSE.keys()
    assert len(ON_PURPOSE) <= 10


def main(only: list[str]) -> int:
    """Print what each case came to, by kind."""
    counts: dict[str, Counter[str]] = {}
    failed = 0
    for case in RUN:
        if only and not any(name in case["id"] for name in only):
            continue
        try:
            told(case)
            came_to = "passed"
        except Exception as error:  # noqa: BLE001 # whatever it is, it belongs in the table
            came_to = "deviating" if case["id"] in DEVIATIONS else "failed"
            if came_to == "failed":
                failed += 1
                print(f"{case['id']} ({case['flow']}): {type(error).__name__} {error}")
        counts.setdefault(case["kind"], Counter())[came_to] += 1
    for kind, by in sorted(counts.items()):
        print(f"{kind:<12} {by['passed']:>4} passed {by['failed']:>4} failed {by['deviating']:>4} deviating")
    print(f"{len(STARTED_BY_TRIGGERS)} cases wait for triggers, which this version reads and does not run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
