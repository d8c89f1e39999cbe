"""What lists are asked for, as conditions: what each means for a row, and which index has its rows in order."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import Invalid
from core.host.views import ExecutionFilter, OutputFilter, SummaryCondition
from core.model.state import STATES, STATUSES, states_of
from core.records.database import Database
from core.records.texts import in_namespaces, marks

MAX_BRANCHES = 128
"""Values of one condition whose rows are merged in order; of more the rows are looked at one by one."""
MAX_SEARCH = 200
"""Characters of what is searched for."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_BOOLEANS = {"true": 1.0, "false": 0.0}


class Branch(NamedTuple):
    """The rows of one value: `where` on a table that has their `seq`, which an index gives in order.

    of_organization: `where` says already whose rows they are.
    """

    table: str
    seq: str
    where: str
    values: tuple[Any, ...]
    of_organization: bool = False


class Clause(NamedTuple):
    """check: on a row `t`, with values. branches: where its rows are found; none when no index has them.

    ordered: the index of each branch has them by `seq`; else they are sorted, for which they must be few.
    exact: the branches have no others. apart: no row is in two of them.
    """

    check: str
    values: tuple[Any, ...] = ()
    branches: tuple[Branch, ...] = ()
    ordered: bool = True
    exact: bool = True
    apart: bool = True


class Dates(NamedTuple):
    """Of when rows are, in microseconds; the second of each pair is not within."""

    created: tuple[int | None, int | None] = (None, None)
    updated: tuple[int | None, int | None] = (None, None)


NOT_DELETED = Clause("t.deleted_at IS NULL")


class Side(NamedTuple):
    """A table of pairs beside the rows. place: its column with the `seq` of the row."""

    table: str
    owner: str
    place: str


TAGS = Side("tags", "task_execution_id", "task_execution_seq")
LABELS = Side("labels", "flow_execution_id", "execution_seq")


def output_conditions(database: Database, organization: str, which: OutputFilter) -> list[Clause]:
    """Those whose index is the most likely to have few rows come first. Raises Invalid."""
    table = "task_executions"
    found = _of_executions(database, organization, which.flow_execution_id)
    found += [_summary(one) for one in which.summary]
    found += [one for pair in which.tag_all for one in _pairs(TAGS, (pair,))]
    found += _pairs(TAGS, which.tag)
    found += _any_of(table, "modified_by", which.modified_by, common="system")
    found += _of_status(table, which.status)
    found += _any_of(table, "state", _known(which.state, STATES, "state"), common="SUCCESS")
    found += _any_of(table, "task_name", which.task_name)
    found += _of_flows(database, table, organization, which.namespace, which.flow_id)
    return found + _between(_output_dates(which)) + _search(database, which.search)


def execution_conditions(database: Database, organization: str, which: ExecutionFilter) -> list[Clause]:
    """As `output_conditions`."""
    table = "flow_executions"
    found = _pairs(LABELS, which.label)
    found += _of_status(table, which.status)
    found += _any_of(table, "state", _known(which.state, STATES, "state"), common="SUCCESS")
    found += _of_flows(database, table, organization, which.namespace, which.flow_id)
    return found + _between(Dates((which.created_after, which.created_before)))


def numeric(path: str) -> Clause:
    """With a number at a path of its summary."""
    part = "path = ? AND text IS NULL AND number IS NOT NULL"
    return _has_value((Branch("summary_values", "task_execution_seq", part, (path,)),), ordered=False)


def dates_of(which: OutputFilter | ExecutionFilter) -> Dates:
    if isinstance(which, OutputFilter):
        return _output_dates(which)
    return Dates((which.created_after, which.created_before))


def number_of(text: str) -> float | None:
    """What a value of a filter is as a number, None when it is none."""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _output_dates(which: OutputFilter) -> Dates:
    return Dates((which.created_after, which.created_before), (which.updated_after, which.updated_before))


