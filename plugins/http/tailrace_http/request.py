"""`http.Request`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Literal

from core.sdk import RunContext, TaskFailed, TaskOutput, prop
from tailrace_http.task import HttpTask


class Request(
    HttpTask,
    type="http.Request",
    aliases=("io.kestra.plugin.core.http.Request", "io.kestra.plugin.fs.http.Request"),
):
    """Send an HTTP request and keep its answer as text."""

    encrypt_body: Literal[False] = prop(
        "Whether the body is recorded encrypted, which is not offered: secrets in it are hidden wherever it is shown.",
        default=False,
    )

    class Output(TaskOutput):
        """What came back."""

        uri: str = prop("Where the request went.")
        code: int = prop("Status code of the answer.")
        headers: dict[str, list[str]] = prop("Headers of the answer, each with all of its values.")
        body: str = prop("The answer as text.")
        form_data: dict[str, Any] | None = prop("Always null, as in the reference.", default=None)
        response_time_ms: int = prop("Time from the request to the end of the answer, redirects included.")

    def run(self, ctx: RunContext) -> Output:
        """Send the request. Raises TaskFailed when the answer's status is no success, with the answer as output."""
        from tailrace_http.exchange import exchange, refusal  # noqa: PLC0415 - imports httpx

        with ExitStack() as opened:
            call = self.call(ctx, opened)
            with exchange(ctx, call) as answer:
                content = answer.read()
        accepted = call.terms.accept(answer.code)
        body = answer.decode(content, "strict" if accepted else "replace")
        if "RESPONSE_BODY" in call.terms.logs:
            ctx.log.info(f"response body: {body}")
        output = self.Output(
            uri=call.uri, code=answer.code, headers=answer.headers, body=body, response_time_ms=answer.milliseconds
        )
        if not accepted:
            raise TaskFailed(**refusal(call, answer, body), output=output)
        return output

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        """Status code, time and size of the answer."""
        return {
            "status_code": output.get("code"),
            "response_time_ms": output.get("responseTimeMs"),
            "size": len(output.get("body", "").encode()),
        }
