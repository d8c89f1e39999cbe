"""Lines of a script: which go to the log, and which carry outputs, metrics and log entries."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from core.sdk.script_lines import ScriptLines
from core.testing.plain_context import Metric, PlainContext


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path)


@pytest.fixture
def lines(ctx: PlainContext) -> ScriptLines:
    return ScriptLines(ctx)


def test_stdout_is_logged_as_info_and_stderr_as_error(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stdout", "out")
    lines("stderr", "err")
    lines("stdout", "")
    assert ctx.log.lines == [("INFO", "out"), ("ERROR", "err"), ("INFO", "")]
    assert lines.stderr_used


def test_outputs_of_both_streams_are_merged_and_the_later_one_wins(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stdout", '::{"outputs": {"a": 1, "b": [null, true]}}::')
    lines("stderr", '::{"outputs": {"a": {"c": 2}}}::')
    assert lines.vars == {"a": {"c": 2}, "b": [None, True]}
    assert lines.stderr_used
    assert ctx.log.lines == []


@pytest.mark.parametrize("line", ['say ::{"outputs": {}}::', '::{"outputs": {}}:: ', ':: {"outputs": {}}::', "::[]::"])
def test_only_a_whole_line_is_a_message(ctx: PlainContext, lines: ScriptLines, line: str) -> None:
    lines("stdout", line)
    assert ctx.log.lines == [("INFO", line)]


def test_metrics_are_counters_timers_and_gauges(ctx: PlainContext, lines: ScriptLines) -> None:
    metrics = [
        {"name": "rows", "type": "counter", "value": 3, "tags": {"table": "a", "part": 1}},
        {"name": "short", "type": "timer", "value": 1.5},
        {"name": "long", "type": "timer", "value": "PT2M"},
        {"name": "level", "type": "gauge", "value": -0.5},
        {"name": "quoted", "type": "counter", "value": "12"},
        {"name": "padded", "type": "counter", "value": "      12"},
    ]
    lines("stdout", f"::{json.dumps({'metrics': metrics})}::")
    assert ctx.metrics == [
        Metric("rows", 3, "counter", {"table": "a", "part": "1"}),
        Metric("short", timedelta(seconds=1.5), "timer", {}),
        Metric("long", timedelta(minutes=2), "timer", {}),
        Metric("level", -0.5, "gauge", {}),
        Metric("quoted", 12.0, "counter", {}),
        Metric("padded", 12.0, "counter", {}),
    ]


def test_log_entries_have_their_own_level(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stderr", '::{"logs": [{"level": "WARN", "message": "one"}, {"level": "debug", "message": "two"}]}::')
    assert ctx.log.lines == [("WARN", "one"), ("DEBUG", "two")]


def test_the_message_of_a_log_entry_may_be_a_number(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stdout", '::{"logs": [{"level": "INFO", "message": 5}, {"message": true}]}::')
    assert ctx.log.lines == [("INFO", "5"), ("INFO", "true")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"outputs": {}}}', "Extra data at column 16"),
        ('{"outputs": }', "Expecting value at column 13"),
        ('{"outputs": [1]}', "`outputs` is not a map"),
        ('{"metrics": {}}', "`metrics` is not a list"),
        ('{"metrics": [1]}', "`metrics` is not a list of maps"),
        ('{"metrics": [{"type": "counter", "value": 1}]}', "`metrics.name` is not a text"),
        (
            '{"metrics": [{"name": "a", "type": "sum", "value": 1}]}',
            "the type of the metric `a` is not one of counter, timer, gauge",
        ),
        (
            '{"metrics": [{"name": "a", "type": "counter", "value": "many"}]}',
            "the value of the metric `a` is not a number",
        ),
        (
            '{"metrics": [{"name": "a", "type": "counter", "value": NaN}]}',
            "the value of the metric `a` is not a number",
        ),
        (
            '{"metrics": [{"name": "a", "type": "timer", "value": true}]}',
            "the value of the metric `a` is not a duration",
        ),
        (
            '{"metrics": [{"name": "a", "type": "timer", "value": 1e300}]}',
            "the value of the metric `a` is not a duration",
        ),
        ('{"metrics": [{"name": "a", "type": "timer", "value": "soon"}]}', "`soon` is not a duration"),
        (
            '{"metrics": [{"name": "a", "type": "gauge", "value": 1, "tags": {"b": null}}]}',
            "a tag of a metric is not a text",
        ),
        (
            '{"logs": [{"level": "LOUD", "message": "a"}]}',
            "the level of a log entry is not one of TRACE, DEBUG, INFO, WARN, ERROR",
        ),
        ('{"metrics": [{"name": "a", "type": "gauge", "value": "1e999"}]}', "the value of the metric `a` is not a number"),
        (
            '{"metrics": [{"name": "a", "type": "counter", "value": ' + "1" * 400 + "}]}",
            "the value of the metric `a` is not a number",
        ),
        ('{"outputs": {"a": ' + "1" * 5000 + "}}", "a number in it is too long"),
        ('{"logs": [{"level": "INFO"}]}', "`logs.message` is not a text"),
        ('{"logs": [{"message": [1]}]}', "`logs.message` is not a text"),
        ('{"outputs": ' + '{"a":' * 2000 + "1" + "}" * 2001, "it is nested too deeply"),
    ],
)  # fmt: skip
def test_a_faulty_message_counts_for_nothing_and_is_a_warning(
    ctx: PlainContext, lines: ScriptLines, text: str, reason: str
) -> None:
    lines("stdout", f"::{text}::")
    quoted = text if len(text) <= 500 else text[:500] + "…"
    assert ctx.log.lines == [("WARN", f"Invalid outputs '{quoted}': {reason}")]
    assert lines.vars == {}
    assert ctx.metrics == []


def test_nothing_of_a_message_counts_when_a_part_of_it_is_faulty(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stdout", '::{"outputs": {"a": 1}, "metrics": [{"name": "m", "type": "counter", "value": 1}], "logs": 3}::')
    assert (lines.vars, ctx.metrics) == ({}, [])
    assert [level for level, _ in ctx.log.lines] == ["WARN"]


def test_what_a_message_says_beside_the_known_does_not_count_against_it(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stdout", '::{"outputs": {"a": 1}, "assets": [{"id": "x"}], "encryptedOutputs": {"b": 1}}::')
    assert lines.vars == {"a": 1}
    assert ctx.log.lines == [
        ("WARN", "Ignored in a message of the script: `assets`, `encryptedOutputs` (known are outputs, metrics, logs)")
    ]


def test_parts_that_are_null_are_left_out(ctx: PlainContext, lines: ScriptLines) -> None:
    lines("stdout", '::{"outputs": null, "metrics": null, "logs": null}::')
    assert (lines.vars, ctx.metrics, ctx.log.lines) == ({}, [], [])
