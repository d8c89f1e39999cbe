"""What clients that follow the events cost a server: the core it takes, and what other requests wait for.

Usage: python tests/benchmarks/followers.py [FOLLOWERS…]. For each number (0, 200 and 1000 unless said) a server of its
own with so many followers of `GET /events`, once all of everything and once each of an execution that does not run, as
pages of a browser are: SECONDS without anything to tell, then as many while FLOWS_A_SECOND flows of four tasks run.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from served import Connection, Served, server

SECONDS = 6.0
FLOWS_A_SECOND = 4
AT_ONCE = 50
"""Followers that connect at the same time."""
FLOW = """
id: told
namespace: benchmark
tasks:
""" + "".join(f"  - {{id: task{number}, type: debug.Return, format: x}}\n" for number in range(4))
EXECUTION = "01979d8a-2f6b-7c1e-9a43-{:012x}"
DATA = b"\ndata: "


class Follower(asyncio.Protocol):
    """A connection that asks once and counts the events it is told."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._end = b""
        self.begun = asyncio.get_running_loop().create_future()
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.begun.done() and b"retry:" in data:
            self.begun.set_result(None)
        self.events += (self._end + data).count(DATA)
        self._end = data[1 - len(DATA) :]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_exception(exc or ConnectionError("the server closed the connection"))


async def followers(url: str, number: int, one_each: bool) -> list[Follower]:
    """Connected, each told that it is."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    found: list[Follower] = []
    for index in range(number):
        which = f"?flow_execution_id={EXECUTION.format(index)}" if one_each else ""
        head = f"GET {parts.path}/events{which} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

        def make(head: bytes = head) -> Follower:
            return Follower(head)

        _, follower = await asyncio.get_running_loop().create_connection(make, host, port)
        found.append(follower)
        if len(found) % AT_ONCE == 0:
            await asyncio.gather(*(one.begun for one in found[-AT_ONCE:]))
    await asyncio.gather(*(one.begun for one in found))
    return found


async def ask(url: str, until: float) -> list[float]:
    """Milliseconds of requests on one connection, ten a second."""
    connection, taken = Connection(url), []
    while time.monotonic() < until:
        began = time.perf_counter()
        status, body = await connection.get("/flow-executions?limit=5")
        if status != 200:
            raise RuntimeError(f"gave {status}: {body[:200]!r}")
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.1)
    await connection.close()
    return taken


async def start(url: str, until: float) -> int:
    """Flows at an even pace; how many."""
    connection, begun, number = Connection(url), time.monotonic(), 0
    while time.monotonic() < until:
        status, body = await connection.post("/flow-executions", {"namespace": "benchmark", "flow_id": "told"})
        if status != 201:
            raise RuntimeError(f"a start gave {status}: {body[:200]!r}")
        number += 1
        await asyncio.sleep(max(0.0, begun + number / FLOWS_A_SECOND - time.monotonic()))
    await connection.close()
    return number


async def phase(served: Served, runs: bool) -> str:
    """The core that the server took, and the milliseconds of requests beside."""
    begun, until = served.computed()[0], time.monotonic() + SECONDS
    taken, _ = await asyncio.gather(ask(served.url, until), start(served.url, until if runs else 0.0))
    cuts = statistics.quantiles(taken, n=100)
    return f"{(served.computed()[0] - begun) / SECONDS:8.1%}{cuts[49]:9.1f}{max(taken):9.1f}"


async def measure(served: Served, number: int, one_each: bool) -> str:
    connection = Connection(served.url)
    await connection.put("/flows/benchmark/told", {"source": FLOW})
    await connection.close()
    await start(served.url, time.monotonic() + 0.1)  # the first one is slower: workers begin
    found = await followers(served.url, number, one_each)
    await asyncio.sleep(1)
    idle, running = await phase(served, runs=False), await phase(served, runs=True)
    await asyncio.sleep(1)
    told = sorted(one.events for one in found) or [0]
    memory = served.memory()[0] / (1 << 20)
    for one in found:
        one.transport.close()
    return f"{idle}{running}{memory:8.0f}   {told[0]} to {told[-1]}"


def main(numbers: Sequence[int]) -> None:
    print(f"{'':25}{'nothing to tell':>26}{'flows run':>26}")
    print(f"{'followers':25}" + f"{'core':>8}{'p50 ms':>9}{'most ms':>9}" * 2 + f"{'MiB':>8}   events each was told")
    for number in numbers:
        for one_each in (False, True) if number else (False,):
            with tempfile.TemporaryDirectory() as home, server(Path(home)) as served:
                row = asyncio.run(measure(served, number, one_each))
            print(f"{number:5} of {'one each' if one_each else 'everything':16}{row}", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [0, 200, 1000])
