"""Tasks that behave, and tasks that don't: what `ExecutorContract` lets an executor run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.sdk import RunContext, RunnableTask, TaskFailed, TaskOutput, Unreachable, prop

_RAISED: dict[str, type[BaseException]] = {
    "value": ValueError, "exit": SystemExit, "interrupt": KeyboardInterrupt, "generator": GeneratorExit,
    "memory": MemoryError, "recursion": RecursionError,
}  # fmt: skip


class Say(RunnableTask, type="testing.Say"):
    """Log a line, measure, tell how far it is, and give a value."""

    text: str = prop("What to say.", default="")

    class Output(TaskOutput):
        value: str = prop("What was said.")

    def run(self, ctx: RunContext) -> Output:
        ctx.log.info(self.text)
        ctx.metric("length", len(self.text), tags={"text": self.text})
        ctx.progress(self.text, 0.5)
        return self.Output(value=self.text)


class Hold(RunnableTask, type="testing.Hold"):
    """Wait until a file exists, or until it is stopped."""

    until: str = prop("The file.")
    deaf: bool = prop("Whether a stop is ignored.", default=False)
    slow_to_stop: float = prop("Seconds that the callback of a stop takes.", default=0.0)
    broken_stop: bool = prop("Whether the callback of a stop raises.", default=False)

    def run(self, ctx: RunContext) -> None:
        def stop() -> None:
            time.sleep(self.slow_to_stop)
            if self.broken_stop:
                raise ValueError("nothing to stop")

        with ctx.on_stop(stop):
            ctx.progress("began")
            while not Path(self.until).exists() and (self.deaf or not ctx.stop_requested):
                time.sleep(0.005)
        ctx.progress("ended")
        ctx.log.info("the last word")


class Leave(RunnableTask, type="testing.Leave"):
    """Leave a file in the working directory, and tell which ones were there."""

    name: str = prop("The file's name.")
    text: str = prop("What is written.", default="")

    def run(self, ctx: RunContext) -> dict[str, object]:
        found = {path.name: path.read_text() for path in sorted(ctx.working_dir.iterdir()) if path.is_file()}
        (ctx.working_dir / self.name).write_text(self.text)
        return {"found": found}


class Break(RunnableTask, type="testing.Break"):
    """Raise what no task should raise."""

    how: str = prop("Which exception.")

    def run(self, ctx: RunContext) -> None:
        raise _RAISED[self.how]("not my day")


class Odd(RunnableTask, type="testing.Odd"):
    """Give what can't be recorded."""

    what: str = prop("object, loop or keys (which are recorded as texts).")

    def run(self, ctx: RunContext) -> Any:
        if self.what == "object":
            return {"value": object()}
        if self.what == "keys":
            ctx.end_with_warning("")
            return {1: 2, None: 3, "n": 10**400}
        odd: list[Any] = []
        odd.append(odd)
        return {"value": odd}


class NoSummary(RunnableTask, type="testing.NoSummary"):
    """Have a summary that breaks."""

    fail: bool = prop("Whether the task fails, with an output.", default=False)

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"n": output["nothing"]}

    def run(self, ctx: RunContext) -> Any:
        if self.fail:
            raise TaskFailed("no luck", output={"exitCode": 3})
        return {"exitCode": 0}


class Tell(RunnableTask, type="testing.Tell"):
    """Tell a secret wherever one can be told."""

    secret: str = prop("The secret.")
    fail: bool = prop("Whether the task fails with the secret in its reason.", default=False)

    def run(self, ctx: RunContext) -> Any:
        text = f"before {self.secret} after"
        ctx.log.error(text)
        ctx.progress(text)
        ctx.metric("secrets", 1, tags={"secret": text})
        ctx.end_with_warning(text)
        if self.fail:
            raise TaskFailed(text, where=text, hint=text, output={"text": text})
        return {"text": text, "list": [self.secret], self.secret: 1}


class Twice(RunnableTask, type="testing.Twice"):
    """Wait a minute, and tell what was kept meanwhile."""

    def run(self, ctx: RunContext) -> Any:
        if ctx.waited is None:
            return ctx.wait(for_=timedelta(seconds=60), state={"began": "there"})
        return {"waited": dict(ctx.waited)}


class Outlive(RunnableTask, type="testing.Outlive"):
    """Have something that outlives its engine."""

    text: str = prop("What is said of its end; `unreachable` or what `testing.Break` raises: how that fails.")
    secret: str = prop("Said of it, too.", default="")
    count: int = prop("A number.", default=0)
    until: str = prop("A file that is waited for.", default="")

    def run(self, ctx: RunContext) -> None:
        ctx.log.info("begun")

    def stop_left(self, ctx: RunContext) -> None:
        while self.until and not Path(self.until).exists():
            time.sleep(0.005)
        if self.text == "unreachable":
            raise Unreachable(f"nobody answers {self.secret}")
        if self.text in _RAISED:
            raise _RAISED[self.text]("not my day")
        ctx.log.info(f"ended {ctx.attempt_id}: {self.text}")


TASKS = (Say, Hold, Leave, Break, Odd, NoSummary, Tell, Twice, Outlive)