def _any_of(table: str, column: str, given: Sequence[str], common: str = "") -> list[Clause]:
    """common: the value of most rows, which the index leaves out."""
    if not given:
        return []
    values = tuple(dict.fromkeys(given))
    rare = f" AND {column} <> '{common}'" if common else ""
    branches = tuple(Branch(table, "seq", f"{column} = ?{rare}", (value,)) for value in values)
    served = len(branches) <= MAX_BRANCHES and common not in values
    return [Clause(f"t.{column} IN ({marks(values)})", values, branches if served else ())]


def _of_status(table: str, given: Sequence[str]) -> list[Clause]:
    """Conditions on the status as it is computed; without one that what was deleted is left out."""
    statuses = tuple(dict.fromkeys(_known(given, STATUSES, "status")))
    stale = table == "task_executions"
    parts: list[str] = []
    bound: list[str] = []
    branches: list[Branch] = []
    for status in statuses:
        if status == "deleted":
            parts.append("t.deleted_at IS NOT NULL")
            branches.append(Branch(table, "seq", "deleted_at IS NOT NULL", ()))
        elif status != "stale":
            states = states_of(status)
            fresh = "t.stale_since IS NULL AND " if stale else ""
            parts.append(f"(t.deleted_at IS NULL AND {fresh}t.state IN ({marks(states)}))")
            bound += states
            branches += (Branch(table, "seq", "state = ? AND state <> 'SUCCESS'", (state,)) for state in states)
        elif stale:
            parts.append("(t.deleted_at IS NULL AND t.stale_since IS NOT NULL)")
            branches.append(Branch(table, "seq", "stale_since IS NOT NULL", ()))
        else:  # an execution is never stale
            parts.append("t.seq IS NULL")
    found = [] if "deleted" in statuses else [NOT_DELETED]
    if statuses:
        served = bool(branches) and "completed" not in statuses
        check = f"({' OR '.join(parts)})"
        found.append(Clause(check, tuple(bound), tuple(branches) if served else (), exact=False, apart=False))
    return found


def _of_executions(database: Database, organization: str, given: Sequence[str]) -> list[Clause]:
    """Of which executions: those of them that are the organization's. The rows of very many are sorted."""
    if not given:
        return []
    wanted = tuple(dict.fromkeys(given))
    # Asked for both, SQLite would rather look through the whole organization than for a dozen ids.
    rows = database.select(f"SELECT id, organization_id FROM flow_executions WHERE id IN ({marks(wanted)})", wanted)
    values = tuple(one for one, owner in rows if owner == organization) or ("",)
    whole = f"flow_execution_id IN ({marks(values)})"
    each = [("flow_execution_id = ?", (one,)) for one in values] if len(values) <= MAX_BRANCHES else [(whole, values)]
    branches = tuple(Branch("task_executions", "seq", where, bound, of_organization=True) for where, bound in each)
    return [Clause(f"t.{whole}", values, branches)]


def _of_flows(
    database: Database, table: str, organization: str, namespaces: Sequence[str], flow_ids: Sequence[str]
) -> list[Clause]:
    """Of which namespaces and flows: of those there are, the index has the rows of each."""
    parts: list[str] = []
    values: tuple[Any, ...] = ()
    if namespaces:
        part, values = in_namespaces(namespaces)
        parts.append(part)
    if flow_ids:
        wanted = tuple(dict.fromkeys(flow_ids))
        parts.append(f"flow_id IN ({marks(wanted)})")
        values = (*values, *wanted)
    if not parts:
        return []
    where = " AND ".join(parts)
    sql = f"SELECT namespace, flow_id FROM flow_places WHERE organization_id = ? AND {where} LIMIT ?"
    places = database.select(sql, (organization, *values, MAX_BRANCHES + 1)) or [("", "")]
    branches = tuple(Branch(table, "seq", "namespace = ? AND flow_id = ?", place) for place in places)
    check = where.replace("namespace", "t.namespace").replace("flow_id IN", "t.flow_id IN")
    return [Clause(check, values, branches if len(branches) <= MAX_BRANCHES else ())]


