"""The door for Python programs: a flow is loaded, run and followed in this process, and leaves nothing behind in it."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import pytest

from core.app import App, load_settings, open_app
from core.errors import Invalid, InvalidFlow, InvalidInput
from core.host.views import Happening, TaskChanged
from core.testing.apps import temporary_app

FLOW = """\
id: greet
namespace: tests
inputs: [{id: name, type: STRING}]
tasks: [{id: say, type: debug.Return, format: "{{ read('word.txt') }}, {{ inputs.name }}"}]
outputs: [{id: text, type: STRING, value: "{{ outputs.say.value }}"}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "flows" / "_files").mkdir(parents=True)
    (tmp_path / "flows" / "_files" / "word.txt").write_text("Hello")
    path = tmp_path / "flows" / "greet.yaml"
    path.write_text(FLOW)
    return path


def test_a_flow_runs_and_is_followed_and_its_outputs_are_read(path: Path, tmp_path: Path) -> None:
    told: list[Happening] = []
    with open_app(load_settings(home=tmp_path / "home", environment={})) as app:
        ran = app.run(path, {"name": "Ada"}, labels={"team": "a"}, follow=told.append)

        assert (ran.state, ran.outputs, ran.labels["team"]) == ("SUCCESS", {"text": "Hello, Ada"}, "a")
        assert app.outputs.value(f"{ran.id}/say") == {"value": "Hello, Ada"}
        assert [one.state for one in told if isinstance(one, TaskChanged)] == ["RUNNING", "SUCCESS"]
        assert app.run(str(path), {"name": "Bo"}).outputs == {"text": "Hello, Bo"}


def test_a_flow_calls_those_of_its_folder(path: Path) -> None:
    (path.parent / "main.yaml").write_text(
        "id: main\nnamespace: tests\ntasks:\n"
        "  - {id: sub, type: flow.Subflow, namespace: tests, flowId: greet, inputs: {name: Cy}}\n"
    )
    with temporary_app() as app:
        ran = app.run(path.parent / "main.yaml")
        assert app.outputs.value(f"{ran.id}/sub")["outputs"] == {"text": "Hello, Cy"}


def test_the_yaml_itself_is_a_flow_and_can_be_read_once_and_run_often() -> None:
    with temporary_app() as app:
        flow = app.flows.read("id: f\nnamespace: n\ntasks: [{id: t, type: debug.Return, format: x}]\n")
        assert [app.run(flow).state for _ in range(2)] == ["SUCCESS", "SUCCESS"]


def test_what_is_wrong_is_raised_before_anything_runs(path: Path, tmp_path: Path) -> None:
    with temporary_app() as app:
        with pytest.raises(Invalid) as missing:
            app.run(tmp_path / "none.yaml")
        assert str(missing.value) == (
            f"{tmp_path}/none.yaml: the flow can't be read: no such file or directory\n"
            "  expected: a YAML file with a flow"
        )
        with pytest.raises(InvalidFlow):
            app.run("id: f\ntasks: []\n")
        with pytest.raises(InvalidInput) as inputs:
            app.run(path)
        assert str(inputs.value) == (
            "Missing required input:name\n  to do: give inputs as -i NAME=VALUE; this flow has: name (STRING)"
        )


def test_executions_run_side_by_side_in_two_apps_and_leave_nothing_behind(tmp_path: Path) -> None:
    before = (sys.getswitchinterval(), signal.getsignal(signal.SIGINT), set(threading.enumerate()))
    apps = [App(load_settings(home=tmp_path / name, environment={}, workers=2)) for name in ("a", "b")]
    states: list[str] = []

    def run(app: App, name: str) -> None:
        body = f"id: {name}\nnamespace: n\ntasks: [{{id: t, type: debug.Return, format: '{{{{ flow.id }}}}'}}]\n"
        for _ in range(3):
            ran = app.run(body)
            states.append(f"{ran.state} {app.outputs.value(f'{ran.id}/t')['value']}")

    threads = [threading.Thread(target=run, args=(app, name)) for app in apps for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for app in apps:
        app.close()

    assert sorted(states) == ["SUCCESS x"] * 6 + ["SUCCESS y"] * 6
    assert (sys.getswitchinterval(), signal.getsignal(signal.SIGINT), set(threading.enumerate())) == before
