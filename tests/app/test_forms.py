"""What a form asks of whoever starts a flow: fields with defaults, choices and problems, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from core.app import App
from core.errors import NotFound
from core.host.overviews import FormField
from core.host.views import ExecutionFilter

HEAD = "id: asks\nnamespace: company.team\n"
TASKS = "tasks:\n  - {id: say, type: debug.Return, format: hi}\n"


def fields(app: App, inputs: str, given: dict[str, Any] | None = None) -> dict[str, FormField]:
    """The fields of a flow with these inputs, each a line."""
    flow = app.flows.read(f"{HEAD}inputs:\n{inputs}\n{TASKS}")
    return {one.id: one for one in app.executions.form(flow, given)}


def only(app: App, declared: str, given: dict[str, Any] | None = None) -> FormField:
    """The field of the input `a`."""
    return fields(app, f"  - {{id: a, {declared}}}", given)["a"]


def test_a_field_tells_what_its_input_declares(app: App) -> None:
    declared = "type: INT, min: 1, max: 10, displayName: How many, description: Of them., defaults: 3"

    assert only(app, declared) == FormField(
        "a", "INT", "How many", "Of them.", default=3, needed=False, rules={"min": "1", "max": "10"}
    )


@pytest.mark.parametrize(
    ("declared", "rules"),
    [
        ("type: STRING, validator: '[a-z]+'", {"pattern": "[a-z]+"}),
        ("type: DATE, after: 2024-01-01, before: 2025-01-01", {"min": "2024-01-01", "max": "2025-01-01"}),
        ("type: DURATION, max: PT1H", {"max": "PT1H"}),
        ("type: FILE, allowedFileExtensions: [.csv, .txt]", {"accept": ".csv,.txt"}),
        ("type: ARRAY, itemType: INT", {"item_type": "INT"}),
        ("type: SELECT, values: [a], isRadio: true", {"radio": "true"}),
        ("type: BOOL", {}),
    ],
)
def test_constraints_are_rules_of_the_field(app: App, declared: str, rules: dict[str, str]) -> None:
    assert only(app, declared).rules == rules


@pytest.mark.parametrize(
    ("declared", "default"),
    [
        ("type: STRING, defaults: '{{ 1 + 1 }}'", "2"),
        ("type: INT, defaults: '{{ 1 + 1 }}'", 2),
        ("type: BOOL, defaults: false", False),
        ("type: DATETIME, defaults: '2024-02-29T10:00:00+02:00'", "2024-02-29T08:00:00+00:00"),
        ("type: DURATION, defaults: PT90S", "PT1M30S"),
        ("type: JSON, defaults: '[1, null]'", [1, None]),
        ("type: MULTISELECT, values: [x, y], defaults: [x]", ["x"]),
        ("type: SELECT, values: [x, y], autoSelectFirst: true", "x"),
        ("type: STRING", None),
    ],
)
def test_a_default_is_rendered_and_plain(app: App, declared: str, default: Any) -> None:
    found = only(app, declared)

    assert (found.default, found.needed, found.prefilled) == (default, default is None, False)
    assert only(app, declared, {"a": "anything"}).default == default


def test_a_form_begins_with_what_is_prefilled_but_that_is_not_given_by_itself(app: App) -> None:
    found = fields(app, "  - {id: a, type: STRING, prefill: x}\n  - {id: b, type: STRING, dependsOn: "
                        "{inputs: [a], condition: \"{{ inputs.a == 'x' }}\"}}")  # fmt: skip
    assert (found["a"].default, found["a"].prefilled, found["a"].needed) == ("x", True, True)
    assert found["b"].shown

    assert only(app, "type: STRING, prefill: x", {}).problem == "Missing required input:a"
    assert only(app, "type: STRING, prefill: x", {"a": "y"}).problem == ""


CHOOSING = """\
  - {id: country, type: SELECT, values: [AT, CH]}
  - id: city
    type: SELECT
    expression: "{{ inputs.country == 'AT' ? ['Wien', 'Graz'] : ['Bern', 1, true] }}"
    dependsOn: {inputs: [country]}
  - {id: detailed, type: BOOL, defaults: false}
  - {id: depth, type: INT, defaults: 3, dependsOn: {inputs: [detailed], condition: "{{ inputs.detailed }}"}}
  - {id: greeting, type: STRING, defaults: "Hello {{ inputs.country }}", dependsOn: {inputs: [country]}}
