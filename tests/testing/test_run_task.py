"""`run_task`: one task alone goes the way it goes in a flow."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.builtin.debug import Return
from core.builtin.flow import Sequential
from core.builtin.process import Process
from core.errors import Invalid, NotFound
from core.sdk import RunContext, RunnableTask, TaskFailed, TaskOutput, prop
from core.testing import run_task, temporary_app
from core.testing.apps import Files
from core.testing.raw import raw_task
from tailrace_scripts_shell.tasks import Commands, Script
from tests.testing.shout import Shout


class Store(RunnableTask, type="tests.Store"):
    """Store a text, and tell what is in a file and under a key."""

    text: str = prop("What to store.")
    source: str = prop("A file to read.", default="")
    fails: bool = prop("Whether to fail in the end.", default=False)

    class Output(TaskOutput):
        uri: str = prop("Where it is.")
        read: str = prop("What was read.")
        known: Any = prop("What was under the key.")

    def run(self, ctx: RunContext) -> Output:
        path = ctx.working_dir / "a.txt"
        path.write_text(self.text)
        stored = ctx.storage.put(path, "a.txt")
        read = ""
        if self.source:
            with ctx.storage.open(self.source) as source:
                read = source.read().decode()
        ctx.kv.set("last", {"text": self.text})
        output = self.Output(uri=stored.uri, read=read, known=ctx.kv.get("first"))
        if self.fails:
            raise TaskFailed("it was asked to fail", output=output)
        return output


class Unfinished(RunnableTask, type="tests.Unfinished"):
    """Has a mistake."""

    def run(self, ctx: RunContext) -> None:
        raise KeyError("oops")


def test_properties_are_rendered_before_the_task_runs() -> None:
    assert run_task(Shout(text="hi {{ who }}"), variables={"who": "bo"}).output["text"] == "HI BO"


def test_a_run_tells_everything() -> None:
    run = run_task(Shout(text="hi"))
    assert (run.type, run.state, run.error, run.note) == ("shout.Shout", "SUCCESS", "", "")
    assert run.output == {"text": "HI", "letterCount": 2}
    assert run.summary == {"text": "HI", "letterCount": 2}
    assert run.logs == (("INFO", "shouting hi"),)
    assert [(metric.name, metric.kind, metric.value) for metric in run.metrics] == [("shouts", "counter", 1.0)]
    assert (run.files, run.kv) == ({}, {})


def test_outputs_are_the_tasks_own_class() -> None:
    outputs = run_task(Shout(text="hi")).outputs
    assert isinstance(outputs, Shout.Output)
    assert (outputs.text, outputs.letter_count) == ("HI", 2)


def test_a_property_that_is_an_expression_is_converted_after_rendering() -> None:
    task = {"type": "shout.Shout", "text": "hi", "times": "{{ inputs.n }}"}
    with temporary_app(Shout) as app:
        assert run_task(task, inputs={"n": 3}, app=app).output["text"] == "HI HI HI"
        failed = run_task(task, inputs={"n": "many"}, app=app)
    assert (failed.state, failed.error) == (
        "FAILED", "$.times: `many` is not a whole number\n  expected: a whole number, such as 5",
    )  # fmt: skip


def test_a_task_may_be_a_map_or_a_class() -> None:
    given = {"type": "io.kestra.plugin.core.debug.Return", "format": "{{ flow.namespace }} {{ task.id }}"}
    assert run_task(given).output == {"value": "tests task"}
    assert run_task(Return).output == {"value": None}


def test_a_class_of_a_function_works() -> None:
    class Silent(RunnableTask, type="tests.Silent"):
        """Say nothing."""

        def run(self, ctx: RunContext) -> None:
            ctx.log.debug("…")

    run = run_task(Silent())
    assert (run.state, run.output, run.logs) == ("SUCCESS", None, (("DEBUG", "…"),))


def test_what_fails_is_a_result() -> None:
    run = run_task({"type": "debug.Return", "formt": "x"})
    assert run.state == "FAILED"
    assert run.error == "$.formt: there is no property `formt`\n  to do: did you mean `format`?"
    assert run.logs == (("ERROR", run.error),)
    with pytest.raises(Invalid) as caught:
        _ = run.outputs
    assert str(caught.value) == f"debug.Return gave no output, it is FAILED: {run.error}"


def test_a_failure_keeps_the_output_it_comes_with() -> None:
    run = run_task(Store(text="x", fails=True))
    assert (run.state, run.error) == ("FAILED", "it was asked to fail")
    assert run.outputs.uri in run.files


def test_a_mistake_of_the_task_is_told_with_its_place() -> None:
    run = run_task(Unfinished())
    assert run.error == (
        "the task type tests.Unfinished has an error of its own: KeyError: 'oops'\n"
        "  to do: tell its author; the log at level DEBUG says where it happened"
    )
    level, message = run.logs[0]
    assert (level, "line" in message) == ("DEBUG", True)


def test_stored_files_can_be_looked_at_afterwards() -> None:
    run = run_task(Store(text="größe"))
    assert run.files == {run.outputs.uri: "größe".encode()}


def test_an_input_that_is_a_path_is_a_stored_file(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b")
    run = run_task(Store(text="x", source="{{ inputs.data }}"), inputs={"data": tmp_path / "in.csv"})
    assert run.outputs.read == "a,b"
    assert (tmp_path / "in.csv").read_text() == "a,b"


def test_a_file_of_another_execution_is_refused(tmp_path: Path) -> None:
    with temporary_app() as app:
        earlier = run_task(Store(text="x"), app=app).outputs.uri
        run = run_task(Store(text="y", source=earlier), app=app)
    assert run.error.startswith(f"the file `{earlier}` does not belong to this execution")


def test_namespace_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "c.bin").write_bytes(b"c")
    files: Files = {"sub/a.txt": "a", "b.txt": b"b", "c.txt": tmp_path / "c.bin"}
    text = "{{ read('sub/a.txt') }}{{ read('b.txt') }}{{ read('c.txt') }}"
    assert run_task(Shout(text=text), files=files).output["text"] == "ABC"


def test_secrets_are_known_and_hidden_where_people_look() -> None:
    run = run_task(Return(format="{{ secret('TOKEN') }}!"), secrets={"token": "abcd1234"})
    assert run.output == {"value": "abcd1234!"}
    assert (run.summary, run.logs) == ({"value": "••••!"}, (("DEBUG", "••••!"),))


def test_secrets_and_settings_of_the_machine_are_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "of this machine")
    monkeypatch.setenv("TAILRACE_INLINE_LIMIT", "1")
    run = run_task(Return(format="{{ secret('TOKEN') }}"))
    assert run.error.startswith("$.format: Cannot find secret for key 'TOKEN'.")
    with temporary_app() as app:
        assert app.settings.inline_limit == 65536


def test_keys_are_read_and_set() -> None:
    with temporary_app() as app:
        app.kv.set("tests", "first", [1, 2])
        run = run_task(Store(text="x"), app=app)
    assert run.outputs.known == [1, 2]
    assert run.kv == {("tests", "last"): {"text": "x"}}


def test_outputs_of_earlier_tasks_are_variables() -> None:
    run = run_task(Return(format="{{ outputs.a.rows[1] }}"), variables={"outputs": {"a": {"rows": [1, 2]}}})
    assert run.output == {"value": "2"}


def test_a_large_output_comes_back_whole() -> None:
    with temporary_app(inline_limit=100) as app:
        run = run_task(Return(format="x" * 1000), app=app)
    assert run.output == {"value": "x" * 1000}
    assert run.files == {}


def test_scripts_run_as_processes() -> None:
    run = run_task(Script(script='echo {{ word }}; echo \'::{"outputs": {"n": 2}}::\''), variables={"word": "hey"})
    assert (run.state, run.outputs.exit_code, run.outputs.vars) == ("SUCCESS", 0, {"n": 2})
    assert ("INFO", "hey") in run.logs


def test_a_flow_task_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        run_task(Sequential())
    assert str(caught.value) == "flow.Sequential does no work of its own\n  to do: test it with run_flow"


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(NotFound, match=r"there is no type `debug\.Retrun`"):
        run_task({"type": "debug.Retrun"})
    with pytest.raises(Invalid) as caught:
        run_task({"format": "x"})
    assert str(caught.value) == (
        'this task has no `type`\n  expected: an instance, a class, or a map such as {"type": "log.Log"}'
    )


def test_a_runner_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        run_task(Script(script="true"), runner="dokcer")
    assert str(caught.value) == ("runner: `dokcer` is not one of the choices\n  expected: auto | docker | process")


def test_secrets_come_too_late_for_an_app() -> None:
    with temporary_app() as app, pytest.raises(Invalid) as caught:
        run_task(Return(), secrets={"A": "b"}, app=app)
    assert str(caught.value) == "`secrets` can't be given together with `app`\n  to do: temporary_app(…) takes secrets"


@pytest.mark.parametrize(
    ("task", "raw"),
    [
        (Shout(text="{{ a }}"), {"type": "shout.Shout", "text": "{{ a }}"}),
        (Shout(text="a", times=1), {"type": "shout.Shout", "text": "a"}),
        (Shout(text="a", times=True), {"type": "shout.Shout", "text": "a", "times": True}),
        (Shout, {"type": "shout.Shout"}),
        (
            Commands(commands=["a"], task_runner=Process(), env={"A": "{{ b }}"}),
            {
                "type": "scripts.shell.Commands", "commands": ["a"], "taskRunner": {"type": "runner.Process"},
                "env": {"A": "{{ b }}"},
            },
        ),
    ],
)  # fmt: skip
def test_an_instance_is_what_a_flow_would_say(task: Any, raw: dict[str, Any]) -> None:
    assert raw_task(task) == raw


def test_dates_and_durations_among_variables_keep_their_type() -> None:
    run = run_task(Return(format="{{ pause }}"), variables={"pause": timedelta(minutes=90)})
    assert run.output == {"value": "PT1H30M"}
