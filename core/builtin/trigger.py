"""What starts flows by itself: by the clock, after other flows, by a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import available_timezones

from core.builtin.condition import MultipleCondition
from core.builtin.cron import NICKNAMES, wrong_with_cron
from core.builtin.windows import TimeWindow, Window
from core.sdk.properties import Described, prop
from core.sdk.triggers import Condition, Fault, KnownState, Trigger, faults_of

Missed = Literal["ALL", "LAST", "NONE"]
_OFFSET = r"Z|(?:UTC|GMT|UT)?[+-][0-9]{1,2}(?::?[0-9]{2})?"
_LONGEST_KEY = 256
_FOR_MANY, _FOR_NONE = ("IN", "NOT_IN"), ("IS_TRUE", "IS_FALSE", "IS_NULL", "IS_NOT_NULL")
_OF_SCHEDULES = tuple(
    f"condition.{name}" for name in (
        "DateTimeBetween", "DayWeek", "DayWeekInMonth", "ExecutionOutputs", "Expression", "Not", "Or", "PublicHoliday",
        "TimeBetween", "Weekend",
    )
)  # fmt: skip


class Backfill(Described):
    """Where an older server begins to make up for what it missed."""

    start: datetime | None = prop("From when on.", default=None, render=False)


class Schedule(
    Trigger,
    type="trigger.Schedule",
    aliases=("io.kestra.plugin.core.trigger.Schedule", "io.kestra.core.models.triggers.types.Schedule"),
):
    """Start a flow by the clock, as cron does."""

    cron: str = prop("Five fields, or six with seconds, or a nickname such as `@daily`.", render=False)
    with_seconds: bool = prop("The first of six fields is the second.", default=False, render=False)
    timezone: str | None = prop("Whose clock; the machine's when not given.", default=None, render=False)
    inputs: dict[str, Any] = prop("Inputs of the executions it starts.", factory=dict)
    late_maximum_delay: timedelta | None = prop("Later than this it does not start.", default=None, render=False)
    recover_missed_schedules: Missed | None = prop("What is made up for after a stop.", default=None, render=False)
    schedule_conditions: list[Condition] = prop("Conditions on the date.", factory=list, deprecated="use `conditions`")
    backfill: Backfill | None = prop("Where to begin.", default=None, deprecated="a backfill that a person starts")

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if isinstance(self.schedule_conditions, list):
            yield from faults_of(self.schedule_conditions, ("scheduleConditions",))
            for at, condition in enumerate(self.schedule_conditions):
                if isinstance(condition, Condition) and condition.type not in _OF_SCHEDULES:
                    what = f"`{condition.type}` can't be asked of a date"
                    yield Fault(("scheduleConditions", at), what, f"one of {', '.join(_OF_SCHEDULES)}")
        why = wrong_with_cron(self.cron, with_seconds=self.with_seconds)
        if why:
            fields = "six fields" if self.with_seconds else "five fields"
            expected = f"{fields} such as `{'0 ' if self.with_seconds else ''}0 9 * * 1-5`, or {', '.join(NICKNAMES)}"
            yield Fault(("cron",), f"invalid cron expression '{self.cron}': {why}", expected)
        yield from _wrong_zone(self.timezone)


class ScheduleOnDates(
    Trigger, type="trigger.ScheduleOnDates", aliases=("io.kestra.plugin.core.trigger.ScheduleOnDates",)
):
    """Start a flow on given dates."""

    dates: list[datetime] = prop("When.")
    timezone: str | None = prop("Whose clock; the machine's when not given.", default=None)
    inputs: dict[str, Any] = prop("Inputs of the executions it starts.", factory=dict)
    recover_missed_schedules: Missed | None = prop("What is made up for after a stop.", default=None, render=False)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        yield from _wrong_zone(self.timezone)


class UpstreamFlow(Described):
    """A flow whose executions count."""

    namespace: str = prop("Its namespace.", render=False)
    flow_id: str | None = prop("Its id; every flow of the namespace when not given.", default=None, render=False)
    states: list[KnownState] = prop("States that count.", factory=list, render=False)
    labels: dict[str, Any] = prop("Labels the execution has to have.", factory=dict)


class Filter(Described):
    """One thing that has to be true of an upstream execution."""

    field: Literal["FLOW_ID", "NAMESPACE", "STATE", "EXPRESSION"] = prop("What is looked at.", render=False)
    type_: Literal[
        "EQUAL_TO", "NOT_EQUAL_TO", "IN", "NOT_IN", "IS_TRUE", "IS_FALSE", "IS_NULL", "IS_NOT_NULL", "STARTS_WITH",
        "ENDS_WITH", "REGEX", "CONTAINS",
    ] = prop("How it is compared.", name="type", render=False)  # fmt: skip
    value: Any = prop("What it is compared with.", default=None)
    values: list[Any] | None = prop("What it is compared with, for IN and NOT_IN.", default=None)

    def faults(self, path: tuple[str | int, ...]) -> Iterator[Fault]:
        """`values` only where several are meant, no `value` where none is."""
        many, none = self.type_ in _FOR_MANY, self.type_ in _FOR_NONE
        if many and self.values is None:
            yield Fault(path, f"a filter of type `{self.type_}` must have `values`", "a list")
        if not many and self.values is not None:
            yield Fault((*path, "values"), f"a filter of type `{self.type_}` cannot have `values`", "`value`")
        if (many or none) and self.value is not None:
            yield Fault((*path, "value"), f"a filter of type `{self.type_}` cannot have a `value`")
        if not (many or none) and self.value is None:
            yield Fault(path, f"a filter of type `{self.type_}` must have a `value`", "a text")


class Filters(Described):
    """Filters of which all (AND) or any (OR) have to be true."""

    id: str = prop("Its name.", render=False)
    operand: Literal["AND", "OR"] = prop("Whether all or any.", default="AND", render=False)
    filters: list[Filter] = prop("What has to be true.")


class Preconditions(Described):
    """Executions of other flows that must have happened, within a span of time."""

    id: str = prop("Its name.", render=False)
    time_window: TimeWindow = prop("Within which span.", factory=TimeWindow)
    reset_on_success: bool = prop("Begins anew after it has started a flow.", default=True, render=False)
    flows: list[UpstreamFlow] = prop("Which flows.", factory=list)
    where: list[Filters] = prop("Which executions, by filters.", factory=list)

    def faults(self) -> Iterator[Fault]:
        """Of the window and of all filters."""
        path: tuple[str | int, ...] = ("preconditions",)
        yield from self.time_window.faults((*path, "timeWindow"))
        for at, where in enumerate(self.where):
            for filter_at, one in enumerate(where.filters):
                yield from one.faults((*path, "where", at, "filters", filter_at))


class Dependency(Described):
    """A flow that this one depends on; the 2.x dialect's word."""

    flow_id: str | None = prop("Its id.", default=None, render=False)
    namespace: str | None = prop("Its namespace.", default=None, render=False)
    states: list[KnownState] = prop("States that count.", factory=list, render=False)
    labels: dict[str, Any] = prop("Labels the execution has to have.", factory=dict)
    when: str | None = prop("Counts only when this renders to something else than nothing and false.", default=None)


