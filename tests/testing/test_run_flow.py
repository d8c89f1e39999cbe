"""`run_flow`: whole flows, from their text to what came out."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import Invalid, InvalidFlow, InvalidInput
from core.host.views import OutputFilter
from core.testing import run_flow, temporary_app
from tests.testing.shout import Shout

GREET = """\
id: greet
namespace: company.team
inputs:
  - {id: who, type: STRING, defaults: bo}
tasks:
  - {id: hello, type: debug.Return, format: "hi {{ inputs.who }}"}
  - {id: loud, type: shout.Shout, text: "{{ outputs.hello.value }}"}
outputs:
  - {id: said, type: STRING, value: "{{ outputs.loud.text }}"}
"""


def test_a_flow_runs_from_its_text() -> None:
    run = run_flow(GREET, {"who": "Ada"}, types=(Shout,))
    assert (run.state, run.error, run.inputs, run.outputs) == ("SUCCESS", "", {"who": "Ada"}, {"said": "HI ADA"})
    loud = run.tasks["loud"]
    assert (loud.type, loud.state, loud.attempts, loud.error) == ("shout.Shout", "SUCCESS", 1, "")
    assert loud.output == {"text": "HI ADA", "letterCount": 5}
    assert loud.logs == (("INFO", "shouting hi Ada"),)
    assert [task.task for task in run.task_executions] == ["hello", "loud"]
    assert run.logs == (("DEBUG", "hi Ada"), ("INFO", "shouting hi Ada"))


def test_a_flow_runs_from_its_file_with_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "_files").mkdir()
    (tmp_path / "_files" / "a.txt").write_text("a")
    path = tmp_path / "flow.yaml"
    path.write_text(
        "id: files\nnamespace: company.team\ntasks:\n"
        "  - {id: read, type: debug.Return, format: \"{{ read('a.txt') }}{{ read('b.txt') }}\"}\n"
    )
    assert run_flow(path, files={"b.txt": "b"}).tasks["read"].output == {"value": "ab"}
    assert run_flow(str(path), files={"a.txt": "A", "b.txt": "B"}).tasks["read"].output == {"value": "AB"}
    assert (tmp_path / "_files" / "a.txt").read_text() == "a"


def test_a_file_input_is_stored_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b")
    flow = """\
id: files
namespace: company.team
inputs:
  - {id: data, type: FILE}
tasks:
  - {id: read, type: debug.Return, format: "{{ read(inputs.data) }}"}
"""
    run = run_flow(flow, {"data": tmp_path / "in.csv"})
    assert run.tasks["read"].output == {"value": "a,b"}
    assert run.files == {run.inputs["data"]: b"a,b"}


def test_a_failed_flow_is_a_result() -> None:
    flow = """\
id: fails
namespace: company.team
tasks:
  - {id: first, type: debug.Return, format: "1"}
  - {id: stop, type: execution.Fail, errorMessage: no more}
  - {id: never, type: debug.Return}
"""
    run = run_flow(flow)
    assert (run.state, run.outputs) == ("FAILED", {})
    assert [(task.task, task.state, task.error) for task in run.task_executions] == [
        ("first", "SUCCESS", ""), ("stop", "FAILED", "no more"),
    ]  # fmt: skip


def test_secrets_are_known() -> None:
    flow = """\
id: secrets
namespace: company.team
tasks:
  - {id: tell, type: debug.Return, format: "{{ secret('TOKEN') }}"}
"""
    run = run_flow(flow, secrets={"TOKEN": "abcd1234"})
    assert run.tasks["tell"].output == {"value": "abcd1234"}
    assert run.tasks["tell"].summary == {"value": "••••"}


def test_runs_in_one_app_see_each_other() -> None:
    with temporary_app(Shout) as app:
        first, second = run_flow(GREET, app=app), run_flow(GREET, app=app)
        assert first.id != second.id
        assert app.evaluator.evaluate("last", "outputs.loud.text").text == "HI BO"
        assert len(app.outputs.list(OutputFilter()).data) == 4


def test_a_wrong_flow_is_told_before_it_runs() -> None:
    with pytest.raises(InvalidFlow) as caught:
        run_flow("id: x\nnamespace: a\ntasks:\n  - {id: a, type: debug.Retrun}\n")
    assert str(caught.value) == "flow.yaml:4:19: Invalid type: debug.Retrun\n  to do: did you mean `debug.Return`?"


def test_a_wrong_input_is_told_before_it_runs() -> None:
    with pytest.raises(InvalidInput) as caught:
        run_flow(GREET.replace(", defaults: bo", ""), types=(Shout,))
    assert caught.value.what == "Missing required input:who"


def test_an_input_that_the_flow_does_not_have_is_noted() -> None:
    run = run_flow(GREET, {"whom": "x"}, types=(Shout,))
    assert (run.state, len(run.notes), "whom" in run.notes[0]) == ("SUCCESS", 1, True)


def test_a_path_without_a_file_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        run_flow("no-such-flow.yaml")
    assert str(caught.value) == (
        "no-such-flow.yaml: there is no such flow\n  expected: the path of a YAML file, or the YAML itself"
    )


def test_types_come_too_late_for_an_app() -> None:
    with temporary_app() as app, pytest.raises(Invalid) as caught:
        run_flow(GREET, types=(Shout,), app=app)
    assert str(caught.value) == "`types` can't be given together with `app`\n  to do: temporary_app(…) takes types"


def test_two_apps_live_side_by_side() -> None:
    with temporary_app(Shout) as one, temporary_app() as other:
        run_flow(GREET, app=one)
        assert (one.registry.find("shout.Shout") is None, other.registry.find("shout.Shout") is None) == (False, True)
        assert other.outputs.list(OutputFilter()).data == ()


def test_nothing_is_left_of_a_temporary_app() -> None:
    with temporary_app(Shout) as app:
        run_flow(GREET, app=app)
        home = app.settings.home
        assert (home / "storage").parent.is_dir()
    assert not home.exists()
