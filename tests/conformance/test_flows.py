"""The reference's own flows, run: what its tests assert of each.

`python -m tests.conformance.test_flows` prints how many of each kind pass, fail, and differ on purpose.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Any

import pytest

from core.errors import TailraceError
from tests.conformance.flow_cases import (
    BY_1X,
    CASES,
    DEVIATIONS,
    LOADING,
    ON_PURPOSE,
    RUN,
    STARTED_BY_TRIGGERS,
    WAITING,
    Case,
)
from tests.conformance.flow_steps import play
from tests.conformance.flow_story import read_flow, story_of
from tests.conformance.test_flows_loading import DEVIATIONS as LOADED_OTHERWISE

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
@pytest.mark.parametrize("case", STARTED_BY_TRIGGERS, ids=lambda case: case["id"])
def test_a_flow_that_triggers_start_is_read_whole_and_says_that_they_do_not_act(case: dict[str, Any]) -> None:
    with story_of({**case, "needs": []}) as story:
        flows = [read_flow(story.app, name) for name in (case["flow"], *case["needs"])]
    assert any(flow.triggers for flow in flows)
    for flow in flows:
        acting = any(not trigger.disabled for trigger in flow.triggers)
        assert ("are not active" in flow.said_of_triggers()) is acting


@needs_cases
def test_every_deviation_is_one_of_a_case_and_few_are_our_own() -> None:
    assert not BY_1X.keys() & ON_PURPOSE.keys()
    in_loading = [name for name in LOADED_OTHERWISE if "/" not in name]  # the others are files, not cases
    assert len(ON_PURPOSE) + len(in_loading) <= 10
    if "TAILRACE_CONFORMANCE" in os.environ:
        pytest.skip("a folder of one's own may have other cases")
    assert DEVIATIONS.keys() <= {case["id"] for case in RUN}
    assert len(ON_PURPOSE) + len(in_loading) + len(WAITING) <= 10


def _loaded(case: Case) -> None:
    from tests.conformance import test_flows_loading as loading

    asked = {
        "parse": loading.test_a_flow_is_parsed_to_what_the_reference_parses_it_to,
        "validate-ok": loading.test_a_flow_that_is_said_to_be_valid_loads,
        "validate-error": loading.test_a_flow_that_the_reference_refuses_is_refused_in_its_words,
    }
    DEVIATIONS.update(loading.DEVIATIONS)
    asked[case["kind"]](case)


def main(only: list[str]) -> int:
    """Print what each case came to, by kind. only: parts of the ids of those to look at."""
    counts: dict[str, Counter[str]] = {}
    for case in CASES:
        if case["id"] in WAITING or (only and not any(name in case["id"] for name in only)):
            continue
        try:
            (_loaded if case["kind"] in LOADING else told)(case)
            came_to = "passed"
        except Exception as error:  # noqa: BLE001 # whatever it is, it belongs in the table
            came_to = "deviating" if case["id"] in DEVIATIONS else "failed"
            why = DEVIATIONS.get(case["id"], f"{type(error).__name__} {error}")
            print(f"{came_to}: {case['id']} ({case['flow']}): {why}")
        counts.setdefault(case["kind"], Counter())[came_to] += 1
    for kind, by in sorted(counts.items()):
        print(f"{kind:<15}{by['passed']:>4} passed {by['failed']:>3} failed {by['deviating']:>3} deviating")
    print(f"{len(STARTED_BY_TRIGGERS)} cases wait for triggers, which this version reads and does not run")
    return 1 if any(by["failed"] for by in counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
