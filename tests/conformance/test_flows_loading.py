"""The reference's own flows: all that it accepts load, and what it refuses is refused in its words."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core.loading import Loaded, load_flow
from core.registry import Registry, load_registry

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TAILRACE_CONFORMANCE", ROOT.parent / "shared" / "conformance"))

OTHER_CASES = "TAILRACE_CONFORMANCE" in os.environ
"""A folder of one's own, which may have other cases than those that we know."""

RESERVED = "the id `pause` is reserved from 1.0 on (the 1.x table)"
BEFORE_THE_RUN = "what can't be parsed of an expression is refused before the run, where the reference fails in it"
DEVIATIONS: dict[str, str] = {
    "valids/pause.yaml": RESERVED,
    "valids/flowable-with-parent-fail.yaml": BEFORE_THE_RUN,
    "invalid-update-other-id": "a flow that is stored under another id is another flow: there is nothing to refuse",
}
"""Files and cases where we differ on purpose, and why."""

NOT_HERE = frozenset(
    {
        "io.kestra.core.tasks.trigger.Toggle", "io.kestra.plugin.core.execution.Labels",
        "io.kestra.plugin.core.execution.Resume", "io.kestra.plugin.core.flow.Sleep",
        "io.kestra.plugin.core.log.Fetch", "io.kestra.plugin.core.storage.LocalFiles",
    }
)  # fmt: skip
"""Types that do work, brought by another distribution: where it is missing, this is the only thing that is wrong."""

if not (FOLDER / "flows.json").is_file():
    pytest.skip(f"the conformance data is not at {FOLDER}; TAILRACE_CONFORMANCE says where", allow_module_level=True)

CASES: list[dict[str, Any]] = json.loads((FOLDER / "flows.json").read_text("utf-8"))
FLOWS = sorted(
    path.relative_to(FOLDER / "flows").as_posix()
    for folder in ("valids", "tests")
    for path in (FOLDER / "flows" / folder).glob("*.y*ml")
)
REFUSED = [case for case in CASES if case["kind"] == "validate-error" and case["portable"]]
ACCEPTED = [case for case in CASES if case["kind"] == "validate-ok" and case["portable"]]
PARSED = [case for case in CASES if case["kind"] == "parse" and case["portable"]]


@lru_cache
def registry() -> Registry:
    return load_registry(None)


def load(name: str) -> Loaded:
    return load_flow((FOLDER / "flows" / name).read_bytes(), registry(), name, find_template=_template)


def _template(namespace: str, name: str) -> str:
    """Templates are no files of the corpus."""
    return f"id: {name}\nnamespace: {namespace}\ntasks: [{{id: of-the-template, type: debug.Return}}]"


def errors_of(loaded: Loaded) -> list[str]:
    """What keeps a flow from running, but types that another distribution brings."""
    missing = {f"type `{name}`" for name in NOT_HERE}
    return [str(one) for one in loaded.problems if one.severity == "error" and one.subject not in missing]


def test_there_is_something_to_test() -> None:
    assert FLOWS
    assert CASES
    if not OTHER_CASES:
        assert len(FLOWS) > 90
        assert len(REFUSED) > 10
        assert len(ACCEPTED) > 2


@pytest.mark.parametrize("name", [name for name in FLOWS if name not in DEVIATIONS])
def test_a_flow_that_the_reference_accepts_loads(name: str) -> None:
    assert errors_of(load(name)) == []


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: str(case["id"]))
def test_a_flow_that_is_said_to_be_valid_loads(case: dict[str, Any]) -> None:
    assert errors_of(load(case["flow"])) == []


@pytest.mark.parametrize(
    "case", [one for one in REFUSED if one["id"] not in DEVIATIONS], ids=lambda one: str(one["id"])
)
def test_a_flow_that_the_reference_refuses_is_refused_in_its_words(case: dict[str, Any]) -> None:
    loaded = load(case["flow"])
    told = "\n".join(f": {problem.message}" for problem in loaded.problems)

    assert loaded.flow is None
    if case["id"] == "invalid-input-without-type":
        assert any(text in told for text in case["expect"]["error_contains"]), "each is one of these, it says"
    else:
        assert [text for text in case["expect"].get("error_contains", ()) if text not in told] == []


@pytest.mark.parametrize(
    "name", [one for one in DEVIATIONS if not OTHER_CASES or one in {*FLOWS, *(case["id"] for case in REFUSED)}]
)
def test_a_deviation_is_still_one(name: str) -> None:
    if name.endswith((".yaml", ".yml")):
        assert errors_of(load(name)) != []
        return
    (case,) = (case for case in REFUSED if case["id"] == name)
    told = "\n".join(problem.message for problem in load(case["flow"]).problems)
    assert any(text not in told for text in case["expect"]["error_contains"])


def test_every_id_that_stands_twice_is_told_at_its_place() -> None:
    name = "invalids/duplicate.yaml"
    if OTHER_CASES and not (FOLDER / "flows" / name).is_file():
        pytest.skip(f"{FOLDER} has no {name}")
    told = [(problem.line, problem.message) for problem in load(name).problems if problem.severity == "error"]

    tasks = "Duplicate task id with name [date, listen]"
    trigger = "Duplicate trigger id with name [trigger]"
    assert [message for _, message in told] == [tasks, tasks, tasks, tasks, trigger]
    assert len({line for line, _ in told}) == 5


@pytest.mark.parametrize("case", PARSED, ids=lambda case: str(case["id"]))
def test_a_flow_is_parsed_to_what_the_reference_parses_it_to(case: dict[str, Any]) -> None:
    flow = load(case["flow"]).require()
    tasks = flow.root.children
    found: dict[str, object] = {
        "id": flow.id,
        "tasks": len(tasks),
        "tasks[2].timeout": tasks[2].timeout if len(tasks) > 2 else None,
        "inputs": len(flow.inputs),
        "inputs_required": sum(one.required for one in flow.inputs),
        "inputs_not_required": sum(not one.required for one in flow.inputs),
        "inputs_with_defaults": sum(one.has_defaults for one in flow.inputs),
        "string_inputs_with_validator": sum("validator" in one.options for one in flow.inputs if one.type == "STRING"),
        "inputs[0].id": flow.inputs[0].id if flow.inputs else None,
        "inputs[0].type": flow.inputs[0].type if flow.inputs else None,
        "task_ids_plus_trigger_ids": len(list(flow.steps())) + len(flow.triggers),
    }
    retry = tasks[2].retry if len(tasks) > 2 else None
    if retry is not None:
        found |= {
            "tasks[2].retry.type": retry.kind,
            "tasks[2].retry.maxAttempt": retry.max_attempts,
            "tasks[2].retry.interval_seconds": retry.interval // 1_000_000,
        }
    expected = case["expect"]["parse"]
    assert {name: found[name] for name in expected} == expected