"""


def test_fields_follow_what_they_depend_on(app: App) -> None:
    new = fields(app, CHOOSING)
    assert [one.id for one in new.values() if not one.shown] == ["depth"]
    assert new["depth"].depends_on == ("detailed",)

    austrian = fields(app, CHOOSING, {"country": "AT", "detailed": "true"})
    assert austrian["city"].choices == ("Wien", "Graz")
    assert (austrian["depth"].shown, austrian["depth"].default) == (True, 3)
    assert austrian["greeting"].default == "Hello AT"

    swiss = fields(app, CHOOSING, {"country": "CH", "city": "Wien"})
    assert swiss["city"].choices == ("Bern", "1", "true")
    assert swiss["city"].problem == (
        "Invalid input for `city`, it must match the values `[Bern, 1, true]`, but received `Wien`"
    )


def test_what_is_missing_is_no_problem_of_a_new_form(app: App) -> None:
    new, sent = only(app, "type: INT"), only(app, "type: INT", {})

    assert (new.missing, new.problem) == (True, "")
    assert (sent.missing, sent.problem) == (True, "Missing required input:a")


def test_what_follows_from_a_missing_input_is_no_problem_of_its_own(app: App) -> None:
    following = (
        "  - {id: a, type: INT}\n"
        "  - {id: b, type: INT, defaults: '{{ inputs.a + 1 }}', dependsOn: {inputs: [a]}}\n"
        "  - {id: c, type: SELECT, expression: '{{ [inputs.a + 1] }}', dependsOn: {inputs: [a]}}"
    )
    assert [one.problem for one in fields(app, following).values()] == ["", "", ""]
    filled = fields(app, following, {"a": "1", "c": "2"})
    assert (filled["b"].default, filled["c"].choices) == (2, ("2",))
    assert [one.problem for one in filled.values()] == ["", "", ""]


def test_what_is_wrong_with_the_flow_itself_is_told_at_once(app: App) -> None:
    found = only(app, "type: SELECT, expression: '{{ [{1: 2}] }}'")
    assert (found.choices, found.missing) == ((), False)
    assert found.problem.startswith("Invalid input for `a`, ")

    condition = fields(app, "  - {id: a, type: BOOL, defaults: true}\n"
                            "  - {id: b, type: INT, dependsOn: {inputs: [a], condition: '{{ nothing.here }}'}}")["b"]  # fmt: skip
    assert not condition.shown
    assert condition.problem.startswith("Invalid condition: ")


def test_choices_that_are_no_texts_are_refused(app: App) -> None:
    found = only(app, "type: SELECT, expression: \"{{ fromJson('[{\\\"a\\\": 1}]') }}\"")

    assert found.problem == (
        'Invalid input for `a`, Invalid expression result. Expected a list of values, but received `[{"a": 1}]`'
    )


def test_a_secret_is_never_shown(app: App) -> None:
    marked = only(app, "type: STRING, defaults: \"{{ secret('TOKEN') }}\"")
    assert (marked.default, marked.secret, marked.problem) == ("••••", True, "")

    asked = only(app, "type: SECRET", {"a": "open-sesame"})
    assert (asked.default, asked.secret) == (None, True)
    assert asked.problem == (
        "Invalid input for `a`, Unable to use a `SECRET` input/output as encryption is not configured"
    )


def test_a_chosen_file_is_given_by_its_name(app: App) -> None:
    declared = "type: FILE, allowedFileExtensions: [.csv]"

    assert only(app, declared, {"a": "rows.CSV"}).problem == ""
    assert only(app, declared, {"a": "rows.txt"}).problem == (
        "Invalid input for `a`, File type not allowed. Accepted extensions: .csv, but received `rows.txt`"
    )


def test_a_task_that_waits_asks_for_its_own_inputs(app: App) -> None:
    flow = app.flows.read(
        f"{HEAD}inputs:\n  - {{id: other, type: STRING}}\ntasks:\n  - id: ask\n    type: flow.Pause\n    onResume:\n"
        "      - {id: approved, type: BOOL, description: Is it good.}\n  - {id: say, type: debug.Return, format: hi}\n"
    )
    assert app.executions.form(flow, task="ask") == (
        FormField("approved", "BOOL", "approved", "Is it good.", needed=True, missing=True),
    )
    assert app.executions.form(flow, {}, task="ask")[0].problem == "Missing required input:approved"
    assert app.executions.form(flow, task="say") == ()
    with pytest.raises(NotFound) as refused:
        app.executions.form(flow, task="never")
    assert refused.value.what == "there is no task `never` in the flow company.team.asks"


def test_nothing_is_stored(app: App) -> None:
    only(app, "type: STRING", {"a": "x"})

    assert app.flows.list() == ()
    assert app.executions.list(ExecutionFilter()).data == ()
