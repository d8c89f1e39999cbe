"""Whatever goes wrong has one shape, and says nothing that is ours alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core import errors
from tailrace_server.errors import STATUS_OF_KIND, failure_of
from tests.waiting import PATIENCE

UNKNOWN = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"
JSON = {"Content-Type": "application/json"}

CASES: dict[str, tuple[str, str, dict[str, Any], int, dict[str, Any]]] = {
    "no such path": ("GET", "/nothing", {}, 404, {
        "code": "missing", "message": "there is nothing at this path", "details": []}),
    "a path outside of the API": ("GET", "/../../nothing", {}, 404, {
        "code": "missing", "message": "there is nothing at this path", "details": []}),
    "a method that a path does not know": ("PUT", "/health", {}, 405, {
        "code": "method_not_allowed", "message": "this path does not know this method", "details": []}),
    "an id that is not there": ("GET", f"/task-outputs/{UNKNOWN}", {}, 404, {
        "code": "missing", "message": f"there is no task output `{UNKNOWN}`", "details": []}),
    "an id that can't be one": ("GET", "/task-outputs/last", {}, 404, {
        "code": "missing", "message": "there is no task output of this id", "details": [
            {"path": "path.id", "message": "there is no task output of this id"}]}),
    "parameters, each of them": ("GET", "/task-outputs?limit=0&stat=x&status=done&created_after=soon&count=1&flow_id=", {}, 422, {
        "code": "invalid", "message": "the query has parameters that can't be read", "details": [
            {"path": "query.limit", "message": "`0` is not a whole number from 1 to 1000"},
            {"path": "query.stat", "message": "there is no such parameter; did you mean `state`?"},
            {"path": "query.status", "message": "`done` is none of queued, running, completed, failed, deleted, stale"},
            {"path": "query.created_after", "message": "`soon` is not a time in ISO 8601, such as 2025-05-01 or 2025-05-01T10:00:00Z"},
            {"path": "query.count", "message": "`1` is neither true nor false"},
            {"path": "query.flow_id", "message": "is empty"}]}),
    "a parameter twice": ("GET", "/task-outputs?limit=1&limit=2", {}, 422, {
        "code": "invalid", "message": "the query has parameters that can't be read", "details": [
            {"path": "query.limit", "message": "may be given once"}]}),
    "a parameter where none is known": ("GET", "/health?verbose=true", {}, 422, {
        "code": "invalid", "message": "the query has parameters that can't be read", "details": [
            {"path": "query.verbose", "message": "there is no such parameter"}]}),
    "a query that is no UTF-8": ("GET", "/task-outputs?flow_id=%ff", {}, 422, {
        "code": "invalid", "message": "the query has parameters that can't be read", "details": [
            {"path": "query.flow_id", "message": "is not UTF-8"}]}),
    "a NUL": ("GET", "/task-outputs?flow_id=a%00b", {}, 422, {
        "code": "invalid", "message": "the query has parameters that can't be read", "details": [
            {"path": "query.flow_id", "message": "holds a NUL"}]}),
    "a page on both sides": ("GET", f"/task-outputs?starting_after={UNKNOWN}&ending_before={UNKNOWN}", {}, 422, {
        "code": "invalid", "message": "a page lies on one side of a row", "details": [
            {"path": "query.ending_before", "message": "only one of starting_after and ending_before"}]}),
    "a field that is not there": ("GET", "/task-outputs?fields=id,ids", {}, 422, {
        "code": "invalid", "message": "there is no such field", "details": [{"path": "query.fields", "message":
            "`ids` is none of id, flow_execution_id, task_name, value, organization_id, namespace, flow_id, "
            "flow_revision, status, state, summary, output, output_size, tags, error, modified_by, version, created_at, "
            "updated_at"}]}),
    "a condition without a path": ("GET", "/task-outputs?summary.=5", {}, 422, {
        "code": "invalid", "message": "a condition on `summary` can't be read", "details": [
            {"path": "query.summary.", "message": "expected: a path, then one of = != > >= < <=, then a value"}]}),
    "an order of texts": ("GET", "/task-outputs?summary.rows>=many", {}, 422, {
        "code": "invalid", "message": "a condition on `summary` can't be read", "details": [
            {"path": "query.summary.rows>", "message": "`many` is not a number, and only numbers have an order here"}]}),
    "a media type that is not there": ("GET", "/task-outputs", {"headers": {"Accept": "text/html"}}, 406, {
        "code": "not_acceptable", "message": "none of the media types that are asked for can be given", "details": [
            {"path": "header.Accept", "message":
             "expected: one of application/json, application/x-ndjson, text/csv, application/vnd.apache.parquet"}]}),
    "pages of a stream": ("GET", "/task-outputs?limit=5", {"headers": {"Accept": "text/csv"}}, 422, {
        "code": "invalid", "message": "a stream has no pages", "details": [
            {"path": "query.limit", "message": "only for pages, which are JSON"}]}),
    "no JSON": ("POST", "/task-outputs", {"content": b"{", "headers": JSON}, 422, {
        "code": "invalid", "message": "the body is not JSON", "details": [
            {"path": "$", "message": "Input data was truncated"}]}),
    "JSON of half a pair": ("POST", "/task-outputs", {"content": b'"\xed\xa0\x80"', "headers": JSON}, 422, {
        "code": "invalid", "message": "the body is not JSON", "details": [{"path": "$", "message":
            "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte"}]}),
    "JSON without an end": ("POST", "/task-outputs", {"content": b"[" * 9000, "headers": JSON}, 422, {
        "code": "invalid", "message": "the body is not JSON", "details": [
            {"path": "$", "message": "maximum recursion depth exceeded while deserializing an object"}]}),
    "a number without an end": ("POST", "/task-outputs", {"content": b"1e999", "headers": JSON}, 422, {
        "code": "invalid", "message": "the body is not JSON", "details": [
            {"path": "$", "message": "Number out of range"}]}),
    "a body of another type": ("POST", "/task-outputs", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415, {
        "code": "unsupported_media_type", "message": "the body is `text/plain`", "details": [
            {"path": "header.Content-Type", "message": "expected: application/json"}]}),
    "a body without a type": ("POST", "/task-outputs", {"content": b"{}"}, 415, {
        "code": "unsupported_media_type", "message": "the body has no type", "details": [
            {"path": "header.Content-Type", "message": "expected: application/json"}]}),
    "a key that is missing": ("POST", "/task-outputs", {"json": {"task_name": "x"}}, 422, {
        "code": "invalid", "message": "the body is not what it should be", "details": [
            {"path": "$", "message": "object missing required field `flow_execution_id`"}]}),
    "keys that are not known": ("POST", "/task-outputs/tags", {"json": {"ids": [UNKNOWN], "added": {}, "b": 1}}, 422, {
        "code": "invalid", "message": "the body has keys that are not known", "details": [
            {"path": "$.added", "message": "is none of ids, add, remove"},
            {"path": "$.b", "message": "is none of ids, add, remove"}]}),
    "a value of another type": ("POST", "/task-outputs/tags", {"json": {"ids": [UNKNOWN], "add": {"a": 5}}}, 422, {
        "code": "invalid", "message": "the body is not what it should be", "details": [
            {"path": "$.add[...]", "message": "expected `str`, got `int`"}]}),

    "nothing to change": ("PATCH", f"/task-outputs/{UNKNOWN}", {"json": {"reason": "why not"}}, 422, {
        "code": "invalid", "message": "nothing is to change", "details": [
            {"path": "$", "message": "expected: output, summary or tags"}]}),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "request_", "status", "error"), CASES.values(), ids=CASES)
def test_an_error_has_one_shape(
    client: httpx.Client, method: str, path: str, request_: dict[str, Any], status: int, error: dict[str, Any]
) -> None:
    response = client.request(method, path, **request_)
    assert (response.status_code, response.json()) == (
        status, {"error": error, "request_id": response.headers["x-request-id"]},
    )  # fmt: skip


METHODS = {
    "/task-outputs": "GET, HEAD, OPTIONS, POST",
    f"/task-outputs/{UNKNOWN}": "DELETE, GET, HEAD, OPTIONS, PATCH",
    "/task-outputs/tags": "OPTIONS, POST",
    "/health": "GET, HEAD, OPTIONS",
}


@pytest.mark.parametrize(("path", "methods"), METHODS.items())
def test_a_path_says_what_it_knows(client: httpx.Client, path: str, methods: str) -> None:
    answer = client.options(path)
    assert (answer.status_code, answer.headers["allow"]) == (204, methods)
    refused = client.put(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)


def test_every_kind_of_error_has_a_status() -> None:
    kinds = {each.kind for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.TailraceError)}
    assert kinds == set(STATUS_OF_KIND)


def test_everything_that_is_wrong_with_a_flow_is_told() -> None:
    failure = failure_of(errors.InvalidFlow(("f.yaml:1:1: no id", "f.yaml:2:1: no tasks"), where="f.yaml"))
    assert (failure.status, failure.code) == (422, "invalid")
    assert failure.details == (("f.yaml", "f.yaml:1:1: no id"), ("f.yaml", "f.yaml:2:1: no tasks"))


def test_what_was_expected_is_told_with_its_place() -> None:
    failure = failure_of(errors.Invalid("`x` is no size", where="$.size", expected="bytes", hint="outputs list"))
    assert (failure.message, failure.details) == ("`x` is no size", (("$.size", "expected: bytes"),))


def test_where_the_server_keeps_its_records_is_not_told(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise errors.Unreachable("the records can't be read", where="/secret/place", expected="a disk")

    monkeypatch.setattr(api.deployment.services("default").outputs, "list", gone)
    answer = api.client().get("/task-outputs")
    assert (answer.status_code, answer.json()["error"]) == (
        503, {"code": "unreachable", "message": "the records can't be read", "details": []},
    )  # fmt: skip
    assert "/secret/place" in api.notes[-1]
    monkeypatch.setattr(api.deployment, "services", gone)
    answer = api.client().get("/task-outputs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unreachable")


def test_a_mistake_of_ours_is_in_the_log_and_not_in_the_answer(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a secret thing")

    monkeypatch.setattr(api.deployment.services("default").outputs, "get", broken)
    response = api.client().get(f"/task-outputs/{UNKNOWN}")
    assert (response.status_code, response.json()) == (500, {
        "error": {"code": "internal", "message": "this is a mistake of the server; its log says more", "details": []},
        "request_id": response.headers["x-request-id"],
    })  # fmt: skip
    note = api.notes[-1]
    assert note.startswith(f"request {response.headers['x-request-id']} failed:\nTraceback")
    assert note.endswith("RuntimeError: a secret thing")


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_3", True), ("x" * 128, True), ("x" * 129, False), ("a b", False), ("", False)])
def test_the_request_keeps_a_sane_id(client: httpx.Client, given: str, kept: bool) -> None:
    answered = client.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (answered == given) is kept


def test_ids_of_requests_differ(client: httpx.Client) -> None:
    assert len({client.get("/health").headers["x-request-id"] for _ in range(5)}) == 5


def test_a_body_that_is_too_large_is_refused(deployment: Any, serve: Any) -> None:
    with serve(deployment, max_request=100) as api, httpx.Client(base_url=api.url, timeout=PATIENCE) as client:
        bodies: tuple[Any, ...] = (b"x" * 101, iter([b"x" * 60, b"x" * 60]))
        for body in bodies:
            response = client.post("/task-outputs/tags", content=body, headers=JSON)
            assert response.status_code == 413
            assert response.json()["error"] == {"code": "too_large", "message": "Request Entity Too Large", "details": []}