def _pairs(side: Side, given: Sequence[str]) -> list[Clause]:
    """Rows with one of some pairs, `key` or `key:value`."""
    if not given:
        return []
    parts: list[str] = []
    bound: list[str] = []
    branches: list[Branch] = []
    for text in dict.fromkeys(given):
        key, colon, value = text.partition(":")
        part, values = ("key = ? AND value = ?", (key, value)) if colon else ("key = ?", (key,))
        parts.append(f"({part})")
        bound += values
        branches.append(Branch(side.table, side.place, part, values))
    check = f"EXISTS (SELECT 1 FROM {side.table} p WHERE p.{side.owner} = t.id AND ({' OR '.join(parts)}))"
    served = len(branches) <= MAX_BRANCHES
    return [Clause(check, tuple(bound), tuple(branches) if served else (), apart=False)]


def _summary(one: SummaryCondition) -> Clause:
    """A number is compared with numbers; with texts only whether they are the same."""
    table, place, number = "summary_values", "task_execution_seq", number_of(one.value)
    if one.operator == "=":
        is_text, is_number = "path = ? AND text = ?", "path = ? AND text IS NULL AND number = ?"
        branches = [Branch(table, place, is_text, (one.path, one.value))]
        branches += [Branch(table, place, is_number, (one.path, number))] if number is not None else []
        return _has_value(tuple(branches), ordered=True)
    if one.operator == "!=":  # what is below it and what is above, since an index would be read past the value itself
        parts: list[tuple[str, tuple[Any, ...]]] = [("text < ?", (one.value,)), ("text > ?", (one.value,))]
        if number is None:
            parts.append(("text IS NULL", ()))
        else:
            parts += [(f"text IS NULL AND number {part}", (number,)) for part in ("< ?", "> ?")]
            parts.append(("text IS NULL AND number IS NULL", ()))
        branches = [Branch(table, place, f"path = ? AND {part}", (one.path, *values)) for part, values in parts]
        return _has_value(tuple(branches), ordered=False)
    if number is None:
        raise Invalid(
            f"`{one.path}` can't be compared by `{one.operator}` with `{one.value}`", expected="a number",
            hint="texts are compared by `=` and `!=`",
        )  # fmt: skip
    part = f"path = ? AND text IS NULL AND number {one.operator} ?"
    return _has_value((Branch(table, place, part, (one.path, number)),), ordered=False)


def _has_value(branches: tuple[Branch, ...], *, ordered: bool) -> Clause:
    parts = " OR ".join(f"({branch.where})" for branch in branches)
    check = f"EXISTS (SELECT 1 FROM summary_values v WHERE v.task_execution_id = t.id AND ({parts}))"
    return Clause(check, tuple(value for branch in branches for value in branch.values), branches, ordered)


def _search(database: Database, text: str) -> list[Clause]:
    """In any case of letters in what a list shows of each row; last, since no index has it."""
    if not text:
        return []
    if len(text) > MAX_SEARCH:
        raise Invalid("the text to search for is too long", expected=f"at most {MAX_SEARCH} characters")
    check, value = database.any_case(text)
    columns = ("t.task_name", "t.value", "t.output_preview")
    return [Clause(f"({' OR '.join(map(check.format, columns))})", (value,) * len(columns))]


def _between(dates: Dates) -> list[Clause]:
    found = []
    for column, (after, before) in (("created_at", dates.created), ("updated_at", dates.updated)):
        if after is not None:
            found.append(Clause(f"t.{column} >= ?", (after,)))
        if before is not None:
            found.append(Clause(f"t.{column} < ?", (before,)))
    return found


def _known(given: Sequence[str], choices: Sequence[str], what: str) -> Sequence[str]:
    for value in given:
        if value not in choices:
            raise Invalid(f"`{value}` is not a {what}", expected="one of " + ", ".join(choices))
    return given
