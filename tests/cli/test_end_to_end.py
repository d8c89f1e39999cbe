"""The program as people use it: processes, a real home, real tasks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAILRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path / "home"


@pytest.fixture
def flow(tmp_path: Path) -> Callable[[str], str]:
    """Writes a flow of these tasks; its path."""

    def write(body: str) -> str:
        path = tmp_path / "flow.yaml"
        path.write_text(f"id: shop\nnamespace: company.team\n{body}", "utf-8")
        return str(path)

    return write


HELLO = """\
inputs:
  - {id: who, type: STRING, defaults: world}
  - {id: list, type: FILE, required: false}
tasks:
  - {id: hello, type: debug.Return, format: "Hello, {{ inputs.who }}"}
  - {id: tell, type: log.Log, message: "told"}
outputs:
  - {id: greeting, type: STRING, value: "{{ outputs.hello.value }}"}
"""


def test_a_run_leaves_what_other_commands_show(home: Path, flow: Any, call: Run) -> None:
    code, out, err = call("run", flow(HELLO), "-i", "who=Ada", "--label", "team=blue", "--json")

    run = json.loads(out)
    assert (code, run["state"], run["outputs"]) == (0, "SUCCESS", {"greeting": "Hello, Ada"})
    assert run["inputs"]["who"] == "Ada"
    assert [(task["task_name"], task["output"]) for task in run["task_executions"]] == [
        ("hello", {"value": "Hello, Ada"}), ("tell", None),
    ]  # fmt: skip
    assert "tell INFO told" in err
    assert call("eval", run["id"], "{{ outputs.hello.value | upper }}") == (0, "HELLO, ADA\n", "")
    assert call("outputs", "get", "last/hello", "value") == (0, '"Hello, Ada"\n', "")
    assert json.loads(call("executions", "show", "last", "--json")[1]) == run
    labelled = json.loads(call("executions", "list", "--label", "team:blue", "--json")[1])["data"]
    assert [row["id"] for row in labelled] == [run["id"]]
    listed = json.loads(call("outputs", "list", "--flow-execution-id", "last", "--task-name", "hello", "--json")[1])
    assert [(row["id"], row["summary"]) for row in listed["data"]] == [
        (run["task_executions"][0]["id"], {"value": "Hello, Ada"})
    ]
    assert "told" in call("executions", "logs", "last", "--task-name", "tell")[1]
    exported = [json.loads(line) for line in call("outputs", "export", "--task-name", "hello")[1].splitlines()]
    assert [row["output"] for row in exported] == [{"value": "Hello, Ada"}]
    assert call("executions", "purge", "--all")[1] == "1 purged\n"
    assert json.loads(call("outputs", "list", "--json")[1]) == {"data": [], "has_more": False, "next": None}


def test_a_file_input_is_stored_and_can_be_fetched(home: Path, flow: Any, call: Run, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_bytes(b"name\r\nAda\r\n")

    code, out, _ = call("run", flow(HELLO), "-i", f"list=@{tmp_path / 'names.csv'}", "--json")

    uri = json.loads(out)["inputs"]["list"]
    assert code == 0
    assert uri.startswith("storage:///company/team/shop/executions/")
    assert call("files", "get", uri, "-o", str(tmp_path / "back"))[0] == 0
    assert (tmp_path / "back").read_bytes() == b"name\r\nAda\r\n"
    assert call("files", "preview", uri)[1].splitlines() == ["name", "Ada"]
    folder = uri.rpartition("/")[0]
    assert [row["uri"] for row in json.loads(call("files", "list", folder, "--json")[1])["data"]] == [uri]


def test_an_invalid_flow_is_told_by_check_and_by_run(home: Path, flow: Any, call: Run) -> None:
    path = flow("tasks:\n  - {id: a, type: debug.Retrun}\n")

    code, out, _ = call("check", path)
    assert code == 2
    assert out == f"{path}:4:19: Invalid type: debug.Retrun\n  to do: did you mean `debug.Return`?\n"
    assert call("run", path)[:2] == (2, "")
    assert call("run", path)[2] == out
    assert json.loads(call("run", path, "--json")[1])["error"]["kind"] == "invalid"


def test_a_failed_execution_tells_why(home: Path, flow: Any, call: Run) -> None:
    code, out, _ = call("run", flow("tasks:\n  - {id: stop, type: execution.Fail, errorMessage: no more}\n"))

    assert code == 1
    assert "\ntask `stop` is FAILED: no more\n" in out
    assert "no more" in call("executions", "why", "last")[1]


def test_a_wrong_input_is_told(home: Path, flow: Any, call: Run) -> None:
    code, out, err = call("run", flow("inputs:\n  - {id: n, type: INT}\ntasks:\n  - {id: a, type: debug.Return}\n"))

    assert (code, out) == (2, "")
    assert err == (
        "error: Missing required input:n\n  to do: give inputs as -i NAME=VALUE; this flow has: n (INT)\n"
    )


def test_keys_and_values(home: Path, call: Run) -> None:
    assert call("kv", "set", "company.team", "limits", '{"max": 5}', "--type", "json")[0] == 0
    assert call("kv", "set", "company.team", "name", "shop")[2] == "company.team/name is set, version 1\n"
    assert call("kv", "get", "company.team", "name") == (0, "shop\n", "")
    assert json.loads(call("kv", "get", "company.team", "limits")[1]) == {"max": 5}
    listed = json.loads(call("kv", "list", "company.team", "--json")[1])["data"]
    assert [row["key"] for row in listed] == ["limits", "name"]
    assert call("kv", "delete", "company.team", "name")[0] == 0
    assert call("kv", "delete", "company.team", "name")[0] == 2
    assert call("kv", "get", "company.team", "name")[0] == 2


def test_flows_are_stored_as_revisions(home: Path, flow: Any, call: Run) -> None:
    path = flow(HELLO)

    assert call("flows", "push", path, path)[1] == "company.team/shop, revision 1\n" * 2
    assert call("flows", "show", "company.team/shop")[1] == Path(path).read_text("utf-8")
    assert call("flows", "show", "shop")[0] == 2
    listed = json.loads(call("flows", "list", "--namespace", "company.team", "--json")[1])["data"]
    assert [(row["namespace"], row["id"], row["revision"]) for row in listed] == [("company.team", "shop", 1)]


def test_namespace_files_are_put(home: Path, call: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abc")

    code, out, _ = call("files", "put", str(tmp_path / "a.txt"), "company.team/texts/b.txt", "--json")

    assert code == 0
    stored = json.loads(out)
    assert stored["uri"].endswith("/texts/b.txt")
    assert stored["size"] == 3
    assert call("files", "get", stored["uri"])[1] == "abc"


def test_namespace_files_that_were_put_are_read_by_expressions_and_scripts(
    home: Path, flow: Any, call: Run, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("abc")
    for name in ("company.team/a.txt", "company.team/sql/q.sql", "other/b.txt"):
        assert call("files", "put", str(tmp_path / "a.txt"), name)[0] == 0
    path = flow(
        "tasks:\n"
        "  - {id: expression, type: debug.Return, format: \"{{ read('a.txt') }}\"}\n"
        "  - id: script\n    type: scripts.shell.Commands\n    taskRunner: {type: runner.Process}\n"
        "    namespaceFiles: {namespaces: [company.team, other]}\n    commands: [cat a.txt sql/q.sql b.txt > all]\n"
        "    outputFiles: [all]\n"
    )
    run = json.loads(call("run", path, "--json")[1])
    assert run["state"] == "SUCCESS"
    assert run["task_executions"][0]["output"] == {"value": "abc"}
    assert call("outputs", "get", "last/script", "outputFiles.all")[1] == "abcabcabc"


def test_plugins_types_and_the_schema_are_told(home: Path, call: Run, tmp_path: Path) -> None:
    listed = json.loads(call("plugins", "list", "--json")[1])["data"]
    assert "debug.Return" in next(row["brings"] for row in listed if row["name"] == "builtin")
    assert call("plugins", "doc", "io.kestra.plugin.core.debug.Return")[1].startswith("# debug.Return\n")
    assert json.loads(call("plugins", "doc", "debug.Return", "--json")[1])["properties"].keys() >= {"format"}
    assert call("plugins", "doc", "debug.Retrun")[0] == 2
    assert call("schema", "-o", str(tmp_path / "schema.json")) == (0, "", "")
    assert "$schema" in json.loads((tmp_path / "schema.json").read_text("utf-8"))


def test_doctor_is_content_with_a_home_it_can_write(home: Path, call: Run) -> None:
    code, out, _ = call("doctor", "--json")

    found = json.loads(out)
    assert (code, found["ok"]) == (0, True)
    assert found["checks"][0]["message"] == f"0.1.0, loaded from {ROOT / 'core'}"


def test_doctor_tells_what_keeps_it_from_working(call: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert call("doctor", "--home", str(tmp_path / "file" / "home"))[0] == 3
    assert call("doctor", "--home", str(tmp_path), "--plugins-dir", str(tmp_path / "none"))[0] == 3


def test_a_home_that_cannot_be_used_ends_with_3(flow: Any, call: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    code, _, err = call("run", flow(HELLO), "--home", str(tmp_path / "file" / "home"))

    assert code == 3
    assert err.startswith(f"error: {tmp_path}/file/home: the home directory can't be used: ")


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_kills_the_execution_and_so_does_what_others_send(
    home: Path, flow: Any, call: Run, asked: signal.Signals
) -> None:
    path = flow(
        "tasks:\n  - id: sleep\n    type: scripts.shell.Commands\n    taskRunner: {type: runner.Process}\n"
        "    commands: ['echo ready', 'sleep 60']\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "core", "run", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        for line in program.stderr:
            if "ready" in line:
                break
        os.kill(program.pid, asked)
        out, err = program.communicate(timeout=30)

    assert program.returncode == 130
    assert out.splitlines()[0].split()[1] == "KILLED"
    assert "Traceback" not in err


@pytest.mark.parametrize("module", ["core.cli.command", "core.app.machine"])
def test_ctrl_c_while_modules_are_imported_ends_the_program_without_a_traceback(home: Path, module: str) -> None:
    code = (
        "import signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == '{module}': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from core.__main__ import main\n"
        "main()"
    )
    ended = subprocess.run([sys.executable, "-c", code, "doctor"], capture_output=True, text=True)

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_plain_run_imports_only_its_budget(home: Path, flow: Any) -> None:
    path = flow("tasks:\n  - {id: a, type: debug.Return, format: x}\n")
    code = (
        "import sys; from core.cli.main import main; main(sys.argv[1:]); main(sys.argv[1:]);"
        "heavy = {'importlib.metadata', 'jinja2', 'asyncio', 'rich', 'httpx', 'duckdb', 'docker', 'http.server'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr);"
        "print([m for m in sys.modules if m.startswith('core.cli.commands.')], file=sys.stderr)"
    )
    # The table of entry points is cached by the first use of a home.
    subprocess.run([sys.executable, "-m", "core", "plugins", "list"], check=True, capture_output=True)

    words = [sys.executable, "-c", code, "run", path, "--quiet"]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)

    assert ended.stderr.splitlines() == ["[]", "['core.cli.commands.run']"]
