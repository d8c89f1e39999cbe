"""What tasks see of the world: rendering, directories, files, keys, and what is recorded of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.sdk import RunContext, RunnableTask, prop
from core.testing.apps import temporary_app
from core.testing.flows import FlowRun, run_flow


class Directories(RunnableTask, type="test.Directories"):
    """Use the directories that are asked for."""

    use: list[str] = prop("Which of working, output, cache, namespace.", factory=list)

    def run(self, ctx: RunContext) -> dict[str, Any]:
        found: dict[str, Any] = {"used": ctx.output_dir_used}
        if "working" in self.use:
            (ctx.working_dir / "file").touch()
            found["working"] = [str(ctx.working_dir), ctx.render("{{ workingDir }}")]
        if "output" in self.use:
            found["output"] = [str(ctx.output_dir), ctx.render("{{ outputDir }}"), ctx.output_dir_used]
        if "namespace" in self.use:
            files = ctx.namespace_files()
            found["files"] = {name: path.read_text("utf-8") for name, path in files.items()}
            found["places"] = [str(path) for path in files.values()]
        return found


class Store(RunnableTask, type="test.Store"):
    """Store a file, or read one."""

    write: str | None = prop("Content of a file to store twice.", default=None)
    read: str | None = prop("URI of a file to read.", default=None)

    def run(self, ctx: RunContext) -> dict[str, Any]:
        if self.read is not None:
            with ctx.storage.open(self.read) as source:
                return {"content": source.read().decode(), "size": ctx.storage.stat(self.read).size}
        path = ctx.working_dir / "a.txt"
        path.write_text(self.write or "", "utf-8")
        first = ctx.storage.put(path, "a.txt")
        path.write_text("again", "utf-8")
        second = ctx.storage.put(path, "a.txt")
        return {"uri": first.uri, "second": second.uri, "moved": not path.exists()}


class Keys(RunnableTask, type="test.Keys"):
    """Set a key and read it at once."""

    def run(self, ctx: RunContext) -> dict[str, Any]:
        before = ctx.kv.get("k")
        ctx.kv.set("k", {"n": 1})
        return {"before": before, "after": ctx.kv.get("k")}


class Lines(RunnableTask, type="test.Lines"):
    """Log at every level, and something long."""

    def run(self, ctx: RunContext) -> None:
        ctx.log.trace("trace")
        ctx.log.debug("debug")
        ctx.log.info("info")
        ctx.log.warn("warn")
        ctx.log.error("x" * 25_000)
        ctx.log.info("")


class Measure(RunnableTask, type="test.Measure"):
    """Measure what is no number."""

    def run(self, ctx: RunContext) -> None:
        ctx.metric("good", 1.5)
        for value in (float("nan"), float("inf")):
            ctx.metric("bad", value)


TYPES = (Directories, Store, Keys, Lines, Measure)


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app(*TYPES) as made:
        yield made


def run(app: App, tasks: str, **more: Any) -> FlowRun:
    return run_flow(f"id: flow\nnamespace: company.team\ntasks:\n{tasks}", app=app, **more)


def rows(app: App, sql: str) -> list[Any]:
    connection = sqlite3.connect(app.settings.home / "records.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


# -- directories


def test_no_directory_is_made_for_a_task_that_asks_for_none(app: App) -> None:
    ran = run(app, '  - {id: a, type: test.Directories}\n  - {id: b, type: log.Log, message: "{{ flow.id }}"}')
    assert ran.tasks["a"].output == {"used": False}
    assert not (app.settings.home / "work").exists()


@pytest.mark.parametrize("use", ["working", "output"])
def test_a_directory_is_the_same_for_task_and_expressions_and_gone_afterwards(app: App, use: str) -> None:
    output = run(app, f"  - {{id: a, type: test.Directories, use: [{use}]}}").tasks["a"].output
    assert output[use][0] == output[use][1]
    assert output["used"] is False
    assert list((app.settings.home / "work").iterdir()) == []


def test_an_expression_alone_makes_a_directory_too(app: App) -> None:
    ran = run(app, '  - {id: a, type: debug.Return, format: "{{ workingDir }}"}')
    place = Path(ran.tasks["a"].output["value"])
    assert place.parent == app.settings.home.resolve() / "work"
    assert not place.exists()


def test_copies_of_namespace_files_are_gone_afterwards(app: App, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("select 1", "utf-8")
    app.files.put(tmp_path / "q.sql", "company.team", "sql/q.sql")
    output = run(app, "  - {id: a, type: test.Directories, use: [namespace]}").tasks["a"].output
    assert output["files"] == {"sql/q.sql": "select 1"}
    assert not Path(output["places"][0]).exists()
    assert list((app.settings.home / "work").iterdir()) == []


# -- files


def test_a_stored_file_is_read_by_later_tasks(app: App) -> None:
    ran = run(
        app,
        """
  - {id: a, type: test.Store, write: héllo}
  - {id: b, type: test.Store, read: "{{ outputs.a.uri }}"}
  - {id: c, type: debug.Return, format: "{{ read(outputs.a.uri) }} {{ fileSize(outputs.a.uri) }} {{ isFileEmpty(outputs.a.uri) }} {{ fileExists(outputs.a.uri ~ 'x') }} {{ read(outputs.a.second) }}"}
