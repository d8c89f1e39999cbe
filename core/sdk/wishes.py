"""What a task tells the engine it needs: a place to run, a thing on the machine, a later moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from core.model.data import data, field
from core.sdk.properties import PluginType

Need = Literal["docker", "network", "runner", "executable"]
RunnerSetting = Literal["auto", "docker", "process"]
MACHINE = "this machine with its own tools"


@data
class RunnerChoice:
    """What a script says about where it wants to run.

    requested: the runner (a `TaskRunner`) named by the flow, already converted, or None. image: the image it would
    have. official: this machine can stand in for that image; stand_in: what does so, in words for people.
    setting: `auto`, `docker` or `process`, written on the task (`runner: PROCESS`), or "" for the engine's setting.
    elsewhere: the flow names the place itself, so that what this machine has does not matter.
    """

    image: str
    official: bool
    requested: PluginType | None = None
    setting: RunnerSetting | Literal[""] = ""
    stand_in: str = MACHINE
    elsewhere: bool = False


@data
class Requirement:
    """Something a task needs from the machine, asked before the run.

    need: what kind of thing. detail: which one (an image, a program). For `runner`: `image` is what the task would
    run in, `official` says that this machine can stand in for it, `stand_in` in what way; `requested` is the type name
    of the task runner that the flow names, or ""; `setting` is a preference written on the task, or "".
    """

    need: Need
    detail: str = ""
    image: str = ""
    official: bool = False
    requested: str = ""
    setting: RunnerSetting | Literal[""] = ""
    stand_in: str = MACHINE


@data
class WaitRequest:
    """A task that gives its thread back: it is called again at `until` or after `wait_for`, with `state`."""

    until: datetime | None = None
    wait_for: timedelta | None = None
    state: Mapping[str, object] = field(factory=dict)
