"""Triggers and conditions: checked whole, kept as they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.loading import Loaded
from core.model.flow import FlowTrigger

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\ntasks: [{id: a, type: log.Log, message: hi}]\ntriggers:\n"

GOOD = (
    "type: trigger.Schedule, cron: '*/5 9-17 1,15 JAN-MAR MON-FRI'",
    "type: io.kestra.core.models.triggers.types.Schedule, cron: '@hourly', timezone: Europe/Berlin",
    "type: trigger.Schedule, cron: '0 0 * * * 7', withSeconds: true, timezone: '+02:00', lateMaximumDelay: PT5M",
    "type: trigger.Schedule, cron: '0 * * * *', inputs: {d: '{{ trigger.date }}'}, recoverMissedSchedules: LAST",
    "type: trigger.Schedule, cron: '0 * * * *', when: '{{ trigger.date }}', allowConcurrent: true, stopAfter: [FAILED]",
    "type: trigger.ScheduleOnDates, dates: ['2024-02-29T10:00:00Z'], timezone: '{{ inputs.zone }}'",
    "type: trigger.Flow, states: [SUCCESS, PAUSED], inputs: {a: '{{ trigger.outputs.b }}'}, labels: {k: v}",
    "type: trigger.Flow, preconditions: {id: p, flows: [{namespace: n, flowId: o, states: [SUCCESS]}]}",
    "type: trigger.Flow, preconditions: {id: p, timeWindow: {type: SLIDING_WINDOW, window: PT1H}, where: [{id: w, "
    "operand: OR, filters: [{field: STATE, type: IN, values: [FAILED]}, {field: EXPRESSION, type: IS_TRUE}]}]}",
    "type: trigger.Flow, dependsOn: [{flowId: o, when: '{{ outputs.x }}'}], mode: AT_LEAST, minSatisfied: 1, window: "
    "{every: PT1H, offset: PT5M}, fireOnce: true, onMiss: {behavior: FAIL}",
    "type: trigger.Flow, states: [SUBMITTED, BREAKPOINT], conditions: [{type: condition.ExecutionStatus, in: [RESUBMITTED]}]",
    "type: trigger.Schedule, cron: '@daily', when: \"{{ isWeekend(trigger.date) or isPublicHoliday(trigger.date, 'FR') }}\"",
    "type: trigger.Webhook, key: k, wait: true, returnOutputs: true, responseContentType: text/plain",
    "type: trigger.Webhook, key: '{{ flow.id }}', disabled: true, minLogLevel: INFO, logToFile: true",
)
CONDITIONS = (
    "type: condition.Expression, expression: '{{ x }}'",
    "type: io.kestra.core.models.conditions.types.VariableCondition, expression: '{{ x }}'",
    "type: condition.ExecutionOutputs, expression: '{{ trigger.outputs.x }}'",
    "type: io.kestra.plugin.core.condition.ExecutionFlowCondition, namespace: n, flowId: o",
    "type: condition.ExecutionNamespace, namespace: n, comparison: PREFIX",
    "type: condition.ExecutionStatus, in: [FAILED], notIn: [SUCCESS]",
    "type: condition.ExecutionLabels, labels: [{key: a, value: b}]",
    "type: condition.HasRetryAttempt, in: [FAILED]",
    "type: condition.FlowCondition, namespace: n, flowId: o",
    "type: condition.FlowNamespaceCondition, namespace: n, prefix: true",
    "type: condition.MultipleCondition, id: m, window: P1D, conditions: {a: {type: condition.ExecutionStatus}}",
    "type: condition.Not, conditions: [{type: condition.Weekend}]",
    "type: condition.Or, conditions: [{type: condition.Weekend}, {type: condition.DayWeek, dayOfWeek: MONDAY}]",
    "type: condition.DateTimeBetween, after: '2024-02-29T10:00:00+01:00'",
    "type: condition.TimeBetween, before: '16:00:00+01:00', date: '{{ now() }}'",
    "type: condition.DayWeekInMonth, dayOfWeek: MONDAY, dayInMonth: FIRST",
    "type: condition.PublicHoliday, country: FR, subDivision: '{{ x }}'",
)


@pytest.mark.parametrize("written", GOOD)
def test_a_trigger_is_read(written: str, load: Load) -> None:
    warnings = [problem for problem in load(f"{HEAD}- {{id: t, {written}}}").problems if problem.kind != "deprecated"]

    assert warnings == []


@pytest.mark.parametrize("written", CONDITIONS)
def test_a_condition_is_read(written: str, load: Load) -> None:
    loaded = load(f"{HEAD}- {{id: t, type: trigger.Flow, conditions: [{{{written}}}]}}")

    assert [problem for problem in loaded.problems if problem.severity == "error"] == []
    assert loaded.require().triggers[0].id == "t"


def test_a_trigger_is_kept_as_it_is_written(load: Load) -> None:
    flow = load(
        f"{HEAD}- {{id: t, type: trigger.Webhook, key: k, disabled: true}}\n- {{id: u, type: trigger.Webhook, key: l}}"
    ).require()

    assert flow.triggers == (
        FlowTrigger("t", "trigger.Webhook", {"key": "k", "disabled": True}, disabled=True),
        FlowTrigger("u", "trigger.Webhook", {"key": "l"}),
    )
    assert flow.said_of_triggers() == "its triggers (u) are not active: a flow starts when somebody runs it"


def test_nothing_is_said_of_a_flow_without_triggers(load: Load) -> None:
    assert load(HEAD.removesuffix("triggers:\n")).require().said_of_triggers() == ""


CRON = "five fields such as `0 9 * * 1-5`, or @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly"
WRONG = {
    "{id: t, type: trigger.Shedule, cron: x}": """\
