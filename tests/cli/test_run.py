"""What `run` prints and how it ends, for whatever the app answers."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import Unreachable
from core.host.views import (
    ExecutionChanged,
    LogView,
    Reason,
    TaskChanged,
    TaskLogged,
    TaskProgressed,
)  # fmt: skip
from core.loading.problems import Problem
from core.model.data import evolve
from core.model.flow import FlowTrigger

Run = Callable[..., tuple[int, str, str]]
T0 = 1_746_093_600_000_000

@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

def test_json_is_exactly_the_promised_object(app: Any, call: Run, make_task: Any, make_execution: Any) -> None:
    app.ended = make_execution(outputs={"total": 5})
    app.task_views = (make_task("api"), make_task("each", value="a", state="FAILED", error="no"))
    app.values = {"t-api": {"value": "x"}}

    code, out, err = call("run", "flow.yaml", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "id": "e-1",
        "flow": {"namespace": "company.team", "id": "shop", "revision": 3},
        "state": "SUCCESS",
        "status": "completed",
        "duration": 2.5,
        "inputs": {"who": "you"},
        "outputs": {"total": 5},
        "task_executions": [
            {"id": "t-api", "task_name": "api", "value": None, "state": "SUCCESS", "duration": 1.2, "attempts": 1,
             "output": {"value": "x"}, "error": None},
            {"id": "t-each", "task_name": "each", "value": "a", "state": "FAILED", "duration": 1.2, "attempts": 1,
             "output": None, "error": "no"},
        ],
    }  # fmt: skip

def test_results_go_to_stdout_and_changes_to_stderr(app: Any, call: Run, make_task: Any) -> None:
    app.task_views = (make_task("api", summary={"code": 200, "length": 12}),)
    app.preflight_lines = ("scripts run as processes",)
    app.happenings = (
        TaskChanged("e-1", "t-api", "api", "debug.Return", "RUNNING", T0),
        TaskLogged("e-1", "api", T0, "DEBUG", "not shown"),
        TaskLogged("e-1", "api", T0, "INFO", "one\ntwo"),
        TaskProgressed("e-1", "api", "half", 0.5),
        TaskProgressed("e-1", "api", "half", 0.5),
        TaskChanged("e-1", "t-api", "api", "debug.Return", "SUCCESS", T0 + 1_200_000),
    )

    code, out, err = call("run", "flow.yaml")

    assert code == 0
    assert err.splitlines() == [
        "scripts run as processes",
        "10:00:00 api RUNNING",
        "10:00:00 api INFO one",
        "10:00:00 api INFO two",
        "         api 50% half",
        "10:00:01 api SUCCESS 1.20 s",
    ]
    assert out.splitlines() == [
        "e-1  SUCCESS  2.50 s",
        "company.team/shop, revision 3",
        "",
        "TASK  STATE    DURATION  OUTPUT",
        "api   SUCCESS  1.20 s    code=200, length=12",
        "",
        "look further:",
        "  python -m core outputs list --flow-execution-id e-1",
        "  python -m core outputs show t-api",
        "  python -m core eval e-1 '{{ outputs.api }}'",
        "  python -m core executions logs e-1",
    ]

def test_the_end_of_a_run_reads_its_tasks_once(
    app: Any, call: Run, make_task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.task_views = (make_task("api"),)
    asked: list[str] = []

    def counted(self: Any, execution_id: str) -> Any:
        asked.append(execution_id)
        return self.task_views

    monkeypatch.setattr(type(app), "tasks", counted)
    assert call("run", "flow.yaml")[0] == 0
    assert asked == ["e-1"]


def test_the_printed_commands_name_the_home_that_was_given(app: Any, call: Run, tmp_path: Path) -> None:
    _, out, _ = call("run", "flow.yaml", "--home", str(tmp_path / "my home"))

    assert f"  python -m core executions logs e-1 --home '{tmp_path}/my home'\n" in out

def test_a_failure_tells_the_task_the_reason_and_the_last_errors_logged(
    app: Any, call: Run, make_task: Any, make_execution: Any
) -> None:
    app.ended = make_execution(state="FAILED", error="task `api` failed")
    app.task_views = (make_task("api", state="FAILED", error="exit code 3"),)
    app.log_views = tuple(LogView(n, T0, "ERROR", "api", 1, f"line {n}") for n in range(1, 13))

    code, out, _ = call("run", "flow.yaml")

    assert code == 1
    shown = out[out.index("task `api`") : out.index("\nlook further")]
    assert shown.splitlines() == [
        "task `api` is FAILED: exit code 3",
        "task `api` failed",
        "",
        "last errors logged:",
        *(f"  10:00:00 api ERROR line {n}" for n in range(3, 13)),
    ]

def test_quiet_prints_the_id_alone_and_the_reason_of_a_failure(app: Any, call: Run, make_execution: Any) -> None:
    app.preflight_lines = ("a note",)
    assert call("run", "flow.yaml", "--quiet") == (0, "e-1\n", "")

    app.ended = make_execution(state="FAILED", error="no luck")
    assert call("run", "flow.yaml", "--quiet") == (1, "e-1\n", "error: the execution is FAILED: no luck\n")

@pytest.mark.parametrize(
    ("state", "code"),
    [("SUCCESS", 0), ("WARNING", 0), ("FAILED", 1), ("KILLED", 1), ("CANCELLED", 1), ("PAUSED", 4), ("QUEUED", 4)],
)
def test_the_exit_code_tells_how_it_ended(
    app: Any, call: Run, make_execution: Any, state: str, code: int
) -> None:
    app.ended = make_execution(state=state)

    assert call("run", "flow.yaml")[0] == code

def test_a_paused_execution_says_what_it_waits_for(app: Any, call: Run, make_execution: Any) -> None:
    app.ended = make_execution(state="PAUSED", ended_at=None)
    app.reasons = (Reason("approve waits for a person", ("executions", "resume", "e-1")),)

    _, out, _ = call("run", "flow.yaml")

    assert "\napprove waits for a person\n  python -m core executions resume e-1\n" in out

def test_what_is_missing_before_the_run_ends_with_3(app: Any, call: Run) -> None:
    app.preflight_lines = Unreachable("no Docker engine answers", hint="add --runner process")

    code, out, err = call("run", "flow.yaml")

    assert (code, out) == (3, "")
    assert err == "error: no Docker engine answers\n  to do: add --runner process\n"

def test_an_invalid_flow_is_told_with_its_places(app: Any, call: Run) -> None:
    app.flow = None
    app.problems = (Problem("error", "`id` is missing", "flow.yaml", 1, 1), Problem("error", "bad", "flow.yaml", 4, 7))

    code, out, err = call("run", "flow.yaml")

    assert (code, out, err) == (2, "", "flow.yaml:1:1: `id` is missing\nflow.yaml:4:7: bad\n")

def test_warnings_of_a_flow_do_not_stop_it(app: Any, call: Run) -> None:
    app.problems = (Problem("warning", "`Echo` is deprecated", "flow.yaml", 4, 7),)

    code, _, err = call("run", "flow.yaml")

    assert (code, err) == (0, "flow.yaml:4:7: warning: `Echo` is deprecated\n")

def test_triggers_of_a_flow_are_said_to_be_inactive(app: Any, call: Run) -> None:
    app.flow = evolve(app.flow, triggers=(FlowTrigger("daily", "trigger.Schedule"),))

    code, _, err = call("run", "flow.yaml")

    assert (code, err) == (0, "its triggers (daily) are not active: a flow starts when somebody runs it\n")


def test_inputs_are_text_and_at_files_are_read_by_the_type_of_the_input(app: Any, call: Run, tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("Ada\n")

    call("run", "f.yaml", "-i", f"who=@{file}", "-i", f"list=@{file}", "--label", "team=a=b", "--runner", "process")

    assert ("create", {"who": "Ada\n", "list": str(file)}, {"team": "a=b"}) in app.asked
    assert ("preflight", "process") in app.asked
    assert ("run", "e-1", "process", Path("_files")) in app.asked

def test_a_doubled_at_stands_for_one(app: Any, call: Run) -> None:
    call("run", "f.yaml", "-i", "who=@@ada")

    assert ("create", {"who": "@ada"}, {}) in app.asked

@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-i", "who"], "error: the input `who` has no value\n  expected: NAME=VALUE\n"),
        (["-i", "who=1", "-i", "who=2"], "error: the input `who` is given twice\n"),
        (["-i", "who=@/none"], "error: /none: the file for the input `who` does not exist\n"),
        (["-i", "who=@~no.such.user/f"], "error: ~no.such.user/f: the file for the input `who` does not exist\n"),
        (["-i", f"who=@{'x' * 300}"], f"error: {'x' * 300}: the file for the input `who` does not exist\n"),
        (["--json", "--quiet"], "error: argument --quiet: not allowed with argument --json\n"
                                "  to do: python -m core run --help\n"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_a_short_message(app: Any, call: Run, words: list[str], message: str) -> None:
    code, _, err = call("run", "flow.yaml", *words)

    assert (code, err) == (2, message)

def test_ctrl_c_interrupts_the_execution_and_ends_with_130(app: Any, call: Run, make_execution: Any) -> None:
    app.ended = make_execution(state="KILLED")
    app.during_run = lambda: os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGINT)

    code, _, _ = call("run", "flow.yaml")

    assert (code, app.asked.count("interrupt")) == (130, 1)
    assert signal.getsignal(signal.SIGINT) == before

def test_rich_is_not_imported_without_a_terminal(app: Any, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)

    call("run", "flow.yaml")

    assert "rich" not in sys.modules


def test_of_a_loops_many_executions_the_first_are_told_then_how_many(app: Any, call: Run) -> None:
    second = 1_000_000
    app.happenings = (
        *(TaskChanged("e-1", f"t-{n}", "item", "debug.Return", "SUCCESS", T0 + n * second // 10, value=str(n))
          for n in range(100)),
        TaskChanged("e-1", "t-100", "item", "debug.Return", "FAILED", T0 + 10 * second, value="100", error="no luck"),
        ExecutionChanged("e-1", "FAILED", T0 + 10 * second),
    )  # fmt: skip

    told = call("run", "flow.yaml")[2].splitlines()

    assert told[:20] == [f"10:00:0{n // 10} item [{n}] SUCCESS" for n in range(20)]
    assert told[20:] == [
        "10:00:02 item … 21 ended",
        "10:00:04 item … 41 ended",
        "10:00:06 item … 61 ended",
        "10:00:08 item … 81 ended",
        "10:00:10 item [100] FAILED",
        "  no luck",
        "10:00:10 item … 100 ended",
    ]


def test_a_task_that_ran_many_times_is_folded_in_the_result(app: Any, call: Run, make_task: Any) -> None:
    states = ["FAILED" if n % 10 == 0 else "SUCCESS" for n in range(200)]
    app.task_views = tuple(
        make_task("item", id=f"t-{n}", value=str(n), state=state) for n, state in enumerate(states)
    )

    lines = call("executions", "show", "last")[1].splitlines()

    rows = [line.split() for line in lines if line.startswith("item")]
    assert [row[1] for row in rows[:-1]] == [str(n) for n in range(100) if n < 12 or n % 10 == 0]
    assert " ".join(rows[-1]) == "item … … and 170 SUCCESS, 10 FAILED more"
    every = call("executions", "show", "last", "--all")[1].splitlines()
    assert len([line for line in every if line.startswith("item")]) == 200
