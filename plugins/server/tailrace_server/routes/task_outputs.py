"""`/task-outputs`: what came out, across executions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
from attrs import evolve
from litestar import Request, Response
from litestar.response import Stream

from core.host.product import Once
from core.host.services import KEEP, Services
from core.host.views import TaskExecutionView
from core.sdk import Conflict, NotFound
from tailrace_server.access import Caller
from tailrace_server.answers import check_version, json_answer, nothing, page_object
from tailrace_server.asked import LIMIT, PAGE, Asked, Parameter
from tailrace_server.described import Gives, Header, route
from tailrace_server.errors import Refused
from tailrace_server.exports import export
from tailrace_server.ids import known_id
from tailrace_server.media import CSV, JSON, NDJSON, PARQUET, negotiated
from tailrace_server.options import Options
from tailrace_server.outputs import FIELDS, FIELDS_ASKED, FILTERS, HREF, ORDER, fields_asked, filter_of, rows
from tailrace_server.ranges import IF_RANGE, OF_A_PART, RANGE, file_answer
from tailrace_server.schemas.task_outputs import (
    CorrectedTaskOutput,
    NewTaskOutput,
    TagChange,
    TaskOutput,
    TaskOutputCorrection,
    TaskOutputPage,
)

MEDIA = (JSON, NDJSON, CSV, PARQUET)
NO_LIMIT = evolve(LIMIT, default=None, text=f"{LIMIT.text} 100 when it is not given; not with a stream.")
COUNT = Parameter("count", "Count all rows of the filters, the page aside: `count`, and `X-Total-Count`.", "flag")
TOTAL = Header("X-Total-Count", "How many rows the filters have; with `count=true`, and for HEAD.")
IF_MATCH = Header("If-Match", "The ETag of what you read; `*` for whatever there is.", True, '"1-5f4f9bef3b2ce571"')
IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "1 to 255 printable characters of ASCII: the same request with the same key happens once, and is answered alike; "
    "another request with it is refused (409).", pattern=r"[\x20-\x7e]{1,255}",
)  # fmt: skip


@route(
    "GET", "/task-outputs",
    Gives(TaskOutputPage, "A page; or all rows as NDJSON, CSV or Parquet.", media=MEDIA[1:], headers=(TOTAL,)),
    asks=(*FILTERS, ORDER, NO_LIMIT, *PAGE[1:], FIELDS_ASKED, COUNT), refuses=(404, 406),
)  # fmt: skip
def list_task_outputs(
    request: Request[Any, Any, Any], services: Services, caller: Caller, asked: Asked
) -> Response[Any]:
    """List task outputs, newest first.

    Filters are joined by AND. A walk along `next` from the newest row shows every row that was committed before its
    first page exactly once. An output above 64 KiB (a setting) is a reference, to be read at its `href`; so are those
    that no longer have room in one answer.

    With `Accept: application/x-ndjson`, `text/csv` or `application/vnd.apache.parquet` all rows of the filters are
    streamed, in constant memory; what was cut off goes on with `starting_after` and the last id that came.
    """
    media = negotiated(request.headers.get("accept", ""), MEDIA)
    names = fields_asked(asked)
    which = filter_of(asked, limit=asked["limit"] or 100)
    head = bool(request.scope["state"].get("head"))
    total = services.outputs.count(which) if asked["count"] or head else None
    headers = {} if total is None else {TOTAL.name: str(total)}
    if head:
        return Response(b"", media_type=media, headers=headers)
    if media != JSON:
        _check_stream(asked)
        stream = export(services, which, caller.organization, names, media)
        return Stream(stream, media_type=media, headers=headers)
    page = services.outputs.list(which)
    options: Options = request.app.state.options
    found = rows(services, page.data, caller.organization, names, options.max_result)
    told = page_object(request, page, list(found))
    return json_answer(told if total is None else told | {"count": total}, headers=headers)


def _check_stream(asked: Asked) -> None:
    given = [name for name in ("limit", "ending_before") if asked[name] is not None]
    if given:
        details = [(f"query.{name}", "only for pages, which are JSON") for name in given]
        raise Refused(422, "a stream has no pages", details=details)


@route("GET", "/task-outputs/{id:str}", Gives(TaskOutput, "The task output."))
def get_task_output(
    request: Request[Any, Any, Any], services: Services, caller: Caller, id: str
) -> Response[Any]:
    """Get one task output."""
    return _answer(request, services, caller, services.outputs.get(known_id(id, "task output")))


@route(
    "GET", "/task-outputs/{id:str}/output",
    Gives(None, "The recorded JSON.", media=(JSON,), headers=OF_A_PART),
    Gives(None, "The range of it.", status=206, media=(JSON,), headers=OF_A_PART),
    headers=(RANGE, IF_RANGE), refuses=(416,),
)  # fmt: skip
def get_task_output_body(request: Request[Any, Any, Any], services: Services, id: str) -> Response[Any]:
    """Get the output alone, however large.

    It is the recorded text: what JSON does not have stands in it as `{"$datetime": …}`, `{"$decimal": …}` and the like.
    Its ETag is its SHA-256. A task that gave no output has none here (404).
    """
    view = services.outputs.get(known_id(id, "task output"))
    opened = services.outputs.open(view.id)
    if opened is None:
        raise NotFound("this task execution gave no output", where="path.id")
    file, size = opened
    return file_answer(request, file, size, JSON, tag=f'"{view.output_sha256}"')


@route(
    "PATCH", "/task-outputs/{id:str}", Gives(CorrectedTaskOutput, "How it is now."),
    role="editor", takes=TaskOutputCorrection, headers=(IF_MATCH,), refuses=(409, 412, 428),
)  # fmt: skip
def correct_task_output(
    request: Request[Any, Any, Any], services: Services, caller: Caller, id: str, given: TaskOutputCorrection
) -> Response[Any]:
    """Correct a task output.

    Its version grows, `modified_by` becomes the caller, and it is no longer stale. When its output changes, what read
    it, straight or through others, becomes stale: `made_stale`; `POST /flow-executions/{id}/execute?only_stale=true`
    runs that again.
    """
    parts = {"summary": given.summary, "tags": given.tags}
    changes: dict[str, Any] = {name: part for name, part in parts.items() if part is not msgspec.UNSET}
    if given.output is not msgspec.UNSET:
        changes["output"] = given.output
    if not changes:
        raise Refused(422, "nothing is to change", details=[("$", "expected: output, summary or tags")])
    version = services.outputs.get(known_id(id, "task output")).version
    check_version(request, version)
    try:
        view, stale = services.changes.correct(
            id, version, by=caller.actor, reason=given.reason, output=changes.pop("output", KEEP), **changes
        )
    except Conflict as error:
        if services.outputs.get(id).version == version:  # its state is in the way, not what somebody else did
            raise
        raise Refused(412, error.what) from error
    return _answer(request, services, caller, view, {"made_stale": list(stale)})


@route("DELETE", "/task-outputs/{id:str}", Gives(None, "It is hidden.", status=204), role="editor")
def delete_task_output(services: Services, caller: Caller, id: str) -> Response[Any]:
    """Delete a task output, so that it can be restored.

    Lists leave it out unless they ask for the status `deleted`; by its id it can still be read.
    """
    services.changes.delete_output(known_id(id, "task output"), by=caller.actor)
    return nothing()


@route("POST", "/task-outputs/{id:str}/restore", Gives(TaskOutput, "The task output."), role="editor")
def restore_task_output(
    request: Request[Any, Any, Any], services: Services, caller: Caller, id: str
) -> Response[Any]:
    """Bring a deleted task output back."""
    view = services.changes.restore_output(known_id(id, "task output"), by=caller.actor)
    return _answer(request, services, caller, view)


@route(
    "POST", "/task-outputs",
    Gives(TaskOutput, "The new task output.", status=201, headers=(Header("Location", "Where it is."),)),
    role="editor", takes=NewTaskOutput, headers=(IDEMPOTENCY_KEY,), refuses=(404, 409),
)  # fmt: skip
def add_task_output(
    request: Request[Any, Any, Any], services: Services, caller: Caller, given: NewTaskOutput
) -> Response[Any]:
    """Add the output of a worker outside of the engine.

    Its task execution has the type `external`. With an `Idempotency-Key` it is safe to send again.
    """
    view = services.changes.add_output(
        given.flow_execution_id, given.task_name, by=caller.actor, status=given.status, value=given.value,
        output=given.output, summary=given.summary, tags=given.tags, error=given.error, once=_once(request, given),
    )  # fmt: skip
    location = HREF.format(id=view.id).removesuffix("/output")
    return _answer(request, services, caller, view, status=201, headers={"Location": location})


@route(
    "POST", "/task-outputs/tags", Gives(None, "All of them have the tags now.", status=204),
    role="editor", takes=TagChange, refuses=(404,),
)  # fmt: skip
def tag_task_outputs(services: Services, caller: Caller, given: TagChange) -> Response[Any]:
    """Add and remove tags of 1 to 100 task outputs: all of it happens, or nothing."""
    services.changes.tag(given.ids, given.add, given.remove, by=caller.actor)
    return nothing()


def _once(request: Request[Any, Any, Any], given: NewTaskOutput) -> Once | None:
    key = request.headers.get(IDEMPOTENCY_KEY.name)
    if key is None:
        return None
    if not re.fullmatch(IDEMPOTENCY_KEY.pattern, key):
        details = [(f"header.{IDEMPOTENCY_KEY.name}", "expected: 1 to 255 printable characters of ASCII")]
        raise Refused(422, "this can't be the key of a request", details=details)
    return Once(key, sha256(msgspec.json.encode(given, order="sorted")).hexdigest())


def _answer(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    view: TaskExecutionView,
    more: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """One task output, and its ETag."""
    options: Options = request.app.state.options
    (found,) = rows(services, [view], caller.organization, FIELDS, options.max_result)
    return json_answer({**found, **(more or {})}, status=status, version=view.version, headers=headers)


ROUTES = (
    list_task_outputs, add_task_output, tag_task_outputs, get_task_output, correct_task_output, delete_task_output,
    get_task_output_body, restore_task_output,
)  # fmt: skip
