from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.builtin.process import Process
from core.sdk import Command, Interrupted, Invalid, TaskRunner, Unreachable
from core.sdk.lines import LineSplitter
from core.testing.plain_context import PlainContext
from core.testing.runner_contract import MARK, RunnerContract
from tests.waiting import PATIENCE


def processes_of(attempt: str) -> list[str]:
    """Command lines of the processes that run with an attempt's variable (ended ones have no environment)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={attempt}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().decode())
        except OSError:  # ended meanwhile
            continue
    return found


class TestProcess(RunnerContract):
    @pytest.fixture
    def runner(self) -> TaskRunner:
        return Process()

    def leftovers(self, ctx: PlainContext) -> Sequence[str]:
        deadline = time.monotonic() + 20  # the system may need a moment to carry out a kill
        while (found := processes_of(ctx.attempt_id)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def test_the_search_for_leftovers_finds_what_runs(self, ctx: PlainContext, runner: TaskRunner) -> None:
        found: list[str] = []

        def look() -> None:
            while not found and time.monotonic() < deadline:
                found.extend(line for line in processes_of(ctx.attempt_id) if line.startswith("sleep"))

        deadline = time.monotonic() + PATIENCE
        looking = threading.Thread(target=look)
        looking.start()
        self.shell(runner, ctx, "sleep 0.5")
        looking.join()
        assert found == ["sleep\x000.5\x00"]

    def test_death_by_a_signal_is_its_negative_number(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "kill -15 $$").result.exit_code == -signal.SIGTERM

    def test_the_engines_environment_is_inherited_and_the_tasks_own_wins(
        self, runner: TaskRunner, tmp_path: Path
    ) -> None:
        environment = {"PATH": os.defpath, "KEPT": "engine", "OWN": "engine"}
        ran = self.run(runner, PlainContext(tmp_path, environment), "sh", "-c", "echo $KEPT $OWN", env={"OWN": "task"})
        assert ran.stdout == ["engine task"]

    def test_a_stop_first_asks_and_lets_the_command_clean_up(self, runner: TaskRunner, ctx: PlainContext) -> None:
        script = "trap 'sleep 0.8; echo bye > said; exit' TERM; echo started; while :; do sleep 0.05; done"
        with pytest.raises(Interrupted, match=r"^`sh` was stopped$"):
            self.shell(runner, ctx, script, stop_at="started")
        assert (ctx.working_dir / "said").read_text() == "bye\n"

    def test_a_stop_ends_what_would_go_on(self, runner: TaskRunner, ctx: PlainContext) -> None:
        threading.Timer(0.5, ctx.stop).start()
        with pytest.raises(Interrupted, match=r"^`sleep` was stopped$"):
            self.run(runner, ctx, "sleep", "600")

    def test_what_is_left_is_asked_to_end_first(self, ctx: PlainContext, runner: TaskRunner) -> None:
        script = (  # nobody reads what it writes any more
            "trap 'echo bye > said; exit' TERM; echo started; exec > /dev/null 2>&1; while :; do sleep 0.05; done"
        )
        self.leave_running(runner, ctx, script)
        runner.stop_left(ctx)
        assert ctx.log.lines == [("INFO", "Ending processes that were left running")]
        assert (ctx.working_dir / "said").read_text() == "bye\n"
        assert not self.leftovers(ctx)

    def test_whoever_ends_what_is_left_does_not_end_itself(self, ctx: PlainContext, runner: TaskRunner) -> None:
        """A script may be what asks for the end of its own execution."""
        kill = (
            "from core.builtin.process import Process\nfrom core.testing.plain_context import PlainContext\n"
            f"import pathlib\nProcess().stop_left(PlainContext(pathlib.Path('.'), {{}}, attempt_id={ctx.attempt_id!r}))"
        )
        script = 'PYTHONPATH="$PLACES" "$0" -c "$1"; echo ended $?'
        places = os.pathsep.join(sys.path)
        ran = self.run(runner, ctx, "sh", "-c", script, sys.executable, kill, env={"PLACES": places})
        assert (ran.stdout, ran.stderr) == (["ended 0"], [])

    def test_background_work_may_still_write_for_a_moment(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "(sleep 0.2; echo late) & echo early").stdout == ["early", "late"]

    def test_a_descriptor_of_the_process_is_not_needed(
        self, runner: TaskRunner, ctx: PlainContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
        ran = self.shell(runner, ctx, "echo a; exec >&- 2>&-; sleep 0.3; exit 9")
        assert (ran.stdout, ran.result.exit_code) == (["a"], 9)
        assert self.shell(runner, ctx, "sleep 60 & exit 0").result.exit_code == 0
        assert not self.leftovers(ctx)

    def test_no_descriptor_stays_open(self, runner: TaskRunner, ctx: PlainContext) -> None:
        self.shell(runner, ctx, "true")
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            self.shell(runner, ctx, "echo a; echo b >&2")
        assert len(os.listdir("/proc/self/fd")) == before

    def test_a_program_without_the_right_to_run_is_named(self, runner: TaskRunner, ctx: PlainContext) -> None:
        (ctx.working_dir / "tool").write_text("#!/bin/sh\n")
        with pytest.raises(Unreachable) as caught:
            self.run(runner, ctx, "./tool")
        assert str(caught.value) == "`./tool` can't be started: Permission denied"

    def test_the_message_for_a_missing_program_says_what_to_do(self, runner: TaskRunner, ctx: PlainContext) -> None:
        with pytest.raises(Unreachable) as caught:
            self.run(runner, ctx, "polarsx")
        assert str(caught.value) == (
            "There is no program `polarsx` on this machine\n"
            "  to do: install it or add its directory to PATH; if it is there, see whether the interpreter in its "
            "first line is; or run the task in a container (`taskRunner: {type: runner.Docker}`)"
        )

    def test_a_working_directory_that_is_gone_is_named(self, runner: TaskRunner, ctx: PlainContext) -> None:
        gone = ctx.root / "gone"
        with pytest.raises(Unreachable) as caught:
            runner.run(ctx, Command(("true",), gone, lambda stream, line: None))
        assert str(caught.value) == f"The working directory `{gone}` does not exist"

    def test_an_argument_that_no_system_can_pass_is_refused(self, runner: TaskRunner, ctx: PlainContext) -> None:
        with pytest.raises(Invalid, match=r"^`echo` can't be started: embedded null byte$"):
            self.run(runner, ctx, "echo", "a\0b")

    def test_the_engines_signals_do_not_reach_the_command(self, runner: TaskRunner, ctx: PlainContext) -> None:
        code = "import os; print(os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid())"
        assert self.run(runner, ctx, sys.executable, "-c", code).stdout == ["True True"]


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b\r", b"\nc"], ["ab", "c"]),
        ([b"\n\n"], ["", ""]),
        (["ü".encode()[:1], "ü".encode()[1:] + b"\n"], ["ü"]),
        ([b"\xc3"], ["\ufffd"]),
        ([b"abcdefghij"], ["abcd", "efgh", "ij"]),
        ([b"abcdefgh\nx"], ["abcd", "efgh", "x"]),
        ([], []),
    ],
)
def test_lines_are_cut_wherever_the_chunks_end(chunks: list[bytes], lines: list[str]) -> None:
    seen: list[str] = []
    splitter = LineSplitter(seen.append, longest=4)
    for chunk in chunks:
        splitter.feed(chunk)
    splitter.close()
    assert seen == lines
