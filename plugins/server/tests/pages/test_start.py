"""The form that starts a flow: made from its inputs, with what is wrong at the field, and complete without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from .conftest import Site
from .reading import Page, Sent

FLOW = """
id: asks
namespace: company.team
description: Asks for this and that.
inputs:
  - {id: limit, type: INT, min: 2, displayName: How many}
  - {id: name, type: STRING, defaults: world}
  - {id: greeting, type: STRING, defaults: "Hello {{ inputs.name }}", dependsOn: {inputs: [name]}}
  - {id: advanced, type: BOOL, defaults: false}
  - {id: depth, type: INT, defaults: 3, dependsOn: {inputs: [advanced], condition: "{{ inputs.advanced }}"}}
  - {id: moment, type: DATETIME, required: false}
  - {id: days, type: MULTISELECT, values: [Mo, Tu, We], defaults: [Mo], allowCustomValue: true}
  - {id: country, type: SELECT, values: [AT, CH], required: false}
  - {id: numbers, type: ARRAY, itemType: INT, required: false}
  - {id: extra, type: JSON, defaults: {a: [1, 2]}}
  - {id: site, type: URI, prefill: "https://example.com", required: false}
  - {id: table, type: FILE, allowedFileExtensions: [.csv], required: false}
  - {id: db.host, type: STRING, defaults: localhost}
tasks:
  - {id: say, type: debug.Return, format: "{{ inputs.greeting }}"}
