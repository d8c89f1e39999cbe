"""What flows read of the settings and the environment, and inputs that are kept encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.app import open_app
from core.errors import Invalid, InvalidInput
from core.settings import constants, load_settings
from core.testing import run_flow, temporary_app

KEY = "I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK"
SECRET = """
id: secret
namespace: io.rules
inputs: [{id: s, type: SECRET}]
tasks:
- {id: said, type: log.Log, message: "it is {{ inputs.s }}"}
- {id: given, type: debug.Return, format: "{{ inputs.s }}"}
"""


def test_later_prefixes_of_the_environment_count_more_than_earlier_ones(tmp_path: Path) -> None:
    environment = {"ENV_A": "1", "KESTRA_A": "2", "TAILRACE_ENV_B": "3", "A": "4"}
    settings = load_settings(home=tmp_path, environment=environment, globals='{"n": {"m": 5}}')

    assert constants(settings) == {"envs": {"a": "2", "b": "3"}, "globals": {"n": {"m": 5}}}


@pytest.mark.parametrize("written", ["[1]", "{", "text"])
def test_globals_are_a_table(written: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={}, globals=written)
    assert str(caught.value) == (
        "setting globals: this is not a table of values\n  expected: a table, or the JSON text of a map"
    )


def test_expressions_read_globals_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[globals]\nregion = 'north'\n", "utf-8")
    settings = load_settings(home=tmp_path, environment={"ENV_STAGE": "test"}, runner="process")
    with open_app(settings) as app:
        text = (
            "id: g\nnamespace: io.rules\ntasks:\n"
            "- {id: i, type: flow.If, condition: \"{{ envs.stage == 'test' }}\", "
            'then: [{id: r, type: debug.Return, format: "{{ globals.region }}"}]}\n'
        )
        run = run_flow(text, app=app)

    assert run.tasks["r"].output == {"value": "north"}


def test_a_secret_input_is_kept_encrypted_and_hidden_in_logs() -> None:
    with temporary_app(encryption_key=KEY) as app:
        run = run_flow(SECRET, {"s": "hush-hush"}, app=app)
        kept = b"".join(path.read_bytes() for path in app.settings.home.rglob("*") if path.is_file())

    assert run.tasks["given"].output == {"value": "hush-hush"}
    assert run.tasks["said"].logs == (("INFO", "it is ••••"),)
    assert b"hush-hush" not in kept


def test_a_secret_output_is_kept_encrypted_and_read_by_whoever_calls_the_flow() -> None:
    with temporary_app(encryption_key=KEY) as app:
        app.flows.push(
            "id: child\nnamespace: io.rules\ntasks: [{id: a, type: log.Log, message: hi}]\n"
            "outputs: [{id: s, type: SECRET, value: \"hush-{{ 'hush' }}\"}]\n"
        )
        run = run_flow(
            "id: parent\nnamespace: io.rules\ntasks:\n"
            "- {id: sub, type: flow.Subflow, namespace: io.rules, flowId: child}\n"
            "- {id: given, type: debug.Return, format: \"{{ outputs.sub.outputs.s | length }}\"}\n",
            app=app,
        )
        kept = b"".join(path.read_bytes() for path in app.settings.home.rglob("*") if path.is_file())

    assert run.tasks["given"].output == {"value": "9"}
    assert b"hush-hush" not in kept


def test_without_a_key_a_secret_input_is_refused() -> None:
    with temporary_app() as app, pytest.raises(InvalidInput) as caught:
        run_flow(SECRET, {"s": "hush-hush"}, app=app)
    assert "Unable to use a `SECRET` input/output as encryption is not configured" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_task_started_when_it_was_opened_and_not_with_its_execution() -> None:
    text = (
        "id: d\nnamespace: io.rules\ntasks:\n- {id: a, type: flow.Sleep, duration: PT0.02S}\n"
        '- {id: b, type: debug.Return, format: "{{ taskrun.startDate != execution.startDate }}"}\n'
    )
    with temporary_app() as app:
        assert run_flow(text, app=app).tasks["b"].output == {"value": "true"}


def test_outputs_of_a_flow_that_are_not_of_their_type_are_told_in_the_log() -> None:
    text = (
        "id: o\nnamespace: io.rules\ntasks:\n- {id: a, type: debug.Return}\n"
        'outputs: [{id: n, type: INT, value: "x"}]\n'
    )
    with temporary_app() as app:
        run = run_flow(text, app=app)

    assert run.state == "FAILED"
    assert run.logs == (("ERROR", run.error),)
    assert run.error.startswith("Failed to render output values: Invalid output for `n`, Expected `INT`")


AFTERWARDS = """
id: afterwards
namespace: io.rules
tasks:
- {id: work, type: output.OutputValues, values: {n: 5}}
finally:
- {id: before, type: output.OutputValues, values: {outputs: "{{ execution.outputs is defined }}"}}
afterExecution:
- {id: after, type: output.OutputValues, values: {n: "{{ execution.outputs.n + 1 }}", state: "{{ execution.state }}"}}
outputs: [{id: n, type: INT, value: "{{ outputs.work.values.n }}"}]
"""


def test_what_runs_after_an_execution_sees_the_outputs_of_its_flow() -> None:
    run = run_flow(AFTERWARDS)

    assert run.tasks["before"].output == {"values": {"outputs": "false"}}
    assert run.tasks["after"].output == {"values": {"n": "6", "state": "SUCCESS"}}


SECRET_OUTPUT = """
id: afterwards
namespace: io.rules
outputs: [{id: key, type: STRING, value: "my {{ secret('KEY') }}"}]
tasks: [{id: work, type: log.Log, message: hi}]
afterExecution:
- id: after
  type: output.OutputValues
  runIf: "{{ execution.outputs.key == 'my sesame' }}"
  values: {one: "{{ execution.outputs.key | length }}", all: "{{ execution.outputs }}"}
"""


def test_a_secret_in_the_outputs_of_a_flow_is_told_to_what_runs_after_it() -> None:
    run = run_flow(SECRET_OUTPUT, secrets={"KEY": "sesame"})

    assert run.tasks["after"].output == {"values": {"one": "9", "all": '{"key":"my sesame"}'}}


def test_tasks_with_a_state_are_listed_for_each_value_of_a_loop() -> None:
    run = run_flow("""
id: states
namespace: io.rules
tasks:
- id: each
  type: flow.ForEach
  values: [good, bad, fine]
  tasks: [{id: one, type: execution.Fail, condition: "{{ taskrun.value == 'bad' }}", allowFailure: true}]
- {id: said, type: output.OutputValues, values: {good: "{{ tasksWithState('success') }}", bad: "{{ tasksWithState('Warning') }}"}}
""")

    assert run.tasks["said"].output == {
        "values": {
            "good": '[{"taskId":"one","state":"SUCCESS","value":"good"},{"taskId":"one","state":"SUCCESS","value":"fine"}]',
            "bad": '[{"taskId":"each","state":"WARNING"},{"taskId":"one","state":"WARNING","value":"bad"}]',
        }
    }
