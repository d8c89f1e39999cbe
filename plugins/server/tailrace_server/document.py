"""The OpenAPI 3.1 document, made from the routes and the attrs classes that they name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from litestar import Litestar

from core.host.deployment import Deployment
from tailrace_server.access import SESSION
from tailrace_server.asked import Parameter
from tailrace_server.described import Gives, Header, Operation
from tailrace_server.errors import CODE_OF_STATUS
from tailrace_server.ids import PATTERN
from tailrace_server.media import JSON
from tailrace_server.options import Options
from tailrace_server.schemas.common import Error

Json = dict[str, Any]
REF = "#/components/schemas/{name}"
REFUSALS = {
    401: "No API key was given, or it is not known, was revoked, or has expired.",
    403: "The key's role may not do this.",
    404: "There is nothing of this id in the key's organization.",
    406: "None of the media types of `Accept` can be given.",
    408: "The body came too slowly.",
    409: "The state of things does not allow this now.",
    412: "It has changed since the version that `If-Match` names.",
    413: "The body, or a value in it, is too large.",
    415: "The body is of another media type.",
    416: "The range lies outside of the file.",
    422: "Something that was sent is wrong; `details` names each.",
    428: "The header `If-Match` is missing.",
    429: "The key was used too often; `Retry-After` says when to come again, in seconds.",
    500: "A mistake of the server.",
    503: "Something that is needed can't be reached now.",
}
ABOUT = """\
What flows gave, and how they came to it. Every GET can be asked as HEAD. Answers are compressed by gzip or zstd where \
`Accept-Encoding` allows it; good answers to GET have a strong `ETag`, and `If-None-Match` is answered by 304. Ids of \
other organizations are answered as if they did not exist. Unknown parameters and keys of bodies are refused."""
SCHEMES: Json = {
    "key": {
        "type": "http", "scheme": "bearer",
        "description": "An API key. A server without any key answers only its own machine, and asks for none.",
    },
    "session": {
        "type": "apiKey", "in": "cookie", "name": SESSION,
        "description": (
            "A browser in which somebody signed in with an API key, at `/sign-in`: it has the role of that key. What "
            "changes something needs the session's token as well, in the header `X-CSRF-Token`; pages hold it in "
            "`<meta name=\"csrf-token\">`."
        ),
    },
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_NUL = r"^[^\u0000]+$"
"""What every text of a query is."""
EXAMPLES = {"namespace": "company.team", "flow_id": "getting_started"}
"""Of what paths name; the flow of the other examples."""
REQUEST_ID = {
    "X-Request-ID": {
        "description": "The id of the request: the client's (1 to 128 letters, digits, `.`, `_`, `-`), or a new one.",
        "schema": {"type": "string"},
    }
}


def operations(app: Litestar) -> Iterator[tuple[str, str, Operation]]:
    """(path, id, operation) of every route that the document names, paths in the order they were declared."""
    for one in app.routes:
        handlers = {handler.opt["operation"].method: handler for handler in getattr(one, "route_handlers", ())
                    if "operation" in handler.opt}  # fmt: skip
        for method in sorted(handlers, key=METHODS.index):  # Litestar's own order changes from process to process
            path = re.sub(r"{(\w+):\w+}", r"{\1}", one.path)
            yield path, handlers[method].name or "", handlers[method].opt["operation"]


def document(app: Litestar) -> Json:
    """The whole document."""
    deployment: Deployment = app.state.deployment
    found = list(operations(app))
    classes: set[type[Any]] = {Error, *(shape for _, _, one in found for shape in _shapes(one))}
    ordered = sorted(classes, key=lambda cls: cls.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=REF)
    rules = {cls.__name__: getattr(cls, "RULES", {}) for cls in classes}
    paths: dict[str, Json] = {}
    for path, name, operation in found:
        paths.setdefault(path, {})[operation.method.lower()] = _operation(path, name, operation)
    _link(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{deployment.title} API",
            "version": deployment.version,
            "description": ABOUT,
        },
        "servers": [{"url": "/"}],
        "security": security(app),
        "paths": paths,
        "components": {
            "schemas": {name: _tidy(name, schema, rules.get(name, {})) for name, schema in components.items()},
            "responses": {str(status): _refusal(status) for status in REFUSALS},
            "securitySchemes": SCHEMES,
        },
    }  # fmt: skip


def security(app: Litestar) -> list[Json]:
    """What the document says of keys: one is needed, or a session of one; or none, while there is none and only this
    machine asks."""
    deployment: Deployment = app.state.deployment
    options: Options = app.state.options
    known: list[Json] = [{name: []} for name in SCHEMES]
    return known if deployment.keys.exist() or not options.loopback else [*known, {}]


def _shapes(operation: Operation) -> Iterator[type[Any]]:
    yield from (one.shape for one in operation.gives if one.shape is not None)
    if operation.takes not in (None, bytes):
        yield operation.takes


def _operation(path: str, name: str, operation: Operation) -> Json:
    role = f"Role: {operation.role}." if operation.role else "Needs no key."
    told: Json = {
        "operationId": name,
        "summary": operation.summary,
        "description": "\n\n".join(filter(None, (operation.details, role))),
        "tags": [path.split("/")[3]],
    }
    parameters = [*_path_parameters(path), *map(_parameter, operation.asks), *map(_header_asked, operation.headers)]
    if parameters:
        told["parameters"] = parameters
    if operation.takes is not None:
        content: Json = {} if operation.takes is bytes else {"schema": _ref(operation.takes)}
        told["requestBody"] = {"required": operation.takes is not bytes, "content": {operation.media: content}}
    if operation.role is None:
        told["security"] = []
    given = {str(one.status): _given(one) for one in operation.gives}
    told["responses"] = given | {str(status): {"$ref": f"#/components/responses/{status}"}
                                 for status in _refused(path, operation) if str(status) not in given}  # fmt: skip
    return told


def _refused(path: str, operation: Operation) -> list[int]:
    """What a route may answer beside its own answers."""
    statuses = {422, 500, 503, *operation.refuses}
    if operation.role is not None:
        statuses |= {401, 403, 429}
    if "{" in path:
        statuses.add(404)
    if operation.takes is not None:
        statuses |= {413, 415}
    return sorted(statuses)


def _path_parameters(path: str) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", path):
        limit: Json = {"pattern": f"^{PATTERN}$"} if name == "id" else {"minLength": 1}
        told: Json = {"name": name, "in": "path", "required": True, "schema": {"type": "string", **limit}}
        yield told | {"example": EXAMPLES[name]} if name in EXAMPLES else told


def _parameter(one: Parameter) -> Json:
    if one.prefix:
        schema: Json = {"type": "object", "additionalProperties": {"type": "string"},
                        "propertyNames": {"pattern": f"^{re.escape(one.name)}[^=!<>]+[!<>]?$"}}  # fmt: skip
        return {"name": one.name.rstrip("."), "in": "query", "description": one.text, "style": "form", "explode": True,
                "schema": schema, "example": one.example}  # fmt: skip
    schema = _value_schema(one)
    if one.many:
        schema = {"type": "array", "items": schema, "maxItems": one.times}
    told: Json = {"name": one.name, "in": "query", "description": one.text, "schema": schema}
    if one.required:
        told["required"] = True
    return told if one.example is None else told | {"example": one.example}


def _value_schema(one: Parameter) -> Json:
    if one.kind == "whole":
        bounds: Json = {"type": "integer", "minimum": one.least, "maximum": one.most}
        return bounds if one.default is None else bounds | {"default": one.default}
    if one.kind == "flag":
        return {"type": "boolean"} if one.default is None else {"type": "boolean", "default": one.default}
    if one.kind == "time":
        return {"type": "string", "format": "date-time"}
    if one.kind == "id":
        return {"type": "string", "pattern": f"^{PATTERN}$"}
    if one.choices:
        return {"type": "string", "enum": list(one.choices)}
    return {"type": "string", "pattern": one.pattern or NO_NUL}


def _header_asked(one: Header) -> Json:
    schema = {"type": "string", "pattern": f"^{one.pattern}$"} if one.pattern else {"type": "string"}
    told: Json = {"name": one.name, "in": "header", "description": one.text, "schema": schema}
    if one.required:
        told["required"] = True
    return told | {"example": one.example} if one.example else told


def _given(one: Gives) -> Json:
    headers = {each.name: {"description": each.text, "schema": {"type": "string"}} for each in one.headers}
    told: Json = {"description": one.text, "headers": {**REQUEST_ID, **headers}}
    content: Json = {media: {} for media in one.media}
    if one.shape is not None:
        content = {JSON: {"schema": _ref(one.shape)}, **content}
    return told | {"content": content} if content else told


def _refusal(status: int) -> Json:
    headers: Json = dict(REQUEST_ID)
    if status == 429:
        headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"description": "Names the scheme, Bearer.", "schema": {"type": "string"}}
    example = {
        "error": {"code": CODE_OF_STATUS[status], "message": REFUSALS[status], "details": []},
        "request_id": "6f1f0c9d2b7e-00002a",
    }
    content = {JSON: {"schema": _ref(Error), "example": example}}
    return {"description": REFUSALS[status], "headers": headers, "content": content}


def _ref(shape: type[Any]) -> Json:
    return {"$ref": REF.format(name=shape.__name__)}


def _link(paths: Mapping[str, Json]) -> None:
    """Where the ids of answers lead: from a new one, and from the first of a list, to what is done with one."""
    for path, operations in paths.items():
        root = path.partition("{")[0].rstrip("/") + "/{"
        below = [(other, operation["operationId"]) for other, found in paths.items() if other.startswith(root)
                 for operation in found.values()]  # fmt: skip
        for method, status, where in (("post", "201", ""), ("put", "200", ""), ("get", "200", "/data/0")):
            answer = operations.get(method, {}).get("responses", {}).get(status)
            if below and answer is not None and (where == "" or "{" not in path):
                answer["links"] = {name: _one_link(other, name, where) for other, name in sorted(below)}


def _one_link(path: str, name: str, where: str) -> Json:
    """An operation on what stands at a place of an answer; a flow's own id is what paths call `flow_id`."""
    named = {one: one.removeprefix("flow_") for one in re.findall(r"{(\w+)}", path)}
    return {
        "operationId": name,
        "parameters": {one: f"$response.body#{where}/{field}" for one, field in named.items()},
    }


def _tidy(name: str, schema: Mapping[str, Any], rules: Mapping[str, Any]) -> Json:
    """Docstrings as one reads them; no key that is not named, in what is sent as in what is given.

    rules: what the shape's class says beside its fields (`RULES`), as JSON Schema. A shape that is called …Row stands
    in a list that takes `fields`: none of its fields is sure to be there.
    """
    told = {**schema, **rules}
    if name.endswith("Row"):
        told.pop("required", None)
    if "description" in told:
        told["description"] = inspect.cleandoc(told["description"])
    return told | {"additionalProperties": False} if told.get("type") == "object" else told
