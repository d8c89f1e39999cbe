"""Connections whose clients keep us waiting: they are closed, else enough of them would keep everybody out."""

from __future__ import annotations

import asyncio
from time import monotonic_ns

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tailrace_server.errors import Refused, failure_of
from tailrace_server.plain import json_bytes

HEAD_SECONDS = 20.0
"""In which the head of a request has to be there, from the connection or from its own first byte on."""
BODY_SECONDS = 30.0
"""In which more of a body has to come."""


class PatientProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, with an end to waiting. How long a connection may rest between requests, uvicorn says.

    It bounds the head of a request as well: 64 KiB.
    """

    _giving_up: asyncio.TimerHandle | None = None
    _waits_for: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is answered in the one shape of errors, too."""
        request_id = f"malformed-{monotonic_ns():x}"
        body = json_bytes(failure_of(Refused(400, "this is no request of HTTP")).body(request_id))
        headers = [
            (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()), (b"connection", b"close"),
        ]  # fmt: skip
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._call_off()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """A head has its time as a whole, a body anew with each part that comes."""
        state = self.conn.their_state
        if self.transport.is_closing() or self.timeout_keep_alive_task is not None:
            self._call_off()
        elif state is h11.IDLE:
            if self._waits_for is not h11.IDLE:
                self._give_up_after(HEAD_SECONDS, state)
        elif state is h11.SEND_BODY:
            self._give_up_after(BODY_SECONDS, state)
        else:
            self._call_off()

    def _give_up_after(self, seconds: float, state: object) -> None:
        self._call_off()
        self._waits_for = state
        self._giving_up = self.loop.call_later(seconds, self._give_up)

    def _call_off(self) -> None:
        self._waits_for = None
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        if self.flow.read_paused:  # it is we who do not take what is there
            self._give_up_after(BODY_SECONDS, self._waits_for)
        else:
            self.transport.close()
