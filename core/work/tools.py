"""What the far side finds on its machine: handed in once, the same for every job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from core import expressions
from core.model.data import data, field
from core.registry import Registry
from core.sdk.storage import StorageBackend
from core.work.file_lines import FileLines
from core.work.secrets import Secrets


@data
class Tools:
    """now: microseconds since 1970 UTC. clock: the same moment with a zone. entropy: that many random bytes.
    scratch: where working directories are made. runner: auto, docker, process.
    inline_limit: bytes of an output that the record keeps; larger ones become files. helper: does what can't be stopped
    in this process. constants: variables that every expression sees.
    """

    registry: Registry
    storage: StorageBackend
    secrets: Secrets
    now: Callable[[], int]
    clock: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    scratch: Path
    cache: Path
    environment: Mapping[str, str]
    runner: str
    zone: str
    user_agent: str
    durable: bool
    inline_limit: int
    plugin_version: Callable[[str], str]
    helper: Callable[[str, tuple[Any, ...]], Any]
    constants: Mapping[str, Any] = field(factory=dict)
    file_lines: FileLines = field(factory=FileLines)

    def renderer(self, functions: Mapping[str, Callable[..., Any]]) -> expressions.Renderer:
        """The evaluator of expressions, with the functions of one place in the world."""
        return expressions.Renderer(
            functions=functions, zone=self.zone, clock=self.clock, entropy=self.entropy, helper=self.helper
        )
