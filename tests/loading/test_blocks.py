"""Maps that belong to no type: retry, concurrency, sla, checks, taskCache."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.loading import Loaded
from core.model.flow import Check, Flow, Sla, TaskCache
from core.model.nodes import Concurrency, Retry

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\ntasks: [{id: a, type: log.Log, message: hi}]\n"
SECOND = 1_000_000

READ: dict[str, tuple[str, object]] = {
    "retry: {type: constant, interval: PT1S}": ("retry", Retry("constant", interval=SECOND)),
    "retry: {type: constant, interval: PT1S, maxAttempt: 3, maxDuration: PT1M, warningOnRetry: true, behavior: "
    "CREATE_NEW_EXECUTION}": (
        "retry",
        Retry(
            "constant", interval=SECOND, max_attempts=3, max_duration=60 * SECOND, warning_on_retry=True,
            behavior="CREATE_NEW_EXECUTION",
        ),
    ),
    "retry: {type: exponential, interval: PT1S, maxInterval: PT9S, delayFactor: 1.5, maxAttempts: 2}": (
        "retry", Retry("exponential", interval=SECOND, max_interval=9 * SECOND, delay_factor=1.5, max_attempts=2),
    ),
    "retry: {type: random, minInterval: PT1S, maxInterval: PT2S}": (
        "retry", Retry("random", min_interval=SECOND, max_interval=2 * SECOND),
    ),
    "concurrency: {limit: 2}": ("concurrency", Concurrency(2)),
    "concurrency: {limit: 1, behavior: FAIL}": ("concurrency", Concurrency(1, "FAIL")),
    "sla: [{id: s, type: MAX_DURATION, behavior: FAIL, duration: PT1S, labels: {late: true}}]": (
        "sla", (Sla("s", "FAIL", max_duration=SECOND, labels={"late": "true"}),),
    ),
    "sla: [{id: s, type: EXECUTION_ASSERTION, behavior: NONE, assert: '{{ x }}'}]": (
        "sla", (Sla("s", "NONE", assertion="{{ x }}"),),
    ),
    "checks: [{condition: '{{ x }}', message: m}]": ("checks", (Check("{{ x }}", "m"),)),
    "checks: [{when: '{{ x }}', message: m, style: ERROR, behavior: FAIL_EXECUTION}]": (
        "checks", (Check("{{ x }}", "m", "ERROR", "FAIL_EXECUTION"),),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "found"), READ.items(), ids=list(READ))
def test_a_block_is_read(source: str, found: tuple[str, object], load: Load) -> None:
    name, value = found

    assert getattr(load(HEAD + source).require(), name) == value


def test_blocks_that_are_not_there_are_empty(load: Load) -> None:
    flow: Flow = load(HEAD).require()

    assert (flow.retry, flow.concurrency, flow.sla, flow.checks, flow.triggers) == (None, None, (), (), ())
    assert (flow.after_execution, flow.task_caches, flow.logs_to_file) == ((), {}, frozenset())


def test_a_task_has_a_retry_a_cache_and_a_log_file(load: Load) -> None:
    task = "{id: a, type: log.Log, message: hi, retry: {type: constant, interval: PT1S}, taskCache: {enabled: true, ttl: PT1H}, logToFile: true}"
    flow = load(
        f"id: f\nnamespace: a.b\ntasks:\n- {task}\n- {{id: b, type: log.Log, message: x, taskCache: {{enabled: no}}}}"
    ).require()

    assert flow.root.children[0].retry == Retry("constant", interval=SECOND)
    assert flow.task_caches == {"a": TaskCache(3600 * SECOND)}
    assert flow.logs_to_file == {"a"}


WRONG = {
    "retry: {interval: PT1S}": "flow.yaml:4:8: Invalid type: null\n  expected: constant, exponential, random",
    "retry: {type: constnt}": "flow.yaml:4:15: Invalid type: constnt\n  to do: did you mean `constant`?",
    "retry: 5": "flow.yaml:4:8: `5` is not a map\n  expected: a map of `key: value`",
    "retry: {type: constant}": "flow.yaml:4:8: `interval` is missing\n  expected: a duration",
    "retry: {type: constant, interval: 5}": """\
