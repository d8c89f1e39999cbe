"""Actions on executions, as people use them: on one that nobody works on, and on one that another process works on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]
Owner = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAILRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TAILRACE_RUNNER", "process")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path / "home"


@pytest.fixture
def flow(tmp_path: Path) -> Callable[..., str]:
    """Writes a flow of these lines; its path."""

    def write(body: str, name: str = "main") -> str:
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"id: {name}\nnamespace: company.team\n{body}", "utf-8")
        return str(path)

    return write


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Owner]:
    """`run` of a flow in a process of its own; waits until its task has begun."""
    begun: list[subprocess.Popen[str]] = []

    def start(path: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "run", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        until(lambda: (tmp_path / "began").exists())
        return process

    yield start
    (tmp_path / "gate").touch()
    for process in begun:
        process.kill()
        process.communicate()


def held(folder: Path) -> str:
    """Two tasks: one that tells it has begun and waits until a file is there, and one after it."""
    wait = f"touch {folder}/began; while [ ! -e {folder}/gate ]; do sleep 0.02; done"
    return (
        f"tasks:\n  - {{id: hold, type: scripts.shell.Commands, commands: ['{wait}']}}\n"
        "  - {id: after, type: debug.Return, format: done}\n"
    )


def state(call: Run, which: str = "last") -> str:
    return str(json.loads(call("executions", "show", which, "--json")[1])["state"])


def newest(call: Run) -> str:
    return str(json.loads(call("executions", "list", "--limit", "1", "--json")[1])["data"][0]["id"])


PAUSED = """\
tasks:
  - {id: first, type: debug.Return, format: "{{ execution.id }}"}
  - id: approve
    type: flow.Pause
    onResume:
      - {id: ok, type: BOOLEAN}
      - {id: paper, type: FILE, required: false}
      - {id: pages, type: INT, required: false}
  - id: last
    type: debug.Return
    format: "{{ outputs.approve.onResume.ok }} {{ read(outputs.approve.onResume.paper ?? '') ?? '' }}"
    runIf: "{{ outputs.approve.onResume.paper is defined }}"
"""
FAILING = """\
tasks:
  - {id: one, type: debug.Return, format: "{{ execution.id }}"}
  - {id: two, type: debug.Return, format: "{{ kv('answer') }} {{ secret('TOKEN') }}"}
  - {id: three, type: debug.Return, format: "{{ outputs.one.value }} {{ outputs.two.value }}"}