class OnMiss(Described):
    """What happens when the span of time ends and not all has happened."""

    behavior: Literal["FAIL"] = prop("A failed execution is created.", default="FAIL", render=False)
    labels: dict[str, Any] = prop("Labels of that execution.", factory=dict)


class Flow(
    Trigger,
    type="trigger.Flow",
    aliases=("io.kestra.plugin.core.trigger.Flow", "io.kestra.core.models.triggers.types.Flow"),
):
    """Start a flow after executions of other flows."""

    inputs: dict[str, Any] = prop("Inputs of the executions it starts; they see `trigger.outputs`.", factory=dict)
    states: list[KnownState] = prop("States of the other execution that count.", factory=list, render=False)
    preconditions: Preconditions | None = prop("Several executions that must have happened.", default=None)
    depends_on: list[Dependency] = prop("Flows this one depends on; the 2.x word for `preconditions`.", factory=list)
    mode: Literal["ALL", "ANY", "AT_LEAST"] = prop("How many of `dependsOn`.", default="ALL", render=False)
    min_satisfied: int | None = prop("How many, with `AT_LEAST`.", default=None, render=False)
    window: Window | None = prop("Within which span `dependsOn` counts.", default=None)
    fire_once: bool = prop("At most once in a span.", default=False, render=False)
    on_miss: OnMiss | None = prop("What happens when the span ends too early.", default=None)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if isinstance(self.preconditions, Preconditions):
            yield from self.preconditions.faults()
        if isinstance(self.window, Window):
            yield from self.window.faults(("window",))
        for at, one in enumerate(self.depends_on if isinstance(self.depends_on, list) else ()):
            if isinstance(one, Dependency) and one.flow_id is None and one.namespace is None:
                yield Fault(("dependsOn", at), "it names neither a flow nor a namespace", "`flowId` or `namespace`")
        if (self.mode == "AT_LEAST") is not (self.min_satisfied is not None):
            yield Fault(("mode",), "`minSatisfied` and `mode: AT_LEAST` belong together", "both of them")


class Webhook(
    Trigger,
    type="trigger.Webhook",
    aliases=("io.kestra.plugin.core.trigger.Webhook", "io.kestra.core.models.triggers.types.Webhook"),
):
    """Start a flow by a request over HTTP."""

    key: str = prop("A secret part of its URL, at most 256 characters.")
    inputs: dict[str, Any] = prop("Inputs of the executions it starts.", factory=dict)
    wait: bool = prop("Answer after the execution has ended.", default=False, render=False)
    return_outputs: bool = prop("Answer with the flow's outputs; only with `wait`.", default=False, render=False)
    response_content_type: Literal["application/json", "text/plain"] | None = prop(
        "Content type of the answer.", default=None, render=False
    )
    response_code: int | None = prop("Status of the answer.", default=None)

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if len(self.key) > _LONGEST_KEY:
            yield Fault(("key",), f"it has {len(self.key)} characters", f"at most {_LONGEST_KEY}")
        for at, condition in enumerate(self.conditions if isinstance(self.conditions, list) else ()):
            if isinstance(condition, MultipleCondition):
                what = "invalid webhook: conditions of type MultipleCondition are not supported"
                yield Fault(("conditions", at), what)


def _wrong_zone(zone: str | None) -> Iterator[Fault]:
    if zone is None or "{{" in zone or re.fullmatch(_OFFSET, zone) or zone in available_timezones():
        return
    yield Fault(("timezone",), f"timezone '({zone})' is not a valid time-zone ID", "a name such as Europe/Berlin")