""",
    )
    first, second = ran.tasks["a"].output["uri"], ran.tasks["a"].output["second"]
    assert first != second
    assert ran.tasks["a"].output["moved"] is True
    assert second.endswith("/a-2.txt")
    assert ran.tasks["b"].output == {"content": "héllo", "size": 6}
    assert ran.tasks["c"].output == {"value": "héllo 6 false false again"}
    assert set(ran.files) == {first, second}


def test_a_file_of_another_execution_is_out_of_reach(app: App) -> None:
    foreign = run(app, "  - {id: a, type: test.Store, write: secret}").tasks["a"].output["uri"]
    told = (
        f"the file `{foreign}` does not belong to this execution\n"
        "  expected: a file of this execution, or one named in its inputs or in what it read"
    )
    for task in (
        f"{{id: b, type: test.Store, read: '{foreign}'}}",
        f"{{id: b, type: debug.Return, format: \"{{{{ read('{foreign}') }}}}\"}}",
        f"{{id: b, type: debug.Return, format: \"{{{{ fileExists('{foreign}') }}}}\"}}",
    ):
        ran = run(app, f"  - {task}")
        assert ran.state == "FAILED"
        assert told in ran.tasks["b"].error


@pytest.mark.parametrize("uri", [
    "storage:///company/team/flow/executions/../../../../etc/passwd", "storage:////etc/passwd", "storage:///a\\..\\b",
])  # fmt: skip
def test_no_uri_leads_out_of_the_storage(app: App, uri: str) -> None:
    ran = run(app, f"  - {{id: b, type: test.Store, read: '{uri}'}}")
    assert ran.state == "FAILED"
    assert "is not a path inside the storage" in ran.tasks["b"].error


def test_a_file_given_as_input_may_be_read(app: App, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("given", "utf-8")
    ran = run_flow(
        "id: flow\nnamespace: company.team\ninputs: [{id: f, type: FILE}]\ntasks:\n"
        '  - {id: a, type: debug.Return, format: "{{ read(inputs.f) }}"}',
        {"f": tmp_path / "in.txt"}, app=app,
    )  # fmt: skip
    assert ran.tasks["a"].output == {"value": "given"}


@pytest.mark.parametrize("pushed", [False, True])
def test_a_namespace_file_is_read_by_its_name(app: App, tmp_path: Path, pushed: bool) -> None:
    (tmp_path / "q.sql").write_text("select 1", "utf-8")
    if pushed:
        app.files.put(tmp_path / "q.sql", "company.team", "q.sql")
    task = "  - {id: a, type: debug.Return, format: \"{{ read('q.sql') }} {{ fileSize('/q.sql') }} {{ read('no') }}\"}"
    ran = run(app, task.replace(" {{ read('no') }}", ""), files={} if pushed else {"q.sql": "select 1"})
    assert ran.tasks["a"].output == {"value": "select 1 8"}
    assert "there is no file `no` in the namespace `company.team`" in run(app, task).tasks["a"].error or not pushed


@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("uri", ["nsfile:///d/q.sql", "nsfile://company.team/d/q.sql"])
def test_a_namespace_file_has_a_uri_of_its_own_kind(app: App, tmp_path: Path, uri: str, pushed: bool) -> None:
    (tmp_path / "q.sql").write_text("select 1", "utf-8")
    if pushed:
        app.files.put(tmp_path / "q.sql", "company.team", "d/q.sql")
    text = f"{{{{ read('{uri}') }}}} {{{{ fileSize('{uri}') }}}} {{{{ fileExists('{uri}') }}}} {{{{ fileExists('nsfile:///no') }}}}"
    ran = run(app, f'  - {{id: a, type: debug.Return, format: "{text}"}}', files={} if pushed else {"d/q.sql": "select 1"})
    assert ran.tasks["a"].output == {"value": "select 1 8 true false"}


@pytest.mark.parametrize("pushed", [False, True])
def test_the_uri_of_a_namespace_file_can_be_read_wherever_the_file_lies(
    app: App, tmp_path: Path, pushed: bool
) -> None:
    (tmp_path / "q.sql").write_text("select 1", "utf-8")
    if pushed:
        app.files.put(tmp_path / "q.sql", "company.team", "q.sql")
    ran = run(
        app,
        "  - {id: a, type: debug.Return, format: \"{{ read(fileURI('q.sql')) }}\"}\n"
        "  - {id: b, type: debug.Return, format: \"{{ read(fileURI('nsfile:///q.sql')) }} {{ fileURI('no') }}\"}",
        files={} if pushed else {"q.sql": "select 1"},
    )
    assert ran.tasks["a"].output == {"value": "select 1"}
    assert ran.tasks["b"].output == {"value": "select 1 storage:///company/team/_files/no"}


def test_files_of_the_machine_are_not_read(app: App) -> None:
    ran = run(app, "  - {id: a, type: debug.Return, format: \"{{ read('file:///etc/hostname') }}\"}")
    assert ran.tasks["a"].error.splitlines()[0].endswith(
        "the file `file:///etc/hostname` can't be read: it is a file of the machine"
    )


# -- keys


def test_a_key_is_set_with_the_result_of_its_task(app: App) -> None:
    ran = run(app, "  - {id: a, type: test.Keys}\n  - {id: b, type: debug.Return, format: \"{{ kv('k').n }}\"}")
    assert ran.tasks["a"].output == {"before": None, "after": None}
    assert ran.tasks["b"].output == {"value": "1"}
    assert app.kv.get("company.team", "k").value == {"n": 1}


@pytest.mark.parametrize(
    ("expression", "gives"),
    [("kv('own')", "1"), ("kv('parents')", "2"), ("kv('there', 'other')", "3"),
     ("kv('none', errorOnMissing=false) ?? 'nothing'", "nothing")],
)  # fmt: skip
def test_a_key_is_looked_for_in_its_namespace_and_above(app: App, expression: str, gives: str) -> None:
    for namespace, key, value in [("company.team", "own", 1), ("company", "parents", 2), ("other", "there", 3)]:
        app.kv.set(namespace, key, value)
    ran = run(app, f'  - {{id: a, type: debug.Return, format: "{{{{ {expression} }}}}"}}')
    assert ran.tasks["a"].output == {"value": gives}


def test_a_key_that_is_missing_fails_with_both_ways_out(app: App) -> None:
    app.kv.set("company", "k", 1)
    error = run(app, "  - {id: a, type: log.Log, message: \"{{ kv('k', 'company.team') }}\"}").tasks["a"].error
    assert error == (
        "$.message, line 4, column 37: the key `k` does not exist in the namespace `company.team`\n"
        "  to do: set it with `kv set`, or write kv(key, errorOnMissing=false)"
    )


# -- what went before


def test_states_and_error_logs_of_earlier_tasks_are_seen(app: App) -> None:
    ran = run(
        app,
        """
  - {id: bad, type: execution.Fail, errorMessage: no luck, allowFailure: true}
  - {id: skipped, type: log.Log, message: x, runIf: "false"}
  - {id: a, type: output.OutputValues, values: {logs: "{{ errorLogs() }}", warned: "{{ tasksWithState('warning') }}", states: "{{ tasks.bad.state }} {{ tasks.skipped.state }} {{ tasks.a.state }}"}}
