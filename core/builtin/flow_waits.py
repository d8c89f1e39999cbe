"""Flow tasks that wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from core.builtin.flow import Block
from core.model.inputs import Input
from core.sdk import Invalid, Step, Wait, Work, format_duration, prop


class Pause(Block, type="flow.Pause", aliases=("io.kestra.plugin.core.flow.Pause", "io.kestra.core.tasks.flows.Pause")):
    """Wait for a while, or until a person goes on."""

    pause_duration: timedelta | None = prop("For how long.", default=None, aliases=("delay",))
    timeout: timedelta | None = prop("It fails when nobody has gone on for so long.", default=None)
    behavior: Literal["RESUME", "WARN", "FAIL", "CANCEL"] = prop(
        "What happens when `pauseDuration` has passed.", default="RESUME"
    )
    on_pause: Step | None = prop("A runnable task to run when the waiting begins.", default=None)
    on_resume: list[Input] | None = prop(
        "Inputs that a person gives when going on; read as `outputs.<id>.onResume`.", default=None, render=False
    )
    tasks: list[Step] | None = prop(
        "Tasks to run after the waiting.", default=None, deprecated="tasks behind the pause"
    )

    def plan(self) -> Wait:
        if self.on_pause is not None and not isinstance(self.on_pause.node, Work):
            raise Invalid(
                "Only a runnable task is allowed as `onPause`", where="$.onPause", expected="a task that does work"
            )
        return Wait(
            _text(self.pause_duration), _text(self.timeout), self.behavior, self.on_pause, tuple(self.tasks or ()),
            self.policy(),
        )  # fmt: skip


def _text(span: timedelta | str | None) -> str | None:
    return format_duration(span) if isinstance(span, timedelta) else span
