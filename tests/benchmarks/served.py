"""A server as a process of its own, and a client that costs little beside it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_SECONDS = 30
CHUNK = 1 << 20
IDLE_SECONDS = 3.0
"""After so long a connection is not used again: the server closes it soon."""


@dataclass
class Served:
    """A running server. url: of its API. home: where its records are."""

    url: str
    home: Path
    process: subprocess.Popen[str]

    def memory(self) -> tuple[int, int]:
        """Bytes that the server itself holds, and those of the processes it started."""
        own, below = self._family()
        return own[1], sum(one[1] for one in below)

    def computed(self) -> tuple[float, float]:
        """Seconds that the server itself has computed, and those of the processes it started."""
        own, below = self._family()
        return own[2], sum(one[2] for one in below)

    def _family(self) -> tuple[tuple[int, int, float], list[tuple[int, int, float]]]:
        """(parent, bytes, seconds) of the server, and of every process below it."""
        found = dict(_processes())
        below: list[tuple[int, int, float]] = []
        wanted = {self.process.pid}
        while wanted:
            wanted = {pid for pid, (parent, _, _) in found.items() if parent in wanted}
            below += [found[pid] for pid in wanted]
        return found.get(self.process.pid, (0, 0, 0.0)), below


def _processes() -> Iterator[tuple[int, tuple[int, int, float]]]:
    """Id → parent, resident bytes, seconds computed, of every process."""
    page, tick = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
                size = int((entry / "statm").read_text("ascii").split()[1]) * page
            except OSError:  # it has ended
                continue
            yield int(entry.name), (int(words[1]), size, (int(words[11]) + int(words[12])) / tick)


@contextmanager
def server(home: Path, *options: str) -> Iterator[Served]:
    """`python -m core server` over a home, until the block ends."""
    line = [sys.executable, "-m", "core", "server", "--home", str(home), "--port", "0", "--json", *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = ""
        until = time.monotonic() + START_SECONDS
        while not told.endswith("}\n") and time.monotonic() < until:
            told += process.stdout.readline()
        try:
            yield Served(json.loads(told)["url"], home, process)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


class Connection:
    """One connection of HTTP/1.1 that is kept: requests after each other, answers read whole."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._prefix = parts.hostname or "", parts.port or 80, parts.path
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._used = 0.0

    async def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body."""
        return await self._ask(f"GET {self._prefix}{path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    async def post(self, path: str, value: Mapping[str, Any]) -> tuple[int, bytes]:
        """The status and the body."""
        return await self._send("POST", path, value)

    async def put(self, path: str, value: Mapping[str, Any]) -> tuple[int, bytes]:
        """The status and the body."""
        return await self._send("PUT", path, value)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):  # the other side was faster
                await self._writer.wait_closed()
            self._writer = None

    async def _send(self, method: str, path: str, value: Mapping[str, Any]) -> tuple[int, bytes]:
        body = json.dumps(value).encode()
        head = (
            f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await self._ask(head.encode() + body)

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        if self._writer is None or self._reader is None or time.monotonic() - self._used > IDLE_SECONDS:
            await self.close()
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=CHUNK)
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in head:
            body = b"".join([piece async for piece in self._pieces(self._reader)])
        else:
            at = head.find(b"content-length: ")
            size = int(head[at + 16 : head.index(b"\r\n", at)]) if at >= 0 else 0
            body = await self._reader.readexactly(size)
        self._used = time.monotonic()
        return status, body

    @staticmethod
    async def _pieces(reader: asyncio.StreamReader) -> Any:
        while size := int(await reader.readline(), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