flow.yaml:5:17: Invalid type: trigger.Shedule
  to do: did you mean `trigger.Schedule`?""",
    "{id: t, type: log.Lgo}": """\
flow.yaml:5:17: Invalid type: log.Lgo
  to do: `plugins list` shows every type there is""",
    "{id: t, type: trigger.Flow, conditions: [{type: log.Lgo}]}": """\
flow.yaml:5:51: there is no type `log.Lgo`
  to do: `plugins list` shows every type there is""",
    "{id: t, type: trigger.Flow, conditions: [{type: condition.Weekends}]}": """\
flow.yaml:5:51: there is no type `condition.Weekends`
  to do: did you mean `condition.Weekend`?""",
    "{id: t, type: log.Log, cron: x}": """\
flow.yaml:5:17: Invalid type: log.Log is not a trigger
  expected: the type of a trigger, such as trigger.Schedule""",
    "{id: t, type: trigger.Flow, preconditions: {id: p, timeWindow: '{{ vars.window }}'}}": """\
flow.yaml:5:66: this can't come out of an expression
  expected: a map (time window)
  to do: write it out""",
    "{id: t, type: trigger.Flow, conditions: ['{{ vars.one }}']}": """\
flow.yaml:5:44: this can't come out of an expression
  expected: a condition (a map with a `type`)
  to do: write it out""",
    "{id: t, key: x}": """\
flow.yaml:5:3: Invalid type: null
  expected: the type of a trigger, such as trigger.Schedule
  to do: add `type: …` to the trigger""",
    "{type: trigger.Webhook, key: x}": """\
flow.yaml:5:3: `id` is missing
  expected: letters, digits, `_` and `-`, beginning with a letter or digit
  to do: add `id: my_trigger`""",
    "{id: t, type: trigger.Webhook}": """\
flow.yaml:5:3: `key` is missing
  expected: a text""",
    "{id: t, type: trigger.Webhook, key: x, workerGroup: {key: y}}": """\
flow.yaml:5:42: `workerGroup` is refused: Worker Group is an Enterprise Edition functionality of the reference
  to do: remove `workerGroup`""",
    "{id: t, type: trigger.Webhook, key: x, labels: {system.a: y}}": """\
flow.yaml:5:51: System labels can only be set by Kestra itself, offending label: system.a=y
  expected: a key that does not begin with `system.`""",
    f"{{id: t, type: trigger.Webhook, key: {'x' * 257}}}": """\
flow.yaml:5:39: it has 257 characters
  expected: at most 256""",
    "{id: t, type: trigger.Webhook, key: x, conditions: [{type: condition.MultipleCondition, id: m, conditions: {}}]}": """\
flow.yaml:5:55: invalid webhook: conditions of type MultipleCondition are not supported""",
    "{id: t, type: trigger.Schedule, cron: '* * *'}": f"""\
