"""Where a script's commands run: the contract of task runners."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, dataclass_transform

from core.model.data import data, field
from core.sdk.context import RunContext
from core.sdk.properties import PluginType, prop

OnLine = Callable[[Literal["stdout", "stderr"], str], None]


@data
class Command:
    """What to run. The working directory holds everything the command may read; what it leaves there can be captured.

    argv: program and arguments. env: added to the runner's own environment. image: for runners that have images.
    on_line: called for every line while the command runs, in order per stream.
    """

    argv: tuple[str, ...]
    working_dir: Path
    on_line: OnLine
    env: Mapping[str, str] = field(factory=dict)
    image: str = ""


@data
class CommandResult:
    """How a command ended.

    exit_code: its own; -n when signal n ended it (128 + n from a shell is left as it is).
    details: what the runner knows of it (`containerId`).
    """

    exit_code: int
    details: Mapping[str, Any] = field(factory=dict)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class TaskRunner(PluginType):
    """Base of task runners. Its properties are those of the map under `taskRunner`."""

    plugin_kind = "runner"

    containers: ClassVar[bool] = False
    """Whether commands run in an image of their own instead of on this machine."""

    @classmethod
    def unavailable(cls, environment: Mapping[str, str]) -> str:
        """Why this runner can't run here, or "" when it can."""
        return ""

    @property
    def elsewhere(self) -> bool:
        """Whether its properties name the place where it runs, of which `unavailable` knows nothing."""
        return False

    @abstractmethod
    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        """Run a command to its end; stop it, and everything it started, when `ctx` says stop.

        Raises Unreachable when the place to run is not there, Invalid for an option that has no meaning here,
        Interrupted when it was stopped.
        """

    def reattach(self, ctx: RunContext, command: Command) -> CommandResult | None:
        """Go on with what an attempt of the same id left running, or None when nothing of it is left."""
        return None

    def stop_left(self, ctx: RunContext) -> None:
        """End what an attempt of the same id left running when its engine died, as a stop in `run` would have; begin
        nothing, and end in peace when nothing is left. Raises Unreachable when the place to look is not there.
        """