""",
    )
    assert ran.tasks["a"].output["values"] == {
        "logs": '[{"taskId":"bad","level":"ERROR","message":"no luck"}]',
        "warned": '[{"taskId":"bad","state":"WARNING"}]',
        "states": "WARNING SKIPPED RUNNING",
    }


def test_what_was_read_is_recorded_with_its_reader(app: App) -> None:
    app.kv.set("company.team", "k", 1)
    ran = run(
        app,
        """
  - {id: a, type: debug.Return, format: x}
  - {id: b, type: debug.Return, format: "{{ outputs.a.value }} {{ kv('k') }}", runIf: "{{ outputs.a.value == 'x' }}"}
""",
    )
    ids = {task: execution.id for task, execution in ran.tasks.items()}
    assert sorted(rows(app, "SELECT reader, what, of_task_execution, version FROM reads")) == sorted([
        (f"{ran.id}/b/run_if/0", "outputs.a.value", ids["a"], 1),
        (ids["b"], "outputs.a.value", ids["a"], 1), (ids["b"], "kv:company.team/k", None, None),
    ])  # fmt: skip


def test_the_same_properties_have_the_same_hash(app: App) -> None:
    task = '  - {{id: {0}, type: debug.Return, format: "{{{{ 1 + {1} }}}}"}}\n'
    run(app, task.format("a", 1) + task.format("b", 1) + task.format("c", 2))
    hashes = [found for (found,) in rows(app, "SELECT properties_hash FROM task_executions ORDER BY seq")]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64


# -- logs and metrics


@pytest.mark.parametrize(("level", "kept"), [("TRACE", 5), ("INFO", 3), ("ERROR", 1)])
def test_only_lines_of_the_tasks_log_level_are_recorded(app: App, level: str, kept: int) -> None:
    ran = run(app, f"  - {{id: a, type: test.Lines, logLevel: {level}}}")
    assert len({found for found, _ in ran.logs}) == kept


def test_a_long_line_is_recorded_in_pieces(app: App) -> None:
    ran = run(app, "  - {id: a, type: test.Lines, logLevel: WARN}")
    assert [len(message) for found, message in ran.logs if found == "ERROR"] == [10_240, 10_240, 4_520]


def test_a_metric_that_is_no_number_costs_a_warning_only(app: App) -> None:
    ran = run(app, "  - {id: a, type: test.Measure}")
    assert ran.logs == (
        ("WARN", "the metric `bad` is not recorded: its value is nan"),
        ("WARN", "the metric `bad` is not recorded: its value is inf"),
    )
    assert rows(app, "SELECT name, value FROM metrics") == [("good", 1.5)]