flow.yaml:4:35: `5` is not a duration
  expected: a duration, such as PT30S, PT1H30M or P1D""",
    "retry: {type: constant, interval: '{{ x }}'}": """\
flow.yaml:4:35: `{{ x }}` is not a duration
  expected: a duration, such as PT30S, PT1H30M or P1D""",
    "retry: {type: constant, interval: PT1S, maxInterval: PT2S}": """\
flow.yaml:4:41: there is no property `maxInterval`
  to do: did you mean `interval`?""",
    "retry: {type: constant, interval: PT1S, maxAttempts: 0}": """\
flow.yaml:4:54: `0` attempts are not possible
  expected: 1 or more""",
    "retry: {type: constant, interval: PT1S, maxAttempt: 0}": """\
flow.yaml:4:53: `0` attempts are not possible
  expected: 1 or more""",
    "retry: {type: constant, interval: PT1M, maxDuration: PT30S}": """\
flow.yaml:4:35: 'interval' must be less than 'maxDuration' but is PT1M
  expected: less than PT30S""",
    "retry: {type: exponential, interval: PT1M, maxInterval: PT30S}": """\
flow.yaml:4:38: 'interval' must be less than 'maxInterval' but is PT1M
  expected: less than PT30S""",
    "retry: {type: random, minInterval: PT1M, maxInterval: PT30S}": """\
flow.yaml:4:36: 'minInterval' must be less than 'maxInterval' but is PT1M
  expected: less than PT30S""",
    "retry: {type: random, minInterval: PT40S, maxInterval: PT1M, maxDuration: PT50S}": """\
flow.yaml:4:56: 'maxInterval' must be less than 'maxDuration' but is PT1M
  expected: less than PT50S""",
    "concurrency: {limit: 0}": "flow.yaml:4:22: `0` is not a limit\n  expected: a whole number from 1",
    "concurrency: {behavior: FAIL}": "flow.yaml:4:14: `limit` is missing\n  expected: a whole number",
    "concurrency: {limit: 1, behavior: WAIT}": "flow.yaml:4:35: `WAIT` is not one of QUEUE, CANCEL, FAIL",
    "sla: [{id: s, type: MAX_DURATON, behavior: FAIL}]": """\
flow.yaml:4:21: Invalid type: MAX_DURATON
  to do: did you mean `MAX_DURATION`?""",
    "sla: [{id: s, type: MAX_DURATION, behavior: FAIL}]": "flow.yaml:4:7: `duration` is missing\n  expected: a duration",
    "checks: [{message: m}]": "flow.yaml:4:10: `condition` is missing\n  expected: a text",
    "checks: [{when: '{{ x', message: m}]": """\
flow.yaml:4:17: `{{` is never closed
    {{ x
    ^
  expected: `}}`""",
}


@pytest.mark.parametrize(("source", "message"), WRONG.items(), ids=list(WRONG))
def test_what_is_wrong_with_a_block_is_said_with_its_place(source: str, message: str, load: Load) -> None:
    loaded = load(HEAD + source)

    assert [str(problem) for problem in loaded.problems] == [message]
    assert loaded.flow is None


def test_a_cache_of_a_task_that_holds_others_has_no_effect_and_that_is_said(load: Load) -> None:
    loaded = load("id: f\nnamespace: a.b\ntasks:\n- {id: a, type: flow.Sequential, taskCache: {enabled: true}}\n")

    assert [str(problem) for problem in loaded.problems] == [
        "flow.yaml:4:34: `taskCache` has no effect on a task that only holds others\n  to do: set it on the tasks inside"
    ]
    assert loaded.require().task_caches == {}


def test_a_cache_must_last(load: Load) -> None:
    source = (
        "id: f\nnamespace: a.b\ntasks:\n- {id: a, type: log.Log, message: x, taskCache: {enabled: true, ttl: PT0S}}\n"
    )

    assert [str(problem) for problem in load(source).problems] == [
        "flow.yaml:4:70: `ttl` must be positive\n  expected: a duration such as PT1H"
    ]
