"""Task outputs as the API shows them: rows, their bodies, and the filters of lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, get_args

from attrs import fields

from core.host.services import Services
from core.host.views import OutputFilter, SummaryCondition, TaskExecutionView
from tailrace_server.asked import Asked, Pair, Parameter
from tailrace_server.errors import Refused
from tailrace_server.schemas.common import State, Status
from tailrace_server.schemas.task_outputs import TaskOutput
from tailrace_server.times import iso

Reader = Callable[[TaskExecutionView], Any]
FIELDS = tuple(one.name for one in fields(TaskOutput))
HREF = "/api/v1/task-outputs/{id}/output"
READERS: Mapping[str, Reader] = {
    **{name: attrgetter(name) for name in FIELDS},
    "error": lambda view: view.error or None,
    "created_at": lambda view: iso(view.created_at),
    "updated_at": lambda view: iso(view.updated_at),
}
"""How the fields of a row are read, save those that the view does not hold."""
SEVERAL = "May be repeated: any of them."
FILTERS = (
    Parameter("flow_execution_id", f"Of these flow executions. {SEVERAL}", "id", many=True),
    Parameter("flow_id", f"Of these flows. {SEVERAL}", many=True),
    Parameter("namespace", f"Of these namespaces; `company.*` means `company` and all below it. {SEVERAL}", many=True,
              times=128),
    Parameter("task_name", f"Of tasks of these names. {SEVERAL}", many=True),
    Parameter("status", f"With these statuses; `deleted` ones are left out unless asked for. {SEVERAL}", many=True,
              choices=get_args(Status)),
    Parameter("state", f"With these states. {SEVERAL}", many=True, choices=get_args(State)),
    Parameter("tag", f"With the tag `key`, or `key:value`. {SEVERAL}", many=True, times=128),
    Parameter("tag_all", "As `tag`, but repeated all of them must be there.", many=True, times=64),
    Parameter("modified_by", f"Changed last by these. {SEVERAL}", many=True),
    Parameter("created_after", "Created after this time; ISO 8601, UTC where it names no zone.", "time"),
    Parameter("created_before", "Created before this time.", "time"),
    Parameter("updated_after", "Changed after this time.", "time"),
    Parameter("updated_before", "Changed before this time.", "time"),
    Parameter(
        "search", "A part of the task's name, of the loop's value, or of the beginning of the output, in any case of "
        "letters.", pattern=r"^[^\u0000]{1,200}$", example="error"),
    Parameter(
        "summary.", "A condition on a scalar of `summary`, by its path: `summary.rows=5`, `summary.rows!=5`, "
        "`summary.rows>5`, `summary.rows>=5`, `summary.rows<5`, `summary.rows<=5`, percent-encoded or not. Numbers are "
        "compared as numbers; only `=` and `!=` compare texts. Repeated, each must hold.",
        prefix=True, example={"summary.rows>": "5"}, times=64),
)  # fmt: skip
ORDER = Parameter(
    "order", "Which rows come first; `starting_after` and `ending_before` are meant in this order.",
    choices=("newest", "oldest"), default="newest",
)  # fmt: skip
FIELDS_ASKED = Parameter(
    "fields", "Only these fields, by names joined with `,`. Without `output` no body is read, which is the fastest.",
    example="id,task_name,status",
)  # fmt: skip


def filter_of(asked: Asked, *, limit: int, brief: bool = True) -> OutputFilter:
    """The filter that the parameters of a list ask for. brief: only what came out is shown. Raises Refused."""
    if asked["starting_after"] and asked["ending_before"]:
        details = [("query.ending_before", "only one of starting_after and ending_before")]
        raise Refused(422, "a page lies on one side of a row", details=details)
    paging = asked.of("starting_after", "ending_before")
    oldest_first = asked["order"] == "oldest"
    return OutputFilter(**conditions_of(asked), **paging, limit=limit, brief=brief, oldest_first=oldest_first)


def conditions_of(asked: Asked) -> dict[str, Any]:
    """What the parameters of `FILTERS` say, as the fields of an `OutputFilter`. Raises Refused."""
    plain = asked.of(*(one.name for one in FILTERS if not one.prefix))
    conditions = tuple(condition(given) for given in asked["summary."])
    return {**plain, "search": plain["search"] or "", "summary": conditions}


def condition(given: Pair) -> SummaryCondition:
    """A condition as it stood in the query behind `summary.`; a name and a value are one text again: `rows>=5`.

    Clients that write a `=` behind each name send `rows>5=` for `rows>5`.
    """
    name, value, equals = given
    text = f"{name}={value}" if value or (equals and not re.search("[<>].", name)) else name
    match = re.fullmatch(r"([^=!<>]+)(!=|>=|<=|=|>|<)(.*)", text, re.DOTALL)
    if match is None:
        raise _wrong(name, "expected: a path, then one of = != > >= < <=, then a value")
    path, operator, value = match.groups()
    if operator in (">", ">=", "<", "<=") and not _is_number(value):
        raise _wrong(name, f"`{value}` is not a number, and only numbers have an order here")
    return SummaryCondition(path, operator, value)  # type: ignore[arg-type]


def _wrong(name: str, message: str) -> Refused:
    return Refused(422, "a condition on `summary` can't be read", details=[(f"query.summary.{name}", message)])


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)  # nan has no order either
    except ValueError:
        return False


def fields_asked(asked: Asked) -> tuple[str, ...]:
    """The fields of a list's rows, in the order of the record. Raises Refused."""
    if asked["fields"] is None:
        return FIELDS
    names = [name.strip() for name in asked["fields"].split(",")]
    unknown = [name for name in names if name not in FIELDS]
    if unknown:
        details = [("query.fields", f"`{name}` is none of {', '.join(FIELDS)}") for name in unknown]
        raise Refused(422, "there is no such field", details=details)
    return tuple(name for name in FIELDS if name in names)


def rows(
    services: Services, views: Sequence[TaskExecutionView], organization: str, names: Sequence[str], room: int
) -> Iterator[dict[str, Any]]:
    """Rows with these fields. room: bytes of outputs that may stand inside of them; the rest are references."""
    values: Mapping[str, Any] = {}
    if "output" in names:
        values = services.outputs.values(_fitting(views, room))
    readers: dict[str, Reader] = {
        **READERS, "organization_id": lambda _: organization, "output": lambda view: _output(view, values),
    }  # fmt: skip
    chosen = [(name, readers[name]) for name in names]
    for view in views:
        yield {name: read(view) for name, read in chosen}


def _output(view: TaskExecutionView, values: Mapping[str, Any]) -> Any:
    if view.id in values:
        return values[view.id]
    return None if view.output_size is None else _reference(view)


def _reference(view: TaskExecutionView) -> dict[str, Any]:
    return {
        "size": view.output_size,
        "sha256": view.output_sha256,
        "media_type": "application/json",
        "href": HREF.format(id=view.id),
    }


def _fitting(views: Sequence[TaskExecutionView], room: int) -> list[str]:
    """The ids of those whose outputs have room, from the first on."""
    found = []
    for view in views:
        if view.output_size is not None and view.output_size <= room:
            room -= view.output_size
            found.append(view.id)
    return found
