"""What users read when something is wrong: the whole message, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.testing.http_server import HttpServer, json_answer
from tests.errors.conftest import Told

HELLO = "tasks:\n  - {id: a, type: debug.Return, format: hello}\n"
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


def shell(*commands: str, more: str = "taskRunner: {type: runner.Process}") -> str:
    lines = "".join(f"      - {command}\n" for command in commands)
    return f"tasks:\n  - id: a\n    type: scripts.shell.Commands\n    {more}\n    commands:\n{lines}"


# -- before the run: the flow

FLOWS = {
    "an unknown type": (
        "tasks:\n  - id: a\n    type: io.kestra.plugin.core.http.Requst\n",
        "flow.yaml:5:11: Invalid type: io.kestra.plugin.core.http.Requst\n"
        "  to do: did you mean `io.kestra.plugin.core.http.Request`?\n",
    ),
    "an unknown property": (
        "tasks:\n  - id: a\n    type: http.Request\n    uri: http://x\n    metod: GET\n",
        "flow.yaml:7:5: there is no property `metod`\n  to do: did you mean `method`?\n",
    ),
    "a missing property": (
        "tasks:\n  - id: a\n    type: http.Request\n",
        "flow.yaml:4:5: `uri` is missing\n  expected: a text\n",
    ),
    "a wrong type": (
        "tasks:\n  - id: a\n    type: scripts.shell.Commands\n    commands: 3\n    failFast: maybe\n",
        "flow.yaml:6:15: `3` is not a list\n  expected: a list, or the JSON text of one\n"
        "flow.yaml:7:15: `maybe` is not true or false\n",
    ),
    "a list that is broken off": (
        "tasks:\n  - id: a\n   type: http.Request\n",
        "flow.yaml:5:4: this does not fit into the list that began in line 4\n"
        "  expected: `- ` at the indentation of the list's other elements\n"
        "  to do: check the indentation\n",
    ),
    "an open quote": (
        'tasks:\n  - id: a\n    type: log.Log\n    message: "hello\n',
        "flow.yaml:7:1: the quoted text that began in line 6 is not closed\n"
        "  expected: a closing quote\n"
        "  to do: inside single quotes a quote is written twice: 'it''s'\n",
    ),
    "an id given twice": (
        "tasks:\n  - {id: a, type: debug.Return}\n  - {id: a, type: debug.Return}\n",
        "flow.yaml:5:10: Duplicate task id with name [a]\n  expected: an id that no other has\n",
    ),
}


@pytest.mark.parametrize("case", FLOWS)
def test_what_is_wrong_with_a_flow_is_said_with_its_place(case: str, told: Told) -> None:
    body, message = FLOWS[case]
    assert told("run", body) == (2, "", message)
    assert told("check", body) == (2, message, "not valid\n")


def test_programs_get_each_problem_of_a_flow_with_its_place(told: Told) -> None:
    body, message = FLOWS["an unknown property"]
    code, out, errors = told("run", body, "--json")
    problem = {
        "severity": "error", "message": "there is no property `metod`", "file": "flow.yaml", "line": 7, "column": 5,
        "path": "$.tasks[0].metod", "expected": "", "hint": "did you mean `method`?", "kind": "unknown",
    }  # fmt: skip
    assert (code, errors, json.loads(out)) == (
        2, message,
        {"error": {"kind": "invalid", "message": message.strip(), "where": "flow.yaml", "expected": "", "hint": "",
                   "problems": [problem]}},
    )  # fmt: skip
    assert json.loads(told("check", body, "--json")[1])["problems"] == [problem]


def test_an_input_that_is_missing_is_said_with_the_way_to_give_it(told: Told) -> None:
    assert told("run", "inputs:\n  - {id: who, type: STRING}\n" + HELLO) == (
        2, "",
        "error: Missing required input:who\n  to do: give inputs as -i NAME=VALUE; this flow has: who (STRING)\n",
    )  # fmt: skip


# -- before the run: the machine


def test_without_an_engine_an_image_is_refused_with_both_ways_out(told: Told) -> None:
    assert told("run", shell("make", more="containerImage: acme/tools:1"), **NO_ENGINE) == (
        3, "",
        "error: task a: the image `acme/tools:1` needs a Docker engine, and there is none: "
        "no container engine answers (tried unix:///nowhere/docker.sock: not there)\n"
        "  expected: a Docker engine, or an official image of the script's language\n"
        "  to do: start a Docker engine, or run the script on this machine with --runner process\n",
    )  # fmt: skip


def test_without_an_engine_a_runner_that_needs_one_is_refused_with_both_ways_out(told: Told) -> None:
    assert told("run", shell("make", more="taskRunner: {type: runner.Docker}"), **NO_ENGINE) == (
        3, "",
        "error: task a: no container engine answers (tried unix:///nowhere/docker.sock: not there)\n"
        "  to do: start a Docker engine, or run the task on this machine: `taskRunner: {type: runner.Process}`\n",
    )  # fmt: skip


def test_without_an_engine_an_official_image_is_done_without_and_that_is_said(told: Told) -> None:
    code, out, errors = told("run", shell("echo done", more="containerImage: ubuntu:24.04"), **NO_ENGINE)
    assert (code, errors) == (
        0,
        "a: no Docker engine: this machine with its own tools stands in for the image `ubuntu:24.04`\n"
        "TIME a RUNNING\n"
        "TIME a INFO no Docker engine: this machine with its own tools stands in for the image `ubuntu:24.04`\n"
        "TIME a INFO done\n"
        "TIME a SUCCESS SOME s\n",
    )
    assert "a: no Docker engine: this machine with its own tools stands in for the image `ubuntu:24.04`\n" in out


def test_an_engine_that_the_flow_names_is_asked_by_the_task_itself(told: Told) -> None:
    body = shell("make", more="taskRunner: {type: runner.Docker, host: 'unix:///elsewhere/docker.sock'}")
    code, _, errors = told("run", body, **NO_ENGINE)
    assert (code, errors) == (
        1,
        "TIME a RUNNING\n"
        "TIME a ERROR No container engine answers (tried unix:///elsewhere/docker.sock: not there)\n"
        "TIME a ERROR   to do: start Docker, or Podman with its socket (`systemctl --user start podman.socket`), "
        "or name the engine by `host` or DOCKER_HOST; or run the task as a process "
        "(`taskRunner: {type: runner.Process}`)\n"
        "TIME a FAILED SOME s\n",
    )


@pytest.mark.parametrize(
    ("home", "reason"),
    [
        pytest.param(
            "/proc/tailrace",
            "no such file or directory",
            marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="no directory that nobody may write"),
        ),
        ("HERE/flow.yaml/home", "not a directory"),
        ("HERE/flow.yaml", "it is a file"),
    ],
)
def test_a_home_that_cannot_be_written_is_said(home: str, reason: str, told: Told, tmp_path: Path) -> None:
    assert told("run", HELLO, TAILRACE_HOME=home.replace("HERE", str(tmp_path))) == (
        3, "",
        f"error: {home}: the home directory can't be used: {reason}\n"
        "  expected: a directory on a local disk that you may write\n"
        "  to do: give another one with --home DIR or TAILRACE_HOME\n",
    )  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_whenever_it_fills_up(told: Told, small_disk: Path) -> None:
    full = (
        "error: HERE/disk/records.db: the records can't be written: the disk is full\n"
        "  to do: free some space; nothing that was recorded is lost\n"
    )
    body = shell(f"head -c 9000000 /dev/zero > {small_disk}/filler 2> /dev/null || true")
    assert told("run", body, TAILRACE_HOME=str(small_disk)) == (3, "", "TIME a RUNNING\n" + full)
    interrupted = "1 earlier execution was interrupted; `python -m core executions list --status running` shows them\n"
    assert told("run", HELLO, TAILRACE_HOME=str(small_disk)) == (3, "", interrupted + full)
    (small_disk / "filler").unlink()
    code, _, errors = told("run", HELLO, TAILRACE_HOME=str(small_disk))
    assert (code, errors) == (0, interrupted + "TIME a RUNNING\nTIME a SUCCESS SOME s\n")


# -- plugins


@pytest.mark.parametrize(
    ("source", "type_name", "message"),
    [
        (
            "import no_such_package\n", "broken.Task",
            "flow.yaml:4:19: Invalid type: broken.Task\n  to do: `plugins list` says what is wrong with `broken`\n",
        ),
        (
            "from core.sdk.hooks import TypeRef, hookimpl\n\n@hookimpl\ndef task_types():\n"
            "    return (TypeRef('no_such_package.tasks:Task', 'late.Task', title='T'),)\n",
            "late.Task",
            "flow.yaml:4:19: the type `late.Task` of the plugin `broken` can't be loaded: "
            "the Python package `no_such_package` is not installed\n"
            "  to do: install what provides the Python package `no_such_package` into this environment\n",
        ),
    ],
    ids=["at once", "when it is used"],
)  # fmt: skip
def test_a_plugin_that_cannot_be_imported_is_said_where_it_is_used(
    source: str, type_name: str, message: str, told: Told, tmp_path: Path
) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "broken.py").write_text(source, "utf-8")
    options = ("--plugins-dir", "plugins")
    assert told("run", f"tasks:\n  - {{id: a, type: {type_name}}}\n", *options) == (2, "", message)
    assert told("run", HELLO, *options)[0] == 0, "a broken plugin must not stop others"


# -- while it runs

PLACES = "outputs, outputDir, inputs, envs, globals, flow, execution, labels, … (11 in all)"
FAILURES = {
    "an input that is not there": (
        "inputs:\n  - {id: who, type: STRING, defaults: x}\n"
        'tasks:\n  - {id: a, type: debug.Return, format: "Hello {{ inputs.woh }}"}\n',
        "$.format, line 6, column 41: `inputs.woh` is undefined\n    Hello {{ inputs.woh }}\n             ^\n"
        "  expected: inputs.who\n  to do: did you mean `inputs.who`? Or give a fallback: {{ inputs.woh ?? '…' }}",
    ),
    "a variable that is not there": (
        'tasks:\n  - {id: a, type: debug.Return, format: "{{ output.x }}"}\n',
        f"$.format, line 4, column 41: `output` is undefined\n    {{{{ output.x }}}}\n       ^\n  expected: one of {PLACES}\n"
        "  to do: did you mean `outputs`? Or give a fallback: {{ output ?? '…' }}",
    ),
    "a script that fails": (shell("exit 3"), "Command failed with exit code 3"),
    "a script that is killed": (
        shell("kill -KILL $$"),
        "Command failed with exit code 137: it was ended by SIGKILL\n"
        "  to do: a machine or a container that runs out of memory ends processes with SIGKILL: "
        "give it more, or use less",
    ),
    "a file that was not written": (
        shell("true") + "    outputFiles: [report.csv]\n",
        "The script did not produce `report.csv`\n"
        "  expected: every file that `outputFiles` names without a pattern\n"
        "  to do: write it into the directory where the script starts (`{{ workingDir }}`); "
        "a pattern such as `*.csv` may match nothing",
    ),
    "a query that is wrong": (
        "tasks:\n  - {id: a, type: jdbc.duckdb.Query, sql: SELECT brnd FROM (SELECT 1 AS brand)}\n",
        'Binder Error: Referenced column "brnd" not found in FROM clause!\nCandidate bindings: "brand"\n\n'
        "LINE 1: SELECT brnd FROM (SELECT 1 AS brand)\n               ^^^^",
    ),
    "a connection that is refused": (
        "tasks:\n  - {id: a, type: http.Request, uri: 'http://127.0.0.1:9/x'}\n",
        "http://127.0.0.1:9/x: 127.0.0.1 refused the connection\n  to do: check that a server listens on port 9",
    ),
}


def check_failure(told: Told, body: str, message: str) -> None:
    """A task that failed says why once on standard error as it happens, and once in the result."""
    code, out, errors = told("run", body)
    lines = "".join(f"TIME a ERROR {line}\n" for line in message.split("\n"))
    assert (code, errors) == (1, f"TIME a RUNNING\n{lines}TIME a FAILED SOME s\n")
    told_once = out.partition("\nlook further:\n")[0].split("\n\n", 2)[2]
    assert told_once == f"task `a` is FAILED: {message}\n"


@pytest.mark.parametrize("case", FAILURES)
def test_why_a_task_failed_is_said_once(case: str, told: Told) -> None:
    check_failure(told, *FAILURES[case])


def test_an_answer_that_is_an_error_is_shown_with_its_beginning(told: Told) -> None:
    with HttpServer({"/products": json_answer({"error": "out of order"}, 500)}) as server:
        uri = f"{server.url}/products"
        check_failure(
            told, f"tasks:\n  - {{id: a, type: http.Request, uri: '{uri}'}}\n",
            f'{uri}: GET answered 500 Internal Server Error: {{"error": "out of order"}}\n'
            "  expected: a status code below 400\n"
            "  to do: `options.allowFailed: true` takes such an answer as a success",
        )  # fmt: skip


def test_an_output_that_is_not_there_is_said_with_those_that_are(told: Told) -> None:
    body = HELLO.replace("id: a,", "id: first,") + '  - {id: a, type: log.Log, message: "{{ outputs.frist.value }}"}\n'
    code, _, errors = told("run", body)
    assert (code, errors) == (
        1,
        "TIME first RUNNING\nTIME first SUCCESS SOME s\nTIME a RUNNING\n"
        "TIME a ERROR $.message, line 5, column 37: `outputs.frist` is undefined\n"
        "TIME a ERROR     {{ outputs.frist.value }}\n"
        "TIME a ERROR        ^\n"
        "TIME a ERROR   expected: outputs.first\n"
        "TIME a ERROR   to do: did you mean `outputs.first`? Or give a fallback: {{ outputs.frist ?? '…' }}\n"
        "TIME a FAILED SOME s\n",
    )