flow.yaml:5:41: invalid cron expression '* * *': it has 3 fields, not 5
  expected: {CRON}""",
    "{id: t, type: trigger.Schedule, cron: '60 * * * *'}": f"""\
flow.yaml:5:41: invalid cron expression '60 * * * *': the minute `60` is wrong: `60` is not between 0 and 59
  expected: {CRON}""",
    "{id: t, type: trigger.Schedule, cron: '0 9 * * *', inputs: {a: '{{ b }}'}, timezone: Europe/Berln}": """\
flow.yaml:5:88: timezone '(Europe/Berln)' is not a valid time-zone ID
  expected: a name such as Europe/Berlin""",
    "{id: t, type: trigger.Flow, states: [DONE]}": """\
flow.yaml:5:40: `DONE` is not one of CREATED, QUEUED, RUNNING, PAUSED, RETRYING, RETRIED, RESTARTED, KILLING, SUCCESS, \
WARNING, FAILED, KILLED, CANCELLED, SKIPPED, SUBMITTED, BREAKPOINT, RESUBMITTED""",
    "{id: t, type: trigger.Flow, conditions: [{type: condition.Nott}]}": """\
flow.yaml:5:51: there is no type `condition.Nott`
  to do: did you mean `condition.Not`?""",
    "{id: t, type: trigger.Flow, conditions: [{type: trigger.Flow}]}": """\
flow.yaml:5:51: `trigger.Flow` is not a condition""",
    "{id: t, type: trigger.Flow, conditions: [{type: condition.DateTimeBetween}]}": """\
flow.yaml:5:44: neither `after` nor `before` is given
  expected: one of them, or both""",
    "{id: t, type: trigger.Flow, preconditions: {id: p, timeWindow: {type: DAILY_TIME_DEADLINE, window: PT1H}}}": """\
flow.yaml:5:66: Time window of type `DAILY_TIME_DEADLINE` must have a deadline.
  expected: `deadline`""",
    "{id: t, type: trigger.Flow, preconditions: {id: p, where: [{id: w, filters: [{field: STATE, type: IN, value: x}]}]}}": """\
flow.yaml:5:80: a filter of type `IN` must have `values`
  expected: a list""",
    "{id: t, type: trigger.Flow, dependsOn: [{states: [SUCCESS]}]}": """\
flow.yaml:5:43: it names neither a flow nor a namespace
  expected: `flowId` or `namespace`""",
    "{id: t, type: trigger.Flow, window: {from: '09:00'}}": """\
flow.yaml:5:39: `from` and `to` belong together
  expected: both of them""",
    "{id: t, type: trigger.Flow, mode: AT_LEAST}": """\
flow.yaml:5:37: `minSatisfied` and `mode: AT_LEAST` belong together
  expected: both of them""",
    "{id: t, type: trigger.Flow, inputs: {a: '{{ b'}}": """\
flow.yaml:5:43: `{{` is never closed
    {{ b
    ^
  expected: `}}`""",
}


@pytest.mark.parametrize(("written", "message"), WRONG.items(), ids=list(WRONG))
def test_what_is_wrong_with_a_trigger_is_said_with_its_place(written: str, message: str, load: Load) -> None:
    loaded = load(f"{HEAD}- {written}\n")

    assert str(loaded.problems[0]) == message
    assert loaded.flow is None


def test_schedule_conditions_are_about_dates(load: Load) -> None:
    wrong = "scheduleConditions: [{type: condition.Weekend}, {type: condition.ExecutionStatus}]"
    loaded = load(f"{HEAD}- {{id: t, type: trigger.Schedule, cron: '@daily', {wrong}}}")

    assert [str(problem) for problem in loaded.problems if problem.severity == "error"] == [
        "flow.yaml:5:99: `condition.ExecutionStatus` can't be asked of a date\n"
        "  expected: one of condition.DateTimeBetween, condition.DayWeek, condition.DayWeekInMonth, "
        "condition.ExecutionOutputs, condition.Expression, condition.Not, condition.Or, condition.PublicHoliday, "
        "condition.TimeBetween, condition.Weekend"
    ]


def test_ids_of_triggers_are_unique(load: Load) -> None:
    one = "- {id: t, type: trigger.Webhook, key: x}\n"

    assert [str(problem) for problem in load(HEAD + one + one).problems] == [
        "flow.yaml:6:8: Duplicate trigger id with name [t]\n  expected: an id that no other has"
    ]
