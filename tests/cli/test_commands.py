"""The smaller commands, for whatever the app answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.cli.command import UsageError
from core.cli.commands.kv import typed
from core.host.views import ExecutionFilter, LogView, Page, Reason, TaskChanged, TaskLogged
from core.loading.problems import Problem
from core.model.data import evolve

Run = Callable[..., tuple[int, str, str]]
T0 = 1_746_093_600_000_000


def test_executions_are_listed(app: Any, call: Run, make_execution: Any) -> None:
    app.pages = [Page((make_execution(error="oh"),)), Page((make_execution(),), True, "n")]

    assert call("executions", "list", "--label", "team:a")[1].splitlines() == [
        "ID   FLOW               REVISION  STATE    DURATION  CREATED               ERROR",
        "e-1  company.team/shop         3  SUCCESS  2.50 s    2025-05-01T10:00:00Z  oh",
    ]
    assert app.asked == [ExecutionFilter(label=("team:a",))]
    assert json.loads(call("executions", "list", "--json")[1]) == {
        "data": [
            {
                "id": "e-1", "flow": {"namespace": "company.team", "id": "shop", "revision": 3}, "state": "SUCCESS",
                "status": "completed", "duration": 2.5, "labels": {}, "error": None, "original_id": None, "parent_id": None,
                "created_at": "2025-05-01T10:00:00.000000Z", "started_at": "2025-05-01T10:00:00.000000Z",
                "ended_at": "2025-05-01T10:00:02.500000Z",
            }
        ],
        "has_more": True,
        "next": "n",
    }  # fmt: skip


def test_logs_are_read_to_the_end(app: Any, call: Run) -> None:
    app.log_views = tuple(LogView(n, T0, "INFO", "api", 1, f"line {n}") for n in (1, 2, 3))

    assert call("executions", "logs", "last")[1].splitlines() == [
        f"2025-05-01T10:00:00.000000Z api INFO line {n}" for n in (1, 2, 3)
    ]
    assert [row["seq"] for row in json.loads(call("executions", "logs", "last", "--json")[1])["data"]] == [1, 2, 3]


def test_logs_are_printed_while_they_are_read(
    app: Any, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be millions: they are never all in memory."""
    app.log_views = tuple(LogView(n, T0, "INFO", "api", 1, f"line {n}") for n in (1, 2, 3))
    written: list[str] = []
    printed: list[int] = []
    read = type(app).logs

    def counted(self: Any, *args: Any, **more: Any) -> Any:
        printed.append(len(written))
        return read(self, *args, **more)

    monkeypatch.setattr("core.cli.output.Output.result", lambda out, text="": written.append(text))
    monkeypatch.setattr(type(app), "logs", counted)
    assert call("executions", "logs", "last")[0] == 0
    assert printed == [0, 1, 2, 3]


def test_why_is_told_line_by_line(app: Any, call: Run) -> None:
    app.reasons = (Reason("one", ("executions", "resume", "e-1", "-i", "ok=BOOLEAN")), Reason("two"))

    assert call("executions", "why", "last")[1].splitlines() == [
        "one", "  python -m core executions resume e-1 -i ok=BOOLEAN", "two",
    ]  # fmt: skip
    assert json.loads(call("executions", "why", "last", "--json")[1]) == {
        "why": ["one", "two"], "commands": [["executions", "resume", "e-1", "-i", "ok=BOOLEAN"]],
    }  # fmt: skip


def test_a_purge_wants_to_know_what(app: Any, call: Run) -> None:
    message = (
        "error: it is not clear which executions to delete\n"
        "  expected: filters, or --all for every one that has ended\n"
    )
    assert call("executions", "purge") == (2, "", message)
    assert call("executions", "purge", "--all", "--flow", "shop") == (2, "", message)
    assert call("executions", "purge", "--flow", "shop")[1] == "2 purged\n"
    assert json.loads(call("executions", "purge", "--all", "--json")[1]) == {"purged": 2}


def test_eval_prints_the_text_or_all_there_is(app: Any, call: Run) -> None:
    assert call("eval", "last", "outputs.x", "--task-name", "t", "--value", "v") == (0, "[1, 2]\n", "")
    assert app.asked == [("e-1", "outputs.x", "t", "v")]
    assert json.loads(call("eval", "last", "x", "--json")[1]) == {"value": [1, 2], "type": "list", "text": "[1, 2]"}


