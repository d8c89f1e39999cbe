"""A server under load: reads of many kinds while flows are started; errors, milliseconds, memory.

Usage: python tests/benchmarks/api_load.py [SECONDS [ROWS|HOME [CONNECTIONS]]]. A home with ROWS (200000) task outputs,
or one that `rows.py` made before; `python -m core server` over it, with worker processes; first each kind of read alone
on one connection, then for SECONDS (60) all of them on CONNECTIONS (8) while 20 flows a second are started over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rows import fill  # beside this script
from served import Connection, Served, server

FLOWS_A_SECOND = 20
ALONE = 200
"""Requests of each kind on one connection."""
FIELDS = "id,task_name,status,created_at,tags"
MIB = 1 << 20
FLOW = """
id: ticking
namespace: load
inputs:
  - {id: n, type: INT}
tasks:
  - {id: first, type: debug.Return, format: "{{ inputs.n }}"}
  - {id: second, type: debug.Return, format: "from {{ outputs.first.value }}"}
"""
Times = dict[str, list[float]]


def paths(ids: Sequence[str], executions: Sequence[str]) -> dict[str, list[str]]:
    """The kinds of reads, each with some of its requests."""
    page = f"/task-outputs?fields={FIELDS}"
    drawn = random.Random(1)
    return {
        "page with fields": [page],
        "page with bodies": ["/task-outputs", "/task-outputs?limit=20"],
        "page further down": [f"{page}&starting_after={one}" for one in drawn.sample(ids, 50)],
        "one": [f"/task-outputs/{one}" for one in drawn.sample(ids, 200)],
        "output of one": [f"/task-outputs/{one}/output" for one in drawn.sample(ids, 200)],
        "filter by execution": [f"{page}&flow_execution_id={one}" for one in drawn.sample(executions, 20)],
        "filter by flow": [f"{page}&flow_id=flow_{number}" for number in range(0, 200, 7)],
        "filter by namespace": [f"{page}&namespace=company.team{number}.*" for number in range(12)],
        "filter by task": [f"{page}&task_name=task_{number % 5}_{number}" for number in range(20)],
        "filter by status": [f"{page}&status={one}" for one in ("failed", "stale", "completed", "running")],
        "filter by tag": [f"{page}&tag=team:team_{number}" for number in range(50)],
        "filter by summary": [f"{page}&summary.rows%3E=99000", *(f"{page}&summary.kind=kind_{n}" for n in range(20))],
        "filter by date": [f"{page}&created_after=2023-11-15", f"{page}&created_before=2023-11-15"],
        "execution with outputs": [f"/flow-executions/{one}?include=task_outputs" for one in drawn.sample(executions, 20)],
        "executions": ["/flow-executions", "/flow-executions?status=failed&limit=50"],
    }  # fmt: skip


async def known(connection: Connection) -> tuple[list[str], list[str]]:
    """Ids of some task outputs all over the table, and of their flow executions."""
    ids: list[str] = []
    executions: set[str] = set()
    path = "/task-outputs?limit=1000&fields=id,flow_execution_id"
    for _ in range(20):
        page = json.loads((await connection.get(path))[1])
        ids += [row["id"] for row in page["data"]]
        executions |= {row["flow_execution_id"] for row in page["data"]}
        path = page["next"].removeprefix("/api/v1")
    return ids, sorted(executions)


async def alone(connection: Connection, kinds: dict[str, list[str]]) -> Times:
    """Milliseconds of each kind of read while nothing else is asked."""
    found: Times = {}
    for name, choices in kinds.items():
        for path in choices[:20]:
            await connection.get(path)
        found[name] = [await timed(connection, choices[number % len(choices)]) for number in range(ALONE)]
    return found


async def timed(connection: Connection, path: str) -> float:
    began = time.perf_counter()
    status, body = await connection.get(path)
    if status != 200:
        raise RuntimeError(f"{path} gave {status}: {body[:200]!r}")
    return (time.perf_counter() - began) * 1000


class Load:
    """Readers and a starter of flows, for some seconds. errors: what went wrong, with its number."""

    def __init__(self, served: Served, kinds: dict[str, list[str]], seconds: float) -> None:
        self._served = served
        self._kinds = kinds
        self._until = time.monotonic() + seconds
        self.times: Times = defaultdict(list)
        self.starts: list[float] = []
        self.errors: dict[str, int] = defaultdict(int)
        self.memory: list[tuple[float, int, int]] = []

    async def run(self, connections: int) -> None:
        readers = (self._read(random.Random(number)) for number in range(connections))
        await asyncio.gather(self._start(), self._look(), *readers)

    async def _read(self, drawn: random.Random) -> None:
        connection, names = Connection(self._served.url), list(self._kinds)
        while time.monotonic() < self._until:
            name = drawn.choice(names)
            try:
                self.times[name].append(await timed(connection, drawn.choice(self._kinds[name])))
            except (RuntimeError, OSError, asyncio.IncompleteReadError) as error:
                self.errors[f"{name}: {type(error).__name__} {error}"] += 1
                connection = Connection(self._served.url)
        await connection.close()

    async def _start(self) -> None:
        """Flows at an even pace, however long each answer takes."""
        free: list[Connection] = []
        begun = time.monotonic()
        tasks: list[asyncio.Task[None]] = []

        async def start(number: int) -> None:
            connection = free.pop() if free else Connection(self._served.url)
            began = time.perf_counter()
            status, body = await connection.post(
                "/flow-executions", {"namespace": "load", "flow_id": "ticking", "inputs": {"n": number}}
            )
            self.starts.append((time.perf_counter() - began) * 1000)
            if status != 201:
                self.errors[f"start: {status} {body[:100]!r}"] += 1
            free.append(connection)

        while time.monotonic() < self._until:
            tasks.append(asyncio.create_task(start(len(tasks))))
            await asyncio.sleep(max(0.0, begun + len(tasks) / FLOWS_A_SECOND - time.monotonic()))
        await asyncio.gather(*tasks)
        for connection in free:
            await connection.close()

    async def _look(self) -> None:
        begun = time.monotonic()
        while time.monotonic() < self._until:
            self.memory.append((time.monotonic() - begun, *self._served.memory()))
            await asyncio.sleep(1)


async def states(connection: Connection) -> dict[str, int]:
    """How many of the flows that were started are in which state."""
    found: dict[str, int] = defaultdict(int)
    path: str | None = "/flow-executions?flow_id=ticking&limit=1000"
    while path:
        page = json.loads((await connection.get(path))[1])
        for row in page["data"]:
            found[row["state"]] += 1
        path = page["next"] and page["next"].removeprefix("/api/v1")
    return found


async def ended(connection: Connection) -> tuple[dict[str, int], float]:
    """The states of all that were started, once each has ended, and the seconds that took."""
    began = time.monotonic()
    while True:
        found, seconds = await states(connection), time.monotonic() - began
        if found.keys() <= {"SUCCESS", "FAILED"} or seconds > 60:
            return dict(found), seconds
        await asyncio.sleep(0.5)


def table(times: Times) -> Iterator[str]:
    yield f"{'ms':24}{'requests':>9}{'p50':>9}{'p95':>9}{'p99':>9}{'most':>9}"
    for name, found in times.items():
        cuts = statistics.quantiles(found, n=100)
        numbers = "".join(f"{one:9.2f}" for one in (cuts[49], cuts[94], cuts[98], max(found)))
        yield f"{name:24}{len(found):9}{numbers}"


async def measure(served: Served, seconds: float, connections: int) -> None:
    connection = Connection(served.url)
    kinds = paths(*await known(connection))
    print("one connection, nothing else:", *table(await alone(connection, kinds)), sep="\n")
    load = Load(served, kinds, seconds)
    begun = served.computed()
    await load.run(connections)
    own, below = (after - before for after, before in zip(served.computed(), begun, strict=True))
    after, late = await ended(connection)
    await connection.close()
    number = sum(map(len, load.times.values()))
    print(f"\n{connections} connections for {seconds:g} s, {FLOWS_A_SECOND} flows a second: {number / seconds:.0f} reads a second")
    print(f"the server computed {own / seconds:.0%} of a core, its workers {below / seconds:.0%}")
    print(*table({**{name: load.times[name] for name in kinds}, "start a flow": load.starts}), sep="\n")
    print(f"errors: {dict(load.errors) or 'none'}; flows: {after} of {len(load.starts)}, the last one ended {late:.1f} s after the load")
    shown = [load.memory[len(load.memory) * part // 6] for part in range(6)] + load.memory[-1:]
    print("MiB of the server, and of its workers:",
          ", ".join(f"{own / MIB:.0f} + {below / MIB:.0f} at {at:.0f} s" for at, own, below in shown))  # fmt: skip


def main(seconds: float, given: str, connections: int) -> None:
    if not given.isdigit():
        served_load(Path(given), seconds, connections)
        return
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), int(given))
        served_load(Path(name), seconds, connections)


def served_load(home: Path, seconds: float, connections: int) -> None:
    with server(home) as served:

        async def prepared() -> None:
            connection = Connection(served.url)
            await connection.put("/flows/load/ticking", {"source": FLOW})
            await connection.close()
            await measure(served, seconds, connections)

        asyncio.run(prepared())


if __name__ == "__main__":
    chosen = [*sys.argv[1:], *("60", "200000", "8")[len(sys.argv) - 1 :]]
    main(float(chosen[0]), chosen[1], int(chosen[2]))
