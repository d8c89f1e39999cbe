"""One container from its start to its removal."""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from attrs import frozen
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException
from urllib3 import BaseHTTPResponse

from core.sdk import Interrupted, RunContext, Unreachable
from core.sdk.lines import LineSplitter
from core.sdk.runners import OnLine
from tailrace_runner_docker.exchange import clear, pack, unpack

Frame = tuple[int, bytes]
HEADER = struct.Struct(">BxxxL")
STDOUT, STDERR = 1, 2
KILLED = 128 + 9
"""Exit code of a container whose program was killed."""
OOM_SECONDS = 2.0
"""How long after that the engine may still learn that the kernel did it, for want of memory."""


@frozen
class Container:
    """A container that exists, by id."""

    client: APIClient
    id: str

    def copy_in(self, directory: Path, *, for_everyone: bool) -> None:
        """Put a directory at the same absolute path inside."""
        self.client.put_archive(self.id, "/", pack(directory, for_everyone=for_everyone))

    def copy_out(self, inside: str, directory: Path) -> list[str]:
        """Make a directory what the one inside is; the names that were left out (see `unpack`)."""
        try:
            chunks, _ = self.client.get_archive(self.id, inside)
        except NotFound:  # the command removed it
            clear(directory)
            return []
        return unpack(chunks, directory)

    def start(self, program: str, image: str) -> None:
        """Start it. Raises Unreachable when the image has no such program."""
        try:
            self.client.start(self.id)
        except APIError as error:
            reason = str(error.explanation or error)
            if "executable file not found" in reason or "no such file or directory" in reason:
                raise Unreachable(
                    f"There is no program `{program}` in the image `{image}`",
                    hint="name an image that has it (`containerImage`), or another `interpreter`",
                ) from error
            raise

    @contextmanager
    def attached(self) -> Iterator[Iterator[Frame]]:
        """The output of a container that is about to start."""
        wanted = {"stdout": "1", "stderr": "1", "stream": "1"}
        with closing(self.client.post(self._url("attach"), params=wanted, stream=True, timeout=None)) as response:
            response.raise_for_status()
            yield _frames(response.raw)

    def logged(self) -> Iterator[Frame]:
        """The output of a container from its beginning to its end, out of the engine's log.

        Read twice, the second time for what the first has missed: engines lose the end of a log that is followed
        when the container ends at that moment (seen with Docker 20.10, one time in ten).
        """
        seen = {STDOUT: 0, STDERR: 0}
        for follow in ("1", "0"):
            skip = dict(seen)
            wanted = {"stdout": "1", "stderr": "1", "follow": follow}
            with closing(self.client.get(self._url("logs"), params=wanted, stream=True, timeout=None)) as response:
                response.raise_for_status()
                for stream, data in _frames(response.raw):
                    known = min(skip[stream], len(data)) if follow == "0" else 0
                    skip[stream] -= known
                    seen[stream] += len(data) - known
                    yield stream, data[known:]
            self.client.wait(self.id)

    def _url(self, action: str) -> str:
        return f"{self.client.base_url}/v{self.client.api_version}/containers/{self.id}/{action}"

    def follow(self, ctx: RunContext, output: Iterator[Frame], on_line: OnLine, grace: float) -> int:
        """Hand on its output until it ends; its exit code. Raises Interrupted."""
        with self._stopping(ctx, grace) as stopped:
            out, err = LineSplitter(partial(on_line, "stdout")), LineSplitter(partial(on_line, "stderr"))
            with closing(out), closing(err):
                for stream, data in output:
                    (err if stream == STDERR else out).feed(data)
            exit_code = int(self.client.wait(self.id)["StatusCode"])
        if stopped.is_set():
            raise Interrupted(f"The container {self.id[:12]} was stopped")
        return exit_code

    @contextmanager
    def _stopping(self, ctx: RunContext, grace: float) -> Iterator[threading.Event]:
        """Inside the block a stop ends the container, which ends its output; the event tells that it was so."""
        stopped = threading.Event()
        enders: list[threading.Thread] = []

        def stop() -> None:
            if not stopped.is_set():
                stopped.set()
                ender = threading.Thread(target=self.end, args=(grace,), name=f"end-{self.id[:12]}")
                enders.append(ender)
                ender.start()

        try:
            with ctx.on_stop(stop):
                if ctx.stop_requested:
                    stop()
                yield stopped
        finally:
            for ender in enders:
                ender.join()

    def end(self, grace: float) -> None:
        """End it, by force after the grace (seconds); that it could not be ended shows in that it goes on."""
        # It may have ended meanwhile; and when the engine is gone, who reads the output learns it too.
        with suppress(DockerException, RequestException):
            if grace > 0:
                self.client.stop(self.id, timeout=math.ceil(grace))
            else:
                self.client.kill(self.id)

    def out_of_memory(self, exit_code: int) -> bool:
        """Whether the kernel ended something in it for want of memory.

        The engine hears of that and of the container's end in two ways, in either order: where only the kernel's kill
        explains the exit code, it is given some time to have heard.
        """
        last_look = time.monotonic() + (OOM_SECONDS if exit_code == KILLED else 0)
        while True:
            facts = self.client.inspect_container(self.id)
            if facts["State"].get("OOMKilled"):
                return True
            if not facts["HostConfig"].get("Memory") or time.monotonic() >= last_look:
                return False
            time.sleep(OOM_SECONDS / 20)

    def remove(self, ctx: RunContext) -> None:
        """Remove it with its anonymous volumes, running or not; a failure is a warning, since the work is done."""
        try:
            with suppress(NotFound):
                self.client.remove_container(self.id, force=True, v=True)
        except (DockerException, RequestException) as error:
            ctx.log.warn(f"The container {self.id[:12]} could not be removed: {error}")


def _frames(source: BaseHTTPResponse) -> Iterator[Frame]:
    """The engine's multiplexed output: stream number and bytes, as they come."""
    while len(header := source.read(HEADER.size)) == HEADER.size:
        stream, length = HEADER.unpack(header)
        yield stream, source.read(length)