def test_check_of_a_folder_counts_what_is_unsupported(app: Any, call: Run, tmp_path: Path) -> None:
    for name in ("a.yaml", "sub/b.yml", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("id: x")
    app.problems = (
        Problem("error", "Invalid type: x.Y", "a.yaml", 3, 5, kind="unknown", subject="type `x.Y`"),
        Problem("error", "`assets` is refused", "a.yaml", 4, 5, kind="unsupported", subject="`assets`"),
        Problem("error", "`assets` is refused", "b.yaml", 4, 5, kind="unsupported", subject="`assets`"),
        Problem("warning", "old", "a.yaml", 5, 5),
    )

    code, out, err = call("check", str(tmp_path))

    assert code == 2
    assert out.splitlines()[3:8] == ["a.yaml:5:5: warning: old", *out.splitlines()[4:8]]
    assert out.splitlines()[-5:] == [
        "not supported here:", "  FLOWS  WHAT", "      2  `assets`", "      1  type `x.Y`", "",
    ]  # fmt: skip
    assert err == "0 of 2 flows are valid\n"


def test_check_of_a_valid_flow(app: Any, call: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("id: x")

    assert call("check", str(file)) == (0, "", "valid\n")
    assert json.loads(call("check", str(file), "--json")[1]) == {
        "flows": 1, "valid": 1, "problems": [], "dialects": {str(file): "both"}, "unsupported": [],
    }  # fmt: skip
    assert call("check", "nowhere.yaml") == (
        2, "", "error: nowhere.yaml: there is no such file or folder\n  expected: a flow's YAML file, or a folder\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "x" * 300], "there is no such file or folder\n  expected: a flow's YAML file, or a folder"),
        (["files", "put", "x" * 300, "company.team"], "there is no such file"),
        (["flows", "list", "--secrets", "x" * 300], "the file of secrets does not exist"),
    ],
)
def test_a_path_that_no_file_can_have_is_told_like_others(call: Run, words: list[str], message: str) -> None:
    assert call(*words) == (2, "", f"error: {'x' * 300}: {message}\n")


def test_check_says_which_dialect_a_flow_speaks_and_what_the_other_makes_of_it(
    app: Any, call: Run, tmp_path: Path
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("id: x")
    app.flow = evolve(app.flow, dialect="1.x", source="listeners: [{}]\n")
    told = f"{file}:1:1: info: `listeners`: 2.x refuses it, `afterExecution` takes its place\n"

    assert call("check", str(file)) == (0, told, "valid (of the 1.x dialect)\n")
    assert call("check", str(tmp_path)) == (0, told, "valid (of the 1.x dialect)\n")
    shown = json.loads(call("check", str(file), "--json")[1])
    assert (shown["valid"], shown["dialects"], shown["unsupported"]) == (1, {str(file): "1.x"}, [])
    assert shown["problems"][0]["kind"] == "dialect"

    (tmp_path / "b.yaml").write_text("id: y")
    assert call("check", str(tmp_path))[2] == "2 of 2 flows are valid (2 of the 1.x dialect)\n"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5", "string", "5"), ("5", "number", 5), ("2.5", "number", 2.5), ("true", "boolean", True),
        ("2025-05-01", "date", date(2025, 5, 1)), ("PT1M", "duration", timedelta(minutes=1)),
        ("2025-05-01T10:00:00Z", "datetime", datetime(2025, 5, 1, 10, tzinfo=UTC)),
        ('{"a": [1]}', "json", {"a": [1]}),
    ],
)  # fmt: skip
def test_values_of_the_store_are_typed(text: str, kind: str, value: object) -> None:
    assert typed(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x", "number"), ("true", "number"), ("yes", "boolean"), ("now", "datetime"), ("1h", "duration"), ("{", "json"),
        ("9" * 5000, "number"), ("[" * 50_000, "json"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_wrong_usage(text: str, kind: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed(text, kind)
    assert str(caught.value).startswith(f"`{text}` is not a {kind}\n  expected: ")


def test_doctor_ends_with_3_when_something_is_broken(app: Any, call: Run, tmp_path: Path) -> None:
    code, out, _ = call("doctor", "--json", "--home", str(tmp_path))

    assert code == 3
    found = json.loads(out)
    assert found["ok"] is False
    assert [check["name"] for check in found["checks"]] == ["core", "docker"]
    assert found["checks"][-1] == {"name": "docker", "ok": False, "message": "no engine answers"}


def test_a_terminal_gets_a_live_table(app: Any, call: Run, make_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: self is sys.stderr, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    app.task_views = (make_task("api"),)
    app.happenings = (
        TaskChanged("e-1", "t-api", "api", "debug.Return", "RUNNING", T0),
        TaskLogged("e-1", "api", T0, "INFO", "[red]half[/red]"),
        *(TaskChanged("e-1", f"t-{n}", "each", "debug.Return", "SUCCESS", T0, value=str(n)) for n in range(200)),
        TaskChanged("e-1", "t-api", "api", "debug.Return", "FAILED", T0 + 1_200_000, error="no luck"),
    )

    code, out, err = call("run", "flow.yaml")

    assert code == 0
    assert out.startswith("e-1  SUCCESS")
    last = err.rpartition("TASK")[2]
    assert "FAILED" in last
    assert "1.20 s" in last
    assert "no luck" in last
    assert "each [199]" in last
    assert "each [194]" not in last
    assert "each … 195 more" in last
    assert "more" in last