"""


# -- nobody works on it


def test_a_run_that_only_a_person_can_continue_ends_with_4_and_the_command(flow: Any, call: Run) -> None:
    code, out, _ = call("run", flow(PAUSED))

    execution = newest(call)
    told = (
        "approve waits for a person, who gives ok (BOOLEAN), paper (FILE), pages (INT)\n"
        f"  python -m core executions resume {execution} -i ok=BOOLEAN\n"
    )
    assert (code, told in out) == (4, True)
    assert call("executions", "why", "last") == (0, told, "")


def test_wrong_inputs_are_all_named_and_change_nothing(flow: Any, call: Run) -> None:
    call("run", flow(PAUSED))
    how = "  to do: give inputs as -i NAME=VALUE; the waiting task takes: ok (BOOLEAN), paper (FILE), pages (INT)\n"

    assert call("executions", "resume", "last") == (2, "", f"error: Missing required input:ok\n{how}")
    code, _, err = call("executions", "resume", "last", "-i", "ok=true", "-i", "pages=few", "-i", "x=1")
    assert (code, err) == (
        2,
        "error: Invalid input for `pages`, Expected `INT` but received `few` with errors: it is not a whole number, "
        f"but received `few`\n`x` is not an input of the waiting task\n{how}",
    )
    assert state(call) == "PAUSED"


def test_an_answer_that_only_looks_like_yes_is_asked_again(flow: Any, call: Run) -> None:
    call("run", flow(PAUSED))

    code, _, err = call("executions", "resume", "last", "-i", "ok=yes")

    assert (code, err.splitlines()[0]) == (2, "error: `yes` is read as false for the input `ok`: only `true` is true")
    assert state(call) == "PAUSED"


def test_a_resumed_execution_goes_on_with_the_inputs_to_its_end(flow: Any, call: Run, tmp_path: Path) -> None:
    call("run", flow(PAUSED))
    (tmp_path / "paper.txt").write_text("signed")

    code, out, _ = call("executions", "resume", "last", "-i", "ok=true", "-i", f"paper=@{tmp_path}/paper.txt", "--json")

    run = json.loads(out)
    assert (code, run["state"]) == (0, "SUCCESS")
    assert [task["output"] for task in run["task_executions"]][2] == {"value": "true signed"}
    assert call("executions", "resume", "last") == (
        1, "",
        f"error: the execution {run['id']} can't be resumed: it is SUCCESS\n"
        "  to do: `executions restart` lets one that failed go on, `executions replay` runs one again\n",
    )  # fmt: skip


def test_of_several_that_wait_one_can_be_meant(flow: Any, call: Run) -> None:
    body = "tasks:\n  - id: each\n    type: flow.ForEach\n    values: [a, b]\n    concurrencyLimit: 0\n    tasks:\n"
    call("run", flow(f"{body}      - {{id: wait, type: flow.Pause}}\n"))
    execution = newest(call)

    assert call("executions", "why", "last")[1].splitlines() == [
        "wait [a] waits for a person",
        f"  python -m core executions resume {execution} --task-name wait --value a",
        "wait [b] waits for a person",
        f"  python -m core executions resume {execution} --task-name wait --value b",
    ]
    assert call("executions", "resume", "last", "--task-name", "wait", "--value", "b", "--quiet")[0] == 4
    assert call("executions", "why", "last")[1].splitlines()[0::2] == ["wait [a] waits for a person"]
    assert call("executions", "resume", "last", "--quiet")[0] == 0
    assert state(call) == "SUCCESS"


def test_a_restart_keeps_what_succeeded_and_runs_again_what_failed(
    flow: Any, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "open-sesame")
    assert call("run", flow(FAILING))[0] == 1
    first = newest(call)
    call("kv", "set", "company.team", "answer", "42")

    code, out, err = call("executions", "restart", "last", "--json")

    run = json.loads(out)
    assert (code, run["id"], run["state"]) == (0, first, "SUCCESS")
    assert [line.split()[1:3] for line in err.splitlines()] == [
        ["two", "RUNNING"], ["two", "SUCCESS"], ["three", "RUNNING"], ["three", "SUCCESS"],
    ]  # fmt: skip
    assert [(task["task_name"], task["attempts"]) for task in run["task_executions"]] == [
        ("one", 1), ("two", 2), ("three", 1),
    ]  # fmt: skip
    assert call("executions", "restart", "last") == (
        1, "",
        f"error: the execution {first} can't be restarted: it is SUCCESS\n  expected: one that failed or was killed\n"
        "  to do: `executions replay` runs one again as a new execution\n",
    )  # fmt: skip


def test_a_replay_is_a_new_execution_that_keeps_what_ran_before_its_task(flow: Any, call: Run) -> None:
    call("run", flow("tasks:\n" + "".join(
        f'  - {{id: {name}, type: debug.Return, format: "{{{{ execution.id }}}}"}}\n' for name in ("one", "two", "three")
    )))  # fmt: skip
    first = newest(call)

    code, out, err = call("executions", "replay", "last", "--from", "two")

    second = newest(call)
    assert (code, err.splitlines()[0]) == (0, f"{second} replays {first}")
    assert out.splitlines()[2] == f"derived from the execution {first}"
    shown = json.loads(call("executions", "show", second, "--json")[1])
    assert shown["original_id"] == first
    assert [task["output"]["value"] for task in shown["task_executions"]] == [first, second, second]
    assert call("executions", "list")[1].splitlines()[1].split("Z  ")[1] == f"derived from {first}"
    whole = json.loads(call("executions", "replay", first, "--json")[1])
    assert {task["output"]["value"] for task in whole["task_executions"]} == {whole["id"]}
    assert call("executions", "replay", first, "--from", "four")[2] == (
        f"error: no task `four` ran in the execution {first}\n  expected: one of: one, two, three\n"
    )
    assert call("executions", "replay", first, "--stale")[2] == f"error: nothing of the execution {first} is stale\n"


def test_a_replay_of_the_latest_revision_keeps_what_is_still_in_it(flow: Any, call: Run) -> None:
    path = flow("tasks:\n  - {id: one, type: debug.Return, format: first}\n  - {id: two, type: execution.Fail}\n")
    call("run", path)
    Path(path).write_text(Path(path).read_text().replace("execution.Fail", "log.Log, message: fixed"))
    call("flows", "push", path)

    code, out, _ = call("executions", "replay", "last", "--from", "two", "--latest-revision", "--json")

    run = json.loads(out)
    assert (code, run["state"], run["flow"]["revision"]) == (0, "SUCCESS", 2)
    assert [(task["task_name"], task["state"]) for task in run["task_executions"]] == [
        ("one", "SUCCESS"), ("two", "SUCCESS"),
    ]  # fmt: skip


def test_files_given_as_inputs_are_there_in_a_replay(flow: Any, call: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("milk")
    body = 'inputs: [{id: list, type: FILE}]\ntasks:\n  - {id: t, type: debug.Return, format: "{{ read(inputs.list) }}"}\n'
    call("run", flow(body), "-i", f"list=@{tmp_path}/list.txt")

    run = json.loads(call("executions", "replay", "last", "--json")[1])

    assert [task["output"] for task in run["task_executions"]] == [{"value": "milk"}]


def test_a_task_can_be_made_to_count_as_ended_otherwise(flow: Any, call: Run) -> None:
    call("run", flow("tasks:\n  - {id: one, type: execution.Fail}\n  - {id: two, type: debug.Return, format: on}\n"))

    code, out, _ = call("executions", "change-state", "last", "one", "SUCCESS", "--json")

    run = json.loads(out)
    assert (code, [(task["task_name"], task["state"]) for task in run["task_executions"]]) == (
        0, [("one", "SUCCESS"), ("two", "SUCCESS")],
    )  # fmt: skip
    assert call("executions", "change-state", "last", "one", "RUNNING")[0] == 2


def test_the_properties_a_task_failed_with_are_shown_without_secrets(
    flow: Any, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "open-sesame")
    body = "tasks:\n  - {id: go, type: execution.Fail, errorMessage: \"{{ secret('TOKEN') }} of {{ flow.id }}\"}\n"
    call("run", flow(body))

    told = "\nproperties of its last failed attempt:\n  errorMessage: •••• of main\n"
    assert call("executions", "show", "last", "--task-name", "go")[1].endswith(told)
    assert call("outputs", "show", "last/go")[1].endswith(told)
    tasks = json.loads(call("executions", "show", "last", "--task-name", "go", "--json")[1])["data"]
    assert [task["properties"] for task in tasks] == [{"errorMessage": "•••• of main"}]


# -- child executions

CHILD = "tasks:\n  - {id: wait, type: flow.Pause}\n"
PARENT = (
    "tasks:\n  - {id: sub, type: flow.Subflow, namespace: company.team, flowId: child}\n"
    "  - {id: after, type: debug.Return, format: done}\n"
)


def test_a_parent_says_which_child_it_waits_for_and_goes_on_with_it(flow: Any, call: Run) -> None:
    flow(CHILD, "child")
    code, out, _ = call("run", flow(PARENT))
    parent = json.loads(call("executions", "list", "--flow", "main", "--json")[1])["data"][0]["id"]
    child = json.loads(call("executions", "list", "--flow", "child", "--json")[1])["data"][0]["id"]

    assert code == 4
    told = f"sub waits for the execution {child} of company.team.child, which is PAUSED: wait waits for a person\n"
    assert told + f"  python -m core executions resume {child}\n" in out
    assert f"called by the execution {parent}\n" in call("executions", "show", child)[1]
    assert call("executions", "resume", child, "--quiet") == (0, f"{child}\n", "")
    assert state(call, parent) == "SUCCESS"


def test_the_end_of_what_nobody_works_on_is_the_end_of_its_children(flow: Any, call: Run) -> None:
    flow(CHILD, "child")
    call("run", flow(PARENT))
    parent = json.loads(call("executions", "list", "--flow", "main", "--json")[1])["data"][0]["id"]

    assert call("executions", "kill", parent) == (0, f"{parent} is KILLED\n", "")
    listed = json.loads(call("executions", "list", "--json")[1])["data"]
    assert [row["state"] for row in listed] == ["KILLED", "KILLED"]


# -- another process works on it


def test_a_kill_reaches_the_process_that_runs_it(flow: Any, call: Run, begin: Owner, tmp_path: Path) -> None:
    process = begin(flow(held(tmp_path)))
    execution = newest(call)

    why = call("executions", "why", execution)[1]
    assert why.startswith("hold is running since 20")
    code, out, _ = call("executions", "kill", "last", "--json")
    told = json.loads(out)
    assert (code, told["id"], told["asked"]) == (0, execution, "end")
    assert told["state"] in ("RUNNING", "KILLING", "KILLED")
    process.communicate(timeout=PATIENCE)
    assert (process.returncode, state(call)) == (1, "KILLED")


def test_a_pause_lets_the_task_end_and_a_resume_goes_on_here(
    flow: Any, call: Run, begin: Owner, tmp_path: Path
) -> None:
    process = begin(flow(held(tmp_path)))
    execution = newest(call)

    said = f"{execution} was asked to pause: what runs goes on to its end, nothing new begins\n"
    assert call("executions", "pause", "last") == (0, said, "")
    until(lambda: state(call) == "PAUSED")
    (tmp_path / "gate").touch()
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    told = (
        "it was paused: nothing new begins until somebody resumes it\n"
        f"  python -m core executions resume {execution}\n"
    )
    assert told in out
    assert call("executions", "resume", "last", "-i", "x=1")[0] == 2
    assert call("executions", "resume", "last", "--quiet") == (0, f"{execution}\n", "")
    assert state(call) == "SUCCESS"


def test_a_resume_is_told_to_the_process_that_runs_it(flow: Any, call: Run, begin: Owner, tmp_path: Path) -> None:
    process = begin(flow(held(tmp_path)))
    execution = newest(call)
    call("executions", "pause", "last")
    until(lambda: state(call) == "PAUSED")

    assert call("executions", "resume", "last") == (
        0, f"{execution} was asked to go on: another process works on it\n", "",
    )  # fmt: skip
    until(lambda: state(call) == "RUNNING")
    (tmp_path / "gate").touch()
    process.communicate(timeout=PATIENCE)
    assert (process.returncode, state(call)) == (0, "SUCCESS")


def test_what_a_lost_process_left_is_named_and_goes_on_where_it_was(
    flow: Any, call: Run, begin: Owner, tmp_path: Path
) -> None:
    process = begin(flow(held(tmp_path)))
    execution = newest(call)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)

    told = f"the process that worked on it is gone\n  python -m core executions resume {execution}\n"
    assert call("executions", "why", "last")[1].startswith(told)
    assert call("executions", "pause", "last") == (
        1, "", f"error: nobody works on the execution {execution}\n"
        "  to do: `executions why` says what it waits for\n",
    )  # fmt: skip
    assert call("executions", "restart", "last")[0] == 1
    (tmp_path / "gate").touch()
    code, out, err = call("executions", "resume", "last", "--json")
    assert (code, json.loads(out)["state"], "interrupted" in err) == (0, "SUCCESS", False)


def test_a_queued_execution_says_who_is_before_it_and_can_be_forced(
    flow: Any, call: Run, begin: Owner, tmp_path: Path
) -> None:
    begin(flow("concurrency: {limit: 1}\n" + held(tmp_path)))
    first = newest(call)
    second = subprocess.Popen([sys.executable, "-m", "core", "run", str(tmp_path / "main.yaml"), "--quiet"])
    until(lambda: newest(call) != first and state(call) == "QUEUED")
    queued = newest(call)

    assert call("executions", "why", queued)[1] == (
        f"it is queued: the flow's concurrency limit of 1 is held by {first} (RUNNING)\n"
        f"  python -m core executions force-run {queued}\n"
    )
    assert call("executions", "force-run", queued) == (
        0, f"{queued} was asked to run now: another process works on it\n", "",
    )  # fmt: skip
    until(lambda: state(call, queued) == "RUNNING")
    (tmp_path / "gate").touch()
    assert second.wait(PATIENCE) == 0
