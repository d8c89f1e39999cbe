"""What every task runner must do, as tests to inherit.

    class TestMyRunner(RunnerContract):
        image = "my/image:1"                # for runners with images; it needs a POSIX shell

        @pytest.fixture
        def runner(self): return MyRunner()

        def leftovers(self, ctx): return […]    # what still runs or exists of this attempt
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from attrs import Factory, define

from core.errors import Interrupted, Invalid, Unreachable
from core.sdk.lines import LONGEST_LINE
from core.sdk.runners import Command, CommandResult, TaskRunner
from core.testing.plain_context import PlainContext

MARK = "TAILRACE_ATTEMPT"
"""A variable that every command of the contract has: by it a runner's tests find processes that are left."""
_DYING = f"""
import os, pickle, signal, sys
from core.sdk.runners import Command
from core.testing.plain_context import PlainContext
runner, root, environment, attempt, argv, image = pickle.load(sys.stdin.buffer)
ctx = PlainContext(root, environment=environment, attempt_id=attempt)
die = lambda stream, line: os.kill(os.getpid(), signal.SIGKILL)
runner.run(ctx, Command(argv, ctx.working_dir, die, {{{MARK!r}: attempt}}, image))
"""
HARD_TEXTS = ("two words", "", "it's", 'say "hi"', "$HOME `id` \\n *", "first\nsecond", "größe-日本")


@define
class Ran:
    """A command that has ended, with its lines by stream."""

    result: CommandResult
    stdout: list[str] = Factory(list)
    stderr: list[str] = Factory(list)


