"""The reference's cases about whole flows: where they lie, which of them run here, and where we differ on purpose."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TAILRACE_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
LOADING = frozenset({"parse", "validate-ok", "validate-error"})
"""Kinds that ask nothing of a run: `test_flows_loading.py` has them."""
TRIGGERED = frozenset({"trigger", "webhook"})
"""Kinds about triggers. They are read and checked whole, and not active yet."""
BY_HAND = frozenset({"trigger-toggle"})
"""Cases of these kinds that are run by hand."""

Case = dict[str, Any]


def all_cases() -> list[Case]:
    """The portable cases; none where the data is missing."""
    path = FOLDER / "flows.json"
    if not path.is_file():
        return []
    return [case for case in json.loads(path.read_text("utf-8")) if case["portable"]]


CASES = all_cases()
STARTED_BY_TRIGGERS = [case for case in CASES if case["kind"] in TRIGGERED and case["id"] not in BY_HAND]
RUN = [case for case in CASES if case["kind"] not in LOADING and case not in STARTED_BY_TRIGGERS]

BY_1X: dict[str, str] = {
    "kv-key-not-found": "`kv()` of a key that is missing fails unless `errorOnMissing=false`",
}
"""Cases where the last table of the 1.x additions binds, which differs from what this older version asserts."""

ON_PURPOSE: dict[str, str] = {
    "flowable-with-parent-fail": "what can't be parsed of an expression is refused before the run, with its place",
}
"""Other cases where we differ on purpose, and why."""

WAITING = {case["id"]: "a trigger starts it: triggers do not act in this version" for case in STARTED_BY_TRIGGERS}

DEVIATIONS = BY_1X | ON_PURPOSE
