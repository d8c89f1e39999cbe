"""What must hold before a trigger starts its flow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any, Literal

from core.builtin.windows import TimeWindow
from core.sdk.properties import prop
from core.sdk.triggers import Condition, Fault, KnownState, faults_of

Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
_DATE = "{{ trigger.date }}"


def _old(name: str) -> tuple[str, ...]:
    """All names of a condition: today's, the one with `Condition` behind it, and that of an older package."""
    today, older = "io.kestra.plugin.core.condition", "io.kestra.core.models.conditions.types"
    return (f"{today}.{name}", f"{today}.{name}Condition", f"{older}.{name}Condition")


def _quoted(text: str) -> str:
    """A text as the expression language writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Expression(
    Condition,
    type="condition.Expression",
    aliases=(
        "io.kestra.plugin.core.condition.Expression",
        "io.kestra.plugin.core.condition.ExpressionCondition",
        "io.kestra.core.models.conditions.types.VariableCondition",
    ),
):
    """Holds when an expression gives something else than nothing and `false`."""

    expression_: str = prop("The expression.", name="expression")

    def expression(self) -> str:
        written = self.expression_.strip()
        inner = written[2:-2].strip()
        if written.startswith("{{") and written.endswith("}}") and "{{" not in inner and "}}" not in inner:
            return f"not (['', 'false'] contains ((({inner}) ~ '') | trim))"
        if "{{" not in written and "{%" not in written:
            return "false" if written in ("", "false") else "true"
        return super().expression()


class ExecutionOutputs(Condition, type="condition.ExecutionOutputs", aliases=_old("ExecutionOutputs")):
    """Holds when an expression over `trigger.outputs` gives something else than nothing and `false`."""

    expression_: str = prop("The expression.", name="expression")


class ExecutionFlow(Condition, type="condition.ExecutionFlow", aliases=_old("ExecutionFlow")):
    """Holds for executions of one flow."""

    namespace: str = prop("Its namespace.", render=False)
    flow_id: str = prop("Its id.", render=False)

    def expression(self) -> str:
        return f"(flow.namespace == {_quoted(self.namespace)} and flow.id == {_quoted(self.flow_id)})"


class ExecutionNamespace(Condition, type="condition.ExecutionNamespace", aliases=_old("ExecutionNamespace")):
    """Holds for executions of the flows of a namespace."""

    namespace: str = prop("The namespace, or how it begins or ends.", render=False)
    comparison: Literal["EQUALS", "PREFIX", "SUFFIX"] | None = prop(
        "How it is compared; `EQUALS` when neither this nor `prefix` is given.", default=None, render=False
    )
    prefix: bool = prop("The same as the comparison `PREFIX`.", default=False, render=False)

    def expression(self) -> str:
        how = self.comparison or ("PREFIX" if self.prefix else "EQUALS")
        return _namespace(self.namespace, how)


class ExecutionStatus(Condition, type="condition.ExecutionStatus", aliases=_old("ExecutionStatus")):
    """Holds for executions in some states."""

    in_: list[KnownState] | None = prop("States that count.", default=None, render=False)
    not_in: list[KnownState] | None = prop("States that do not count.", default=None, render=False)

    def expression(self) -> str:
        wanted = f"{json.dumps(self.in_)} contains execution.state" if self.in_ is not None else "true"
        other = f"not ({json.dumps(self.not_in)} contains execution.state)" if self.not_in is not None else "true"
        return f"({wanted} and {other})"


class ExecutionLabels(Condition, type="condition.ExecutionLabels", aliases=_old("ExecutionLabels")):
    """Holds for executions with some labels."""

    labels: Any = prop("Labels it must have: a map, or a list of `key` and `value`.")

    def expression(self) -> str:
        listed = self.labels.items() if isinstance(self.labels, dict) else map(dict.values, self.labels)
        tests = [f"(labels[{_quoted(str(key))}] ?? null) == {_quoted(str(value))}" for key, value in listed]
        return f"({' and '.join(tests) or 'true'})"

    def faults(self) -> Iterator[Fault]:
        maps = isinstance(self.labels, list) and all(
            isinstance(one, dict) and one.keys() == {"key", "value"} for one in self.labels
        )
        if not (maps or isinstance(self.labels, (dict, str))):
            yield Fault(("labels",), "these are not labels", "a map, or a list of `key` and `value`")


class HasRetryAttempt(Condition, type="condition.HasRetryAttempt", aliases=_old("HasRetryAttempt")):
    """Holds for executions with a task that was tried again, by the states of its attempts."""

    in_: list[KnownState] | None = prop("States that count.", default=None, render=False)
    not_in: list[KnownState] | None = prop("States that do not count.", default=None, render=False)


class FlowCondition(
    Condition,
    type="condition.FlowCondition",
    aliases=(
        "io.kestra.plugin.core.condition.FlowCondition",
        "io.kestra.core.models.conditions.types.FlowCondition",
    ),
):
    """Holds in one flow (deprecated: use `condition.ExecutionFlow`)."""

    namespace: str = prop("Its namespace.", render=False)
    flow_id: str = prop("Its id.", render=False)

    def expression(self) -> str:
        return f"(flow.namespace == {_quoted(self.namespace)} and flow.id == {_quoted(self.flow_id)})"


class FlowNamespaceCondition(
    Condition,
    type="condition.FlowNamespaceCondition",
    aliases=(
        "io.kestra.plugin.core.condition.FlowNamespaceCondition",
        "io.kestra.core.models.conditions.types.FlowNamespaceCondition",
    ),
):
    """Holds in the flows of a namespace (deprecated: use `condition.ExecutionNamespace`)."""

    namespace: str = prop("The namespace.", render=False)
    prefix: bool = prop("Also those below it.", default=False, render=False)

    def expression(self) -> str:
        return _namespace(self.namespace, "PREFIX" if self.prefix else "EQUALS")


class MultipleCondition(
    Condition,
    type="condition.MultipleCondition",
    aliases=(
        "io.kestra.plugin.core.condition.MultipleCondition",
        "io.kestra.core.models.conditions.types.MultipleCondition",
    ),
):
    """Holds when each of several conditions held within a span of time (deprecated: use `preconditions`)."""

    id: str = prop("Its name.", render=False)
    conditions: dict[str, Condition] = prop("Conditions by name.")
    time_window: TimeWindow | None = prop("Within which span.", default=None)
    reset_on_success: bool = prop("Begins anew after it has held.", default=True, render=False)
    window: timedelta | None = prop("Length of the span.", default=None, deprecated="use `timeWindow`", render=False)
    window_advance: timedelta | None = prop(
        "By how much it is shifted.", default=None, deprecated="use `timeWindow`", render=False
    )

    def faults(self) -> Iterator[Fault]:
        if isinstance(self.time_window, TimeWindow):
            yield from self.time_window.faults(("timeWindow",))
        for name, condition in self.conditions.items() if isinstance(self.conditions, dict) else ():
            for fault in condition.faults():
                yield Fault(("conditions", name, *fault.path), fault.message, fault.expected)


class Not(Condition, type="condition.Not", aliases=_old("Not")):
    """Holds when none of its conditions does."""

    conditions: list[Condition] = prop("Conditions of which none may hold.")

    def expression(self) -> str:
        return f"not ({' or '.join(one.expression() for one in self.conditions) or 'false'})"

    def faults(self) -> Iterator[Fault]:
        yield from faults_of(self.conditions, ("conditions",))


class Or(Condition, type="condition.Or", aliases=_old("Or")):
    """Holds when any of its conditions does."""

    conditions: list[Condition] = prop("Conditions of which one must hold.")

    def expression(self) -> str:
        return f"({' or '.join(one.expression() for one in self.conditions) or 'false'})"

    def faults(self) -> Iterator[Fault]:
        yield from faults_of(self.conditions, ("conditions",))


class DateTimeBetween(Condition, type="condition.DateTimeBetween", aliases=_old("DateTimeBetween")):
    """Holds between two dates."""

    date: str = prop("The date that is looked at.", default=_DATE)
    after: datetime | None = prop("It must be later.", default=None)
    before: datetime | None = prop("It must be earlier.", default=None)

    def faults(self) -> Iterator[Fault]:
        yield from _wrong_span(self.after, self.before)


class TimeBetween(Condition, type="condition.TimeBetween", aliases=_old("TimeBetween")):
    """Holds between two times of the day."""

    date: str = prop("The date that is looked at.", default=_DATE)
    after: time | None = prop("It must be later.", default=None)
    before: time | None = prop("It must be earlier.", default=None)

    def faults(self) -> Iterator[Fault]:
        yield from _wrong_span(self.after, self.before)


class DayWeek(Condition, type="condition.DayWeek", aliases=_old("DayWeek")):
    """Holds on one day of the week."""

    date: str = prop("The date that is looked at.", default=_DATE)
    day_of_week: Day = prop("Which day.")


class DayWeekInMonth(Condition, type="condition.DayWeekInMonth", aliases=_old("DayWeekInMonth")):
    """Holds on the first, second, … or last such day of a month."""

    date: str = prop("The date that is looked at.", default=_DATE)
    day_of_week: Day = prop("Which day.")
    day_in_month: Literal["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"] = prop("Which of them.")


class Weekend(Condition, type="condition.Weekend", aliases=_old("Weekend")):
    """Holds on Saturdays and Sundays."""

    date: str = prop("The date that is looked at.", default=_DATE)


class PublicHoliday(Condition, type="condition.PublicHoliday", aliases=_old("PublicHoliday")):
    """Holds on public holidays."""

    date: str = prop("The date that is looked at.", default=_DATE)
    country: str | None = prop("Two letters; the machine's own when not given.", default=None)
    sub_division: str | None = prop("Part of the country.", default=None)


def _namespace(namespace: str, how: str) -> str:
    test = {"PREFIX": "flow.namespace | startsWith", "SUFFIX": "flow.namespace | endsWith"}.get(how)
    return f"({test}({_quoted(namespace)}))" if test else f"(flow.namespace == {_quoted(namespace)})"


def _wrong_span(after: object, before: object) -> Iterator[Fault]:
    if after is None and before is None:
        yield Fault((), "neither `after` nor `before` is given", "one of them, or both")
