"""A server as a process of its own, and a client that costs little beside it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_SECONDS = 30
CHUNK = 1 << 20


@dataclass
class Served:
    """A running server. url: of its API. home: where its records are."""

    url: str
    home: Path
    process: subprocess.Popen[str]

    def memory(self) -> tuple[int, int]:
        """Bytes that the server itself holds, and those of the processes it started."""
        found = {pid: (parent, size) for pid, parent, size in _processes()}
        own = found.get(self.process.pid, (0, 0))[1]
        below, wanted = 0, {self.process.pid}
        while wanted:
            wanted = {pid for pid, (parent, _) in found.items() if parent in wanted}
            below += sum(found[pid][1] for pid in wanted)
        return own, below


def _processes() -> Iterator[tuple[int, int, int]]:
    """(id, parent, resident bytes) of every process."""
    page = os.sysconf("SC_PAGE_SIZE")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
                yield int(entry.name), parent, int((entry / "statm").read_text("ascii").split()[1]) * page
            except OSError:  # it has ended
                continue


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
            await self._writer.wait_closed()

    async def _send(self, method: str, path: str, value: Mapping[str, Any]) -> tuple[int, bytes]:
        body = json.dumps(value).encode()
        head = (
            f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await self._ask(head.encode() + body)

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=CHUNK)
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        if b"transfer-encoding: chunked" in lowered:
            return status, b"".join([piece async for piece in self._pieces(self._reader)])
        at = lowered.find(b"content-length: ")
        size = int(lowered[at + 16 : lowered.index(b"\r\n", at)]) if at >= 0 else 0
        return status, await self._reader.readexactly(size)

    @staticmethod
    async def _pieces(reader: asyncio.StreamReader) -> Any:
        while size := int(await reader.readline(), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
