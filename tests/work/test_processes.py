"""The executor of worker processes keeps the contract of executors, and what only processes can keep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

import tests.work.dying_tasks as dying_tasks
from core.app import App
from core.errors import Unreachable
from core.host.executor import Executor
from core.host.seam import (
    Answer,
    EvaluationJob,
    EvaluationResult,
    LogLine,
    Member,
    Progress,
    Question,
    Stop,
    TaskJob,
    Up,
)
from core.model.codec import decode
from core.model.data import evolve
from core.testing.apps import temporary_app
from core.testing.executor_contract import ExecutorContract
from core.testing.near_side import KILLED, PLACE, SECRET, NearSide
from core.work import ProcessExecutor
from tests.waiting import PATIENCE

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells and adopts")


def runs(process: int) -> bool:
    """Whether a process is there, and is more than an entry that nobody has collected yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(processes: list[int], seconds: float = PATIENCE) -> bool:
    until = time.monotonic() + seconds
    while any(map(runs, processes)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(runs, processes))


def told(near: NearSide, attempt: str = "one") -> list[str]:
    return [one.message for one in near.heard if isinstance(one, Progress) and one.attempt_id == attempt]


class TestProcessExecutor(ExecutorContract):
    ends_by_force: ClassVar[bool] = True
    task_files: ClassVar[tuple[str, ...]] = (*ExecutorContract.task_files, dying_tasks.__file__)

    def make(self, tell: Callable[[Up], None], app: App) -> Executor:
        return ProcessExecutor(tell, app.worker_tools(), workers=2, grace=self.grace)

    def test_a_worker_has_the_environment_that_is_handed_on_and_no_more(
        self, near: NearSide, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not what is the engine's alone, such as its encryption key: whatever a task starts could read it."""
        monkeypatch.setenv("TAILRACE_ENCRYPTION_KEY", "of the engine")
        near.run("testing.Environment", variable="TAILRACE_ENCRYPTION_KEY")
        assert told(near) == ["is not there"]

    # -- a process that dies

    @pytest.mark.parametrize(
        ("how", "what"),
        [
            ("exit", "ended itself with exit code 3"),
            ("segfault", "died of SIGSEGV (segmentation fault: a native library used memory that is not its own)"),
            ("abort", "died of SIGABRT (aborted: a native library gave up)"),
            ("kill", "died of SIGKILL (killed from outside, by hand or because the machine ran out of memory)"),
        ],
    )
    def test_a_task_that_ends_its_process_fails_alone(self, near: NearSide, gate: Path, how: str, what: str) -> None:
        near.send("testing.Hold", "healthy", until=str(gate))
        near.begins(1)
        dead = near.run("testing.Die", "dead", how=how, words="my last words")
        first, *rest = dead.error.splitlines()
        assert (dead.state, first) == ("FAILED", f"the process that ran the task {what}")
        assert rest[:2] == ["  it wrote last:", "    my last words"]
        lines = [one for one in near.heard if isinstance(one, LogLine)]
        assert [(one.attempt_id, one.level, one.message) for one in lines] == [("dead", "ERROR", dead.error)]
        assert near.run("testing.Say", "next", text="next").state == "SUCCESS"
        gate.touch()
        assert near.result("healthy").state == "SUCCESS"

    def test_a_crash_in_native_code_says_where_it_was_called(self, near: NearSide) -> None:
        lines = near.run("testing.Die", how="segfault").error.splitlines()
        assert "    Fatal Python error: Segmentation fault" in lines
        assert any("string_at" in line for line in lines)

    def test_what_is_told_of_a_death_holds_no_secret(self, near: NearSide) -> None:
        dead = near.run("testing.Die", how="exit", words="before {{ secret('TOKEN') }} after")
        what = "the process that ran the task ended itself with exit code 3"
        assert dead.error == f"{what}\n  it wrote last:\n    before •••• after"
        assert SECRET not in repr(near.heard)

    def test_half_a_secret_is_not_told_either(self, near: NearSide) -> None:
        words = "x" * 100 + "\n{{ secret('TOKEN') }}" + "y" * 8186  # the eighth kilobyte from the end begins inside it
        dead = near.run("testing.Die", how="exit", words=words)
        assert dead.error == "the process that ran the task ended itself with exit code 3"

    def test_what_an_earlier_task_wrote_is_not_told_with_its_secret(self, near: NearSide) -> None:
        for name in ("h1", "h2"):
            near.send("testing.Say", name, text="{{ secret('TOKEN') }}")
        assert SECRET not in near.run("testing.Die", how="exit", words=SECRET).error

    def test_a_group_whose_process_dies_fails(self, near: NearSide) -> None:
        result = near.run_group(Member("first", "testing.Die", {"how": "exit"}), Member("second", "testing.Say", {}))
        assert (result.state, result.error) == ("FAILED", "the process that ran the task ended itself with exit code 3")
        assert near.told_of_members() == [("first", "began")]

    def test_a_task_that_dies_leaves_no_directory(self, near: NearSide, tmp_path: Path) -> None:
        near.send("testing.Die", how="exit", when=str(tmp_path / "die"))
        near.begins(1)
        scratch = near.executor._description.scratch  # type: ignore[attr-defined]
        until = time.monotonic() + PATIENCE
        while not (scratch / "one" / "left behind").exists():
            assert time.monotonic() < until
        (tmp_path / "die").touch()
        near.result("one")
        assert list(scratch.iterdir()) == []

    def test_many_deaths_in_a_row_harm_nobody(self, near: NearSide) -> None:
        for number in range(6):
            near.send("testing.Die", f"d{number}", how="exit")
            near.send("testing.Say", f"s{number}", text=str(number))
        assert {near.result(f"d{number}").state for number in range(6)} == {"FAILED"}
        assert {near.result(f"s{number}").state for number in range(6)} == {"SUCCESS"}

    def test_a_worker_that_died_idle_is_replaced(self, near: NearSide) -> None:
        process = decode(near.run("testing.Weigh", "first").output or "")["process"]
        os.kill(process, 9)
        assert gone([process])
        time.sleep(0.1)
        assert near.run("testing.Say", "next", text="next").state == "SUCCESS"

    # -- a process that does not listen

    def test_a_task_that_holds_the_interpreters_lock_is_killed_in_time(self, near: NearSide, gate: Path) -> None:
        near.send("testing.Hold", "healthy", until=str(gate))
        near.send("testing.Match", "busy")
        near.begins(2)
        time.sleep(0.1)
        near.executor.send(Stop("busy", KILLED))
        result = near.result("busy")
        assert (result.state, result.error) == ("KILLED", KILLED)
        assert near.run("testing.Say", "next", text="next").state == "SUCCESS"
        gate.touch()
        assert near.result("healthy").state == "SUCCESS"

    def test_a_time_limit_holds_where_no_clock_of_the_process_runs(self, near: NearSide) -> None:
        near.send("testing.Match", timeout="PT0.2S")
        result = near.result("one")
        assert (result.state, result.error) == ("FAILED", "Timeout: the task took longer than 0.2 s")

    def test_the_limit_of_a_member_holds_there_too(self, near: NearSide) -> None:
        result = near.run_group(Member("first", "testing.Match", {}, timeout="PT0.2S"))
        why = "the task `first` does not stop. Timeout: the task took longer than 0.2 s"
        assert (result.state, result.error) == ("FAILED", why)

    def test_answers_to_a_busy_process_hold_nobody_up(self, near: NearSide, gate: Path) -> None:
        """More than a pipe holds, to a process that does not read."""
        near.run("testing.Say", text="warm")
        near.send("testing.Match", "busy")
        near.begins(1)
        worker = near.executor._running["busy"]  # type: ignore[attr-defined]
        for _ in range(10):
            worker.send(b"x" * 100_000)
        near.executor.send(Stop("busy", KILLED))
        assert near.result("busy").state == "KILLED"

    @needs_proc
    def test_an_evaluation_that_never_ends_fails(self, near: NearSide) -> None:
        """The signal of its alarm comes earlier here than it would."""
        def answer(asked: Question) -> Answer:
            os.kill(self.workers(near)[0], signal.SIGALRM)
            return Answer(asked.question_id, error="not known")

        near.answer = answer
        result = near.evaluate("{{ kv('k') }}")
        assert result == EvaluationResult(7, error="the expression takes more than 30 s")

    # -- what a process leaves behind

    @needs_proc
    def test_what_a_task_started_dies_with_its_process(self, near: NearSide) -> None:
        result = near.run("testing.Spawn", die=True)
        assert result.state == "FAILED"
        assert gone([int(number) for number in told(near)[0].split()])

    @needs_proc
    def test_what_a_task_started_is_killed_with_it(self, near: NearSide) -> None:
        near.send("testing.Spawn")
        near.wait(lambda heard: told(near))
        near.executor.send(Stop("one", KILLED))
        assert near.result("one").state == "KILLED"
        assert gone([int(number) for number in told(near)[0].split()])

    @needs_proc
    def test_closing_leaves_no_process(self, near: NearSide) -> None:
        near.send("testing.Spawn")
        near.wait(lambda heard: told(near))
        started = [*self.workers(near), *(int(number) for number in told(near)[0].split())]
        assert len(started) == 3
        near.executor.close()
        assert near.result("one").state == "KILLED"
        assert gone(started)
        near.executor.send(TaskJob("late", 1, PLACE, "testing.Say", {}, {}))
        assert self.workers(near) == []

    def workers(self, near: NearSide) -> list[int]:
        """The numbers of the worker processes: the children of those that the executor started."""
        keepers = {worker._process.pid for worker in near.executor._workers}  # type: ignore[attr-defined]
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[1]) in keepers:
                found.append(int(stat.parent.name))
        return found

    # -- what a process is

    def test_a_task_that_prints_disturbs_nothing(self, near: NearSide, capfd: pytest.CaptureFixture[str]) -> None:
        result = near.run("testing.Print")
        assert (result.state, decode(result.output or "")["read"]) == ("SUCCESS", "")
        near.executor.close()
        assert capfd.readouterr().err.splitlines() == [
            "printed by Python", "printed by a C library", "printed by a program",
        ]  # fmt: skip

    def test_processes_start_when_they_are_needed_and_stay(self, near: NearSide) -> None:
        executor = near.executor
        assert len(executor._workers) == 0  # type: ignore[attr-defined]
        seen = {decode(near.run("testing.Weigh", f"w{n}").output or "")["process"] for n in range(5)}
        assert (len(seen), len(executor._workers)) == (1, 1)  # type: ignore[attr-defined]

    def test_evaluations_do_not_wait_for_tasks(self, near: NearSide, gate: Path) -> None:
        for name in ("h1", "h2", "waits"):
            near.send("testing.Hold", name, until=str(gate))
        near.begins(2)
        assert near.evaluate("{{ inputs.n }}").value == '"3"'
        assert near.evaluate("{{ inputs.n }}").value == '"3"'
        assert len(told(near, "waits")) == 0
        gate.touch()
        assert near.result("waits").state == "SUCCESS"

    def test_questions_of_several_processes_are_not_mixed_up(self, near: NearSide) -> None:
        near.answer = lambda asked: Answer(asked.question_id, [True, asked.arguments["key"]])
        for number in range(20):
            near.send("testing.Say", f"q{number}", text=f"{{{{ kv('k{number}') }}}}")
        for number in range(20):
            assert near.result(f"q{number}").output == f'{{"value":"k{number}"}}'
        numbers = [one.question_id for one in near.heard if isinstance(one, Question)]
        assert len(set(numbers)) == 20

    def test_a_task_that_waits_for_an_answer_ends_when_the_engine_closes(self, near: NearSide) -> None:
        near.executor.tell = near.heard.append  # nobody answers
        near.send("testing.Say", text="{{ kv('k') }}")
        until = time.monotonic() + PATIENCE
        while not any(isinstance(one, Question) for one in near.heard):
            assert time.monotonic() < until
            time.sleep(0.01)
        near.executor.close()
        assert [one.state for one in near.results("one")] == ["KILLED"]

    def test_a_job_that_cannot_cross_fails(self, near: NearSide) -> None:
        result = near.run("testing.Say", text=object())
        assert result.state == "FAILED"
        assert result.error.startswith("a value of type object can't be sent to where tasks run")
        near.executor.send(EvaluationJob(9, PLACE, object(), {}))
        failed = near.wait(lambda heard: [one for one in heard if isinstance(one, EvaluationResult)])
        assert failed[0].error.startswith("a value of type object can't be sent to where tasks run")

    def test_an_answer_that_cannot_cross_fails_the_question(self, near: NearSide) -> None:
        near.answer = lambda asked: Answer(asked.question_id, object())
        result = near.run("testing.Say", text="{{ kv('k') }}")
        assert result.state == "FAILED"
        assert "a value of type object can't be sent" in result.error

    def test_what_workers_cannot_be_built_from_fails_the_job(self, tmp_path: Path) -> None:
        near = NearSide()
        with temporary_app() as app:
            description = evolve(app.worker_tools(), plugins_dir=tmp_path / "nowhere")
            near.executor = ProcessExecutor(near.tell, description, workers=1)
            result = near.run("debug.Return", format="x")
            near.executor.close()
        what = f"there is no plugins folder `{tmp_path}/nowhere`\n  expected: a folder that holds Python files"
        assert (result.state, result.error) == ("FAILED", what)

    def test_a_system_without_what_it_takes_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with temporary_app() as app:
            description = app.worker_tools()
            monkeypatch.setattr("core.work.processes.os.name", "nt")
            with pytest.raises(Unreachable) as refused:
                ProcessExecutor(print, description, workers=1)
            monkeypatch.undo()
        assert str(refused.value) == (
            "worker processes need a POSIX system\n  expected: Linux, macOS or a BSD\n"
            "  to do: let tasks run in threads here"
        )

    @needs_proc
    def test_memory_stays_as_it_is(self, near: NearSide) -> None:
        def pages() -> int:
            output = near.run("testing.Weigh", f"w{len(near.heard)}").output or ""
            return int(decode(output)["pages"])

        def many() -> None:
            for number in range(300):
                near.run("testing.Say", f"s{number}-{len(near.heard)}", text="x" * 1000)
            near.heard.clear()

        many()
        before = pages()
        many()
        many()
        assert pages() - before < 250, "a megabyte more after 600 small jobs"


