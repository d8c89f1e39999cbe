"""`http.Download`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from core.sdk import RunContext, TaskFailed, TaskOutput, prop
from tailrace_http.names import file_name
from tailrace_http.task import HttpTask


class Download(
    HttpTask,
    type="http.Download",
    aliases=("io.kestra.plugin.core.http.Download", "io.kestra.plugin.fs.http.Download"),
):
    """Download a file into internal storage, however large."""

    fail_on_empty_response: bool = prop("Whether an answer without content fails the task.", default=True)

    class Output(TaskOutput):
        """What came back."""

        uri: str = prop("The stored file.")
        code: int = prop("Status code of the answer.")
        length: int = prop("Size of the stored file in bytes.")
        headers: dict[str, list[str]] = prop("Headers of the answer, each with all of its values.")
        response_time_ms: int = prop("Time from the request to the end of the answer, redirects included.")

    def run(self, ctx: RunContext) -> Output:
        """Stream the answer into storage. Raises TaskFailed: its status is no success, it breaks off, it is empty."""
        from tailrace_http.exchange import exchange, refusal  # noqa: PLC0415 - imports httpx

        with ExitStack() as opened:
            call = self.call(ctx, opened)
            if "RESPONSE_BODY" in call.terms.logs:
                ctx.log.warn("the body of a download is not logged: `RESPONSE_BODY` has no effect")
            # As it is stored: an answer compressed only for the way would be unpacked here, at a cost.
            with exchange(ctx, call, {"Accept-Encoding": "identity"}) as answer:
                if not call.terms.accept(answer.code):
                    raise TaskFailed(**refusal(call, answer, answer.beginning()))
                empty = answer.is_empty()
                if empty and self.fail_on_empty_response and not call.terms.allow_failed:
                    raise TaskFailed(
                        "the answer is empty",
                        where=answer.uri,
                        hint="`failOnEmptyResponse: false` stores an empty file instead",
                    )
                # One pass: storage hashes what it writes, so the bytes are never read again.
                stored = ctx.storage.put(answer.stream(), file_name(answer.disposition, answer.uri))
        if empty:
            ctx.log.warn(f"File '{stored.uri}' is empty")
        return self.Output(
            uri=stored.uri,
            code=answer.code,
            length=stored.size,
            headers=answer.headers,
            response_time_ms=answer.milliseconds,
        )

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        """Status code, time and size of the answer."""
        return {
            "status_code": output.get("code"),
            "response_time_ms": output.get("responseTimeMs"),
            "size": output.get("length"),
        }