class RunnerContract:
    """Inherited by the tests of a task runner; what it asks is in the names of its tests."""

    image: ClassVar[str] = ""

    @pytest.fixture
    def runner(self) -> TaskRunner:
        """The runner under test, with its default properties."""
        raise NotImplementedError("give the task runner under test by a fixture `runner`")

    @pytest.fixture
    def environment(self) -> Mapping[str, str]:
        """The environment of the engine."""
        return {"PATH": os.defpath}

    @pytest.fixture
    def ctx(self, tmp_path: Path, environment: Mapping[str, str]) -> PlainContext:
        """The context of one attempt, with an id that no other test of this session has."""
        return PlainContext(tmp_path, environment=environment, attempt_id=f"{os.getpid()}-{tmp_path.name}")

    def leftovers(self, ctx: PlainContext) -> Sequence[str]:
        """What still runs or exists of an attempt after its command."""
        raise NotImplementedError("say what is left of an attempt")

    def run(
        self, runner: TaskRunner, ctx: PlainContext, *argv: str, env: Mapping[str, str] | None = None, stop_at: str = ""
    ) -> Ran:
        """Run a command to its end; `stop_at`: ask for a stop when this line has come."""
        seen: dict[str, list[str]] = {"stdout": [], "stderr": []}

        def on_line(stream: Literal["stdout", "stderr"], line: str) -> None:
            seen[stream].append(line)
            if stop_at and line == stop_at:
                threading.Thread(target=ctx.stop).start()

        environment = {MARK: ctx.attempt_id, **(env or {})}
        result = runner.run(ctx, Command(argv, ctx.working_dir, on_line, environment, self.image))
        return Ran(result, seen["stdout"], seen["stderr"])

    def shell(self, runner: TaskRunner, ctx: PlainContext, script: str, *, stop_at: str = "") -> Ran:
        """Run a text in the shell."""
        return self.run(runner, ctx, "sh", "-c", script, stop_at=stop_at)

    # How commands end

    @pytest.mark.parametrize("code", [0, 1, 42, 255])
    def test_exit_code_is_the_commands_own(self, runner: TaskRunner, ctx: PlainContext, code: int) -> None:
        assert self.shell(runner, ctx, f"exit {code}").result.exit_code == code

    def test_death_by_a_signal_shows_in_the_exit_code(self, runner: TaskRunner, ctx: PlainContext) -> None:
        # The first process of a container can't kill itself, so it says itself what a shell would say of it.
        ran = self.shell(runner, ctx, "sh -c 'kill -9 $$'; echo $?; kill -9 $$; exit 137")
        assert ran.stdout[-1] == "137"
        assert ran.result.exit_code in (-9, 137)

    def test_a_program_that_is_not_there_is_named(self, runner: TaskRunner, ctx: PlainContext) -> None:
        with pytest.raises(Unreachable, match="There is no program `no-such-program-anywhere` ") as caught:
            self.run(runner, ctx, "no-such-program-anywhere", "--help")
        assert caught.value.hint
        assert not self.leftovers(ctx)

    def test_a_command_without_words_is_refused(self, runner: TaskRunner, ctx: PlainContext) -> None:
        with pytest.raises(Invalid, match="There is no command to run"):
            self.run(runner, ctx)

    def test_nothing_is_left_after_success_and_failure(self, runner: TaskRunner, ctx: PlainContext) -> None:
        for code in (0, 1):
            self.shell(runner, ctx, f"sleep 60 >/dev/null 2>&1 & exit {code}")
            assert not self.leftovers(ctx)

    def test_what_runs_on_in_the_background_holds_nothing_up(self, runner: TaskRunner, ctx: PlainContext) -> None:
        started = time.monotonic()
        ran = self.shell(runner, ctx, "sleep 600 & echo done")
        assert ran.stdout == ["done"]
        assert time.monotonic() - started < 300

    def test_nothing_of_an_unknown_attempt_is_resumed(self, runner: TaskRunner, ctx: PlainContext) -> None:
        command = Command(("true",), ctx.working_dir, lambda stream, line: None, image=self.image)
        assert runner.reattach(ctx, command) is None

    # What outlives its engine

    def leave_running(self, runner: TaskRunner, ctx: PlainContext, script: str) -> None:
        """Run a text in the shell in a process that dies once it has written its first line."""
        argv = ("sh", "-c", script)
        given = pickle.dumps((runner, ctx.root, dict(ctx.environment), ctx.attempt_id, argv, self.image))
        environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(
            (sys.executable, "-c", _DYING), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as process:
            process.communicate(given)

    def test_what_a_dead_engine_left_running_is_ended(self, runner: TaskRunner, ctx: PlainContext) -> None:
        script = "trap '' TERM INT HUP; sh -c 'while :; do sleep 1; done' & echo started; while :; do sleep 1; done"
        self.leave_running(runner, ctx, script)
        runner.stop_left(ctx)
        assert not self.leftovers(ctx)

    def test_ending_what_is_left_of_an_unknown_attempt_does_nothing(
        self, runner: TaskRunner, ctx: PlainContext
    ) -> None:
        runner.stop_left(ctx)
        assert (ctx.log.lines, list(self.leftovers(ctx))) == ([], [])

    # What commands are given

    def test_arguments_arrive_as_they_are(self, runner: TaskRunner, ctx: PlainContext) -> None:
        script = 'for text in "$@"; do printf "<%s>\\n" "$text"; done'
        ran = self.run(runner, ctx, "sh", "-c", script, "sh", *HARD_TEXTS)
        assert "\n".join(ran.stdout) == "\n".join(f"<{text}>" for text in HARD_TEXTS)

    @pytest.mark.parametrize("text", HARD_TEXTS)
    def test_variables_arrive_as_they_are(self, runner: TaskRunner, ctx: PlainContext, text: str) -> None:
        ran = self.run(runner, ctx, "sh", "-c", 'printf "<%s>" "$GIVEN"', env={"GIVEN": text})
        assert "\n".join(ran.stdout) == f"<{text}>"

    def test_the_command_runs_in_the_working_directory(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "pwd").stdout == [str(ctx.working_dir)]

    def test_reading_standard_input_ends_at_once(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "cat; echo end").stdout == ["end"]

    # Lines

    def test_lines_keep_their_stream_and_order(self, runner: TaskRunner, ctx: PlainContext) -> None:
        ran = self.shell(runner, ctx, "for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done")
        assert ran.stdout == [f"out{i}" for i in range(1, 6)]
        assert ran.stderr == [f"err{i}" for i in range(1, 6)]

    def test_lines_come_while_the_command_runs(self, runner: TaskRunner, ctx: PlainContext) -> None:
        came: list[float] = []

        def on_line(stream: Literal["stdout", "stderr"], line: str) -> None:
            came.append(time.monotonic())

        argv = ("sh", "-c", "echo first; sleep 1.5; echo second")
        runner.run(ctx, Command(argv, ctx.working_dir, on_line, image=self.image))
        assert came[1] - came[0] > 1

    def test_a_silent_command_is_waited_for(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "exec >&- 2>&-; sleep 1; exit 7").result.exit_code == 7

    def test_line_ends_are_cut_off_and_the_last_line_needs_none(self, runner: TaskRunner, ctx: PlainContext) -> None:
        ran = self.shell(runner, ctx, "printf 'unix\\nwindows\\r\\n\\nlast'")
        assert ran.stdout == ["unix", "windows", "", "last"]

    def test_bytes_that_are_no_text_are_replaced(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "printf 'a\\377b\\n'").stdout == ["a\ufffdb"]

    def test_many_lines_all_arrive(self, runner: TaskRunner, ctx: PlainContext) -> None:
        assert self.shell(runner, ctx, "seq 200000").stdout == [str(number) for number in range(1, 200001)]

    def test_a_line_without_end_comes_in_pieces(self, runner: TaskRunner, ctx: PlainContext) -> None:
        ran = self.shell(runner, ctx, "head -c 3000000 /dev/zero | tr '\\0' x")
        assert sum(map(len, ran.stdout)) == 3_000_000
        assert max(map(len, ran.stdout)) <= LONGEST_LINE

    def test_an_error_in_who_reads_the_lines_leaves_nothing_running(
        self, runner: TaskRunner, ctx: PlainContext
    ) -> None:
        def on_line(stream: Literal["stdout", "stderr"], line: str) -> None:
            raise Invalid("this line is not wanted")

        command = Command(("sh", "-c", "echo x; sleep 60"), ctx.working_dir, on_line, {MARK: "x"}, self.image)
        with pytest.raises(Invalid, match="this line is not wanted"):
            runner.run(ctx, command)
        assert not self.leftovers(ctx)

    # Files

    def test_files_in_the_working_directory_are_read(self, runner: TaskRunner, ctx: PlainContext) -> None:
        (ctx.working_dir / "größe.txt").write_text("12 m\n", encoding="utf-8")
        assert self.shell(runner, ctx, "cat größe.txt").stdout == ["12 m"]

    def test_files_left_in_the_working_directory_can_be_read_and_removed(
        self, runner: TaskRunner, ctx: PlainContext
    ) -> None:
        self.shell(runner, ctx, "umask 077; mkdir -p sub/deep empty; printf 日本 > 'sub/deep/日本 1.txt'; exit 3")
        left = ctx.working_dir / "sub/deep/日本 1.txt"
        assert left.read_text(encoding="utf-8") == "日本"
        assert (ctx.working_dir / "empty").is_dir()
        left.unlink()
        (ctx.working_dir / "empty").rmdir()

    def test_files_are_changed_and_removed_by_the_command(self, runner: TaskRunner, ctx: PlainContext) -> None:
        for name in ("kept", "changed", "removed"):
            (ctx.working_dir / name).write_text("before")
        self.shell(runner, ctx, "printf after > changed; rm removed")
        left = {path.name: path.read_text() for path in ctx.working_dir.iterdir()}
        assert left == {"kept": "before", "changed": "after"}

    def test_programs_and_links_stay_what_they_are(self, runner: TaskRunner, ctx: PlainContext) -> None:
        program = ctx.working_dir / "bin" / "hello"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\necho hello > said\n")
        program.chmod(0o755)
        (ctx.working_dir / "link").symlink_to("bin/hello")
        self.shell(runner, ctx, "./link && ln -s said again")
        assert os.access(program, os.X_OK)
        assert (ctx.working_dir / "again").read_text() == "hello\n"
        assert (ctx.working_dir / "again").is_symlink()
        assert (ctx.working_dir / "link").is_symlink()

    def test_commands_at_the_same_time_do_not_mix(self, runner: TaskRunner, tmp_path: Path, ctx: PlainContext) -> None:
        others = [PlainContext(tmp_path / x, ctx.environment, attempt_id=f"{ctx.attempt_id}-{x}") for x in "ab"]
        found: dict[str, list[str]] = {}

        def work(other: PlainContext) -> None:
            found[other.root.name] = self.shell(runner, other, f"echo {other.root.name} > x; sleep 0.3; cat x").stdout

        threads = [threading.Thread(target=work, args=(other,)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {"a": ["a"], "b": ["b"]}

    # Stops

    def test_a_stop_ends_the_command_and_what_it_started(self, runner: TaskRunner, ctx: PlainContext) -> None:
        started = time.monotonic()
        with pytest.raises(Interrupted):
            self.shell(runner, ctx, "sleep 600 & echo started; wait", stop_at="started")
        assert time.monotonic() - started < 300
        assert not self.leftovers(ctx)

    def test_a_stop_ends_what_does_not_want_to_end(self, runner: TaskRunner, ctx: PlainContext) -> None:
        script = "trap '' TERM INT HUP; sh -c 'while :; do sleep 1; done' & echo started; while :; do sleep 1; done"
        started = time.monotonic()
        with pytest.raises(Interrupted):
            self.shell(runner, ctx, script, stop_at="started")
        assert time.monotonic() - started < 300
        assert not self.leftovers(ctx)

    def test_a_stop_ends_a_command_that_never_ceases_to_write(self, runner: TaskRunner, ctx: PlainContext) -> None:
        with pytest.raises(Interrupted):
            self.shell(runner, ctx, "echo started; while :; do echo more; done", stop_at="started")
        assert not self.leftovers(ctx)

    def test_after_a_stop_nothing_is_started(self, runner: TaskRunner, ctx: PlainContext) -> None:
        ctx.stop()
        with pytest.raises(Interrupted):
            self.shell(runner, ctx, "touch started")
        assert not (ctx.working_dir / "started").exists()
        assert not self.leftovers(ctx)