ENGINE = """
import sys, time
from pathlib import Path
from core.app import open_app
from core.host.seam import Progress, TaskJob
from core.settings import load_settings
from core.testing.near_side import PLACE
from core.work import ProcessExecutor

def tell(message):
    if isinstance(message, Progress):
        print(message.message, flush=True)

with open_app(load_settings(home=Path(sys.argv[1]), plugins_dir=sys.argv[2])) as app:
    executor = ProcessExecutor(tell, app.worker_tools(), workers=2)
    for number, kind in enumerate(sys.argv[3:]):
        executor.send(TaskJob(f"a{number}", 1, PLACE, kind, {}, {}))
    print("pid", flush=True)
    time.sleep(60)
"""


@needs_proc
@pytest.mark.parametrize("kind", ["testing.Spawn", "testing.Match"])
def test_when_the_engine_is_killed_its_workers_and_their_scripts_end_within_a_second(tmp_path: Path, kind: str) -> None:
    types = tmp_path / "types"
    types.mkdir()
    (types / "dying_tasks.py").write_text(Path(dying_tasks.__file__).read_text())
    engine = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENGINE), str(tmp_path / "home"), str(types), kind],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with engine:
        assert engine.stdout is not None
        words = [engine.stdout.readline().split(), engine.stdout.readline().split()]
        below = descendants(engine.pid)
        assert len(below) == (4 if kind == "testing.Spawn" else 2), words
        time.sleep(0.1)
        engine.kill()
        engine.wait()
        assert gone(below)


def descendants(process: int) -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]
