"""Tasks that end, or hold up, the whole process they run in."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

from core.sdk import RunContext, RunnableTask, prop


class Die(RunnableTask, type="testing.Die"):
    """End the process, after a word to standard error."""

    how: str = prop("exit, segfault, kill, abort or quietly.")
    words: str = prop("What is written first.", default="")
    when: str = prop("A file that is waited for.", default="")

    def run(self, ctx: RunContext) -> None:
        if self.words:
            print(self.words, file=sys.stderr)
        ctx.progress("began")
        (ctx.working_dir / "left behind").touch()
        while self.when and not os.path.exists(self.when):
            time.sleep(0.005)
        if self.how == "exit":
            os._exit(3)
        if self.how == "segfault":
            ctypes.string_at(0)
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "abort": signal.SIGABRT}[self.how])
        time.sleep(10)


class DieOutside(Die, type="testing.DieOutside"):
    """The same, where what was started elsewhere goes on."""

    def stop_left(self, ctx: RunContext) -> None:
        ctx.log.info(f"ended what {ctx.attempt_id} had left by {self.how}")
        if self.how == "abort":
            os._exit(4)


class Environment(RunnableTask, type="testing.Environment"):
    """Tell a variable of the process that the task runs in."""

    variable: str = prop("Its name.")

    def run(self, ctx: RunContext) -> None:
        ctx.progress(os.environ.get(self.variable, "is not there"))


class Match(RunnableTask, type="testing.Match"):
    """Hold the interpreter's lock for ages, in a regular expression."""

    def run(self, ctx: RunContext) -> None:
        ctx.progress("began")
        time.sleep(0.05)
        re.match(r"(a+)+$", "a" * 64 + "b")


class Spawn(RunnableTask, type="testing.Spawn"):
    """Start a process in a session of its own that starts another one, and wait, or die."""

    die: bool = prop("Whether to die once they run.", default=False)

    def run(self, ctx: RunContext) -> None:
        script = "sleep 1000 & echo $! $$; wait"
        child = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert child.stdout is not None
        ctx.progress(child.stdout.readline().strip())
        if self.die:
            os._exit(1)
        child.wait()


class Print(RunnableTask, type="testing.Print"):
    """Print, as a task should not, in every way there is."""

    def run(self, ctx: RunContext) -> dict[str, Any]:
        print("printed by Python")
        os.write(1, b"printed by a C library\n")
        subprocess.run(["echo", "printed by a program"], check=True)
        return {"read": sys.stdin.read(), "process": os.getpid()}


class Weigh(RunnableTask, type="testing.Weigh"):
    """Tell how many pages of memory the process has, and its number."""

    def run(self, ctx: RunContext) -> dict[str, int]:
        with open("/proc/self/statm") as sizes:
            return {"pages": int(sizes.read().split()[1]), "process": os.getpid()}