"""
START = "/flows/company.team/asks/start"


@pytest.fixture(scope="module", autouse=True)
def pushed(site: Site) -> None:
    site.app.flows.push(FLOW)


def filled(site: Site, **texts: str | list[str]) -> Sent:
    """What the form sends when these fields are filled in and the rest is left as it is; `a__b` is `a.b`."""
    changed = {name.replace("__", "."): [text] if isinstance(text, str) else text for name, text in texts.items()}
    return {**Page(site.get(START)).form(START), **changed}


def send(site: Site, sent: Sent, files: Mapping[str, Any] | None = None) -> httpx.Response:
    """As a browser sends it: in parts, a file that was not chosen as an empty one."""
    parts = [(name, (None, value)) for name, values in sent.items() for value in values if not name.startswith("file.")]
    with site.client() as client:
        return client.post(START, files=[*parts, *(files or {"file.table": ("", b"")}).items()])


def started(site: Site, answer: httpx.Response) -> dict[str, Any]:
    """The inputs of the execution that was started."""
    assert answer.status_code == 303, answer.text
    return dict(site.app.executions.get(answer.headers["location"].removeprefix("/executions/")).inputs)


def test_a_form_has_a_field_for_every_input_with_its_default(site: Site) -> None:
    page = Page(site.get(START))
    sent = page.form(START)

    assert {name: values for name, values in sent.items() if name.startswith("input.")} == {
        "input.limit": [""], "input.name": ["world"], "input.greeting": ["Hello world"], "input.advanced": ["false"],
        "input.depth": [""], "input.moment": [""], "input.days": ["Mo"], "input.country": [""], "input.numbers": [""],
        "input.extra": ['{"a": [1, 2]}'], "input.site": ["https://example.com"], "input.table": [""],
        "input.db.host": ["localhost"],
    }  # fmt: skip
    assert page.hidden == {"field-depth"}
    assert page.options["input.country"] == ["", "AT", "CH"]
    assert not any(text.strip() for id, text in page.texts.items() if id.endswith("-problem"))


def test_what_was_left_as_it_was_shown_is_not_given(site: Site) -> None:
    inputs = started(site, send(site, filled(site, input__limit="5")))

    assert inputs == {
        "limit": 5, "name": "world", "greeting": "Hello world", "advanced": False, "moment": None, "days": ["Mo"],
        "country": None, "numbers": None, "extra": {"a": [1, 2]}, "site": "https://example.com", "table": None,
        "db": {"host": "localhost"},
    }  # fmt: skip


def test_a_default_follows_what_it_depends_on_unless_it_was_overwritten(site: Site) -> None:
    assert started(site, send(site, filled(site, input__limit="5", input__name="Ada")))["greeting"] == "Hello Ada"
    kept = filled(site, input__limit="5", input__name="Ada", input__greeting="Good day")
    assert started(site, send(site, kept))["greeting"] == "Good day"


def test_fields_are_read_as_their_types_want_them(site: Site) -> None:
    sent = filled(
        site, input__limit="7", input__name="", input__advanced="true", input__depth="9", input__country="CH",
        input__moment="2026-01-02T03:04", input__days=["Tu", "We"], others__days="Sa, Mo ,", input__numbers="1\r\n2\r\n",
        input__extra='{"b": null}', input__site="", input__db__host="db",
    )  # fmt: skip
    inputs = started(site, send(site, sent))

    assert inputs.pop("moment").isoformat() == "2026-01-02T03:04:00+00:00"
    assert inputs == {
        "limit": 7, "name": "", "greeting": "Hello ", "advanced": True, "depth": 9, "days": ["Tu", "We", "Sa", "Mo"],
        "country": "CH", "numbers": [1, 2], "extra": {"b": None}, "site": None, "table": None, "db": {"host": "db"},
    }  # fmt: skip


def test_what_is_wrong_is_told_at_the_field_and_what_was_typed_is_kept(site: Site) -> None:
    answer = send(site, filled(site, input__limit="one", input__extra="{", input__name="<b>", labels="what?"))
    page = Page(answer.text)

    assert answer.status_code == 422
    problems = {id: text for id, text in page.texts.items() if id.endswith("-problem") and text}
    assert problems == {
        "input-limit-problem": "it is not a whole number",
        "input-extra-problem": "it is not JSON, Expecting property name enclosed in double quotes (line 1, column 2)",
        "labels-problem": "`what?` is no label: it takes `key: value`, one a line",
    }
    sent = page.form(START)
    assert (sent["input.limit"], sent["input.extra"], sent["input.name"]) == (["one"], ["{"], ["<b>"])
    assert sent["input.greeting"] == ["Hello <b>"]
    assert sent["labels"] == ["what?"]
    assert "<b>" not in answer.text


def test_what_is_missing_is_told_when_the_form_is_sent(site: Site) -> None:
    answer = send(site, filled(site))

    assert answer.status_code == 422
    assert Page(answer.text).texts["input-limit-problem"] == "it has to be given"


def test_a_constraint_is_told_in_its_own_words(site: Site) -> None:
    page = Page(send(site, filled(site, input__limit="1", input__country="AT")).text)

    assert page.texts["input-limit-problem"] == "it must be more than `2`"
    assert page.texts["input-limit-hint"] == "from 2"
    assert page.form(START)["input.country"] == ["AT"]


def test_looking_again_runs_nothing_and_shows_what_depends(site: Site) -> None:
    before = newest(site)
    answer = send(site, {**filled(site, input__advanced="true"), "look": ["some"]})
    page = Page(answer.text)

    assert answer.status_code == 200
    assert page.hidden == set()
    assert page.form(START)["input.depth"] == ["3"]
    assert page.texts["input-limit-problem"] == ""
    assert newest(site) == before


def test_scripts_ask_what_is_wrong_with_the_names_of_files_alone(site: Site) -> None:
    sent = {**filled(site, input__limit="5"), "look": ["all"]}
    parts = [(name, (None, value)) for name, values in sent.items() for value in values if not name.startswith("file.")]
    with site.client() as client:
        wrong = client.post(START, files=[*parts, ("file.table", (None, "rows.txt"))])
        right = client.post(START, files=[*parts, ("file.table", (None, "rows.csv"))])

    assert wrong.status_code == 422
    assert Page(wrong.text).texts["input-table-problem"] == "File type not allowed. Accepted extensions: .csv"
    assert right.status_code == 200


def test_a_file_is_stored_under_its_own_name(site: Site) -> None:
    content = b"a,b\n" + b"1,2\n" * 500_000
    upload = {"file.table": ("../../my rows.csv", content, "text/csv")}
    uri = started(site, send(site, filled(site, input__limit="5"), upload))["table"]

    assert uri.endswith("/inputs/table/my rows.csv")
    with site.app.files.open(uri) as file:
        assert file.read() == content


def test_a_stored_file_may_be_given_by_its_uri_but_no_path_of_the_server(site: Site, tmp_path: Any) -> None:
    (tmp_path / "own.csv").write_text("a\n1\n")
    stored = site.app.files.put(tmp_path / "own.csv", "company.team", "rows.csv")
    assert started(site, send(site, filled(site, input__limit="5", input__table=stored.uri)))["table"] == stored.uri

    answer = send(site, filled(site, input__limit="5", input__table=str(tmp_path / "own.csv")))
    assert answer.status_code == 422
    assert "a path of this machine" in answer.text


def test_labels_are_given_to_the_execution(site: Site) -> None:
    answer = send(site, filled(site, input__limit="5", labels="team: sales\r\nregion=north east"))
    view = site.app.executions.get(answer.headers["location"].removeprefix("/executions/"))

    assert view.labels.items() >= {"team": "sales", "region": "north east"}.items()


def test_the_audit_tells_who_started_it(site: Site) -> None:
    from core.host.product import AuditFilter

    answer = send(site, filled(site, input__limit="5"))
    newest_row = site.app.changes.audit(AuditFilter(limit=1)).data[0]

    assert (newest_row.action, newest_row.actor) == ("flow_execution.start", "local")
    assert newest_row.subject == answer.headers["location"].removeprefix("/executions/")


def test_a_form_may_begin_with_the_inputs_of_an_execution(site: Site) -> None:
    sent = filled(site, input__limit="7", input__name="Ada", labels="team: sales", input__days=["Tu"])
    like = send(site, sent).headers["location"].removeprefix("/executions/")
    page = Page(site.get(f"{START}?like={like}"))
    again = page.form(START)

    assert again["input.limit"] == ["7"]
    assert again["input.name"] == ["Ada"]
    assert again["input.greeting"] == ["Hello Ada"]
    assert again["input.days"] == ["Tu"]
    assert again["labels"] == ["team: sales\n"]
    assert started(site, send(site, again))["limit"] == 7


def test_an_older_revision_can_be_started(site: Site) -> None:
    site.app.flows.push("id: older\nnamespace: company.team\ntasks:\n  - {id: say, type: debug.Return, format: one}\n")
    site.app.flows.push("id: older\nnamespace: company.team\ntasks:\n  - {id: say, type: debug.Return, format: two}\n")
    path = "/flows/company.team/older/start"
    sent = Page(site.get(f"{path}?revision=1")).form(path)
    with site.client() as client:
        answer = client.post(path, data=sent)

    assert site.app.executions.get(answer.headers["location"].removeprefix("/executions/")).flow_revision == 1


def test_what_refuses_the_whole_execution_is_told_above_the_form(site: Site) -> None:
    site.app.flows.push(
        "id: checked\nnamespace: company.team\ninputs:\n  - {id: n, type: INT}\nchecks:\n"
        "  - {condition: '{{ inputs.n > 3 }}', message: More than three.}\ntasks:\n  - {id: t, type: debug.Return, format: x}\n"
    )
    path = "/flows/company.team/checked/start"
    sent = {**Page(site.get(path)).form(path), "input.n": ["2"]}
    with site.client() as client:
        answer = client.post(path, data=sent)

    assert answer.status_code == 409
    assert "More than three." in answer.text
    assert Page(answer.text).form(path)["input.n"] == ["2"]


def test_an_unknown_flow_is_not_found(site: Site) -> None:
    with site.client() as client:
        assert client.get("/flows/company.team/never/start").status_code == 404


def newest(site: Site) -> str:
    return site.app.executions.get("last").id


def test_only_editors_start_flows(own_site: Site) -> None:
    own_site.app.flows.push(FLOW)
    keys = {role: own_site.deployment.keys.create("default", role, role)[1] for role in ("viewer", "editor")}
    offered = {}
    for role, key in keys.items():
        with own_site.client(key) as client:
            offered[role] = (client.get(START).status_code, "Start a flow…" in client.get("/executions").text)
            assert client.post(START, data={"input.limit": "5"}).status_code == {"viewer": 403, "editor": 303}[role]
    assert offered == {"viewer": (403, False), "editor": (200, True)}
