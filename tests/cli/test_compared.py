"""`outputs diff`: two executions side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.app import load_settings, open_app
from core.cli.compared import _told
from core.cli.main import main
from core.host.overviews import TableDifference

FLOW = """
id: prices
namespace: company.team
inputs: [{id: price, type: FLOAT}, {id: more, type: BOOL, defaults: false}, {id: top, type: INT, defaults: 3}]
tasks:
  - {id: fixed, type: debug.Return, format: always}
  - {id: rows, type: output.OutputValues, values: {rows: [{id: 1, price: "{{ inputs.price }}"}, {id: 2, price: 2}]}}
  - {id: many, type: output.OutputValues, values: {list: [MANY]}}
  - {id: each, type: flow.ForEach, values: '["a","b"]', tasks: [
      {id: one, type: debug.Return, format: "{{ taskrun.value }}{{ taskrun.value == 'b' ? inputs.price : '' }}"}]}
  - {id: extra, type: debug.Return, runIf: "{{ inputs.more }}", format: new}
outputs: [{id: price, type: FLOAT, value: "{{ inputs.price }}"}]
""".replace("MANY", ", ".join(["'{{ inputs.top }}'"] * 12))
TABLE = """\
CHANGE   TASK   VALUE  NAME                     BEFORE  AFTER
changed                inputs.price             1.5     3.0
changed                inputs.more              false   true
changed                outputs.price            1.5     3.0
changed  rows          values.rows              2 rows  2 rows: 1 changed, matched by id
changed  rows          values.rows[id=1].price  1.5     3.0
changed  one    b      value                    b1.5    b3.0
added    extra         value                            new
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str]]:
    home = tmp_path_factory.mktemp("compared") / "home"
    with open_app(load_settings(home=home, environment={})) as app:
        yield home, app.run(FLOW, {"price": 1.5}).id, app.run(FLOW, {"price": 3, "more": True}).id


def test_what_differs_is_a_table_and_what_is_the_same_is_counted(
    home: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["outputs", "diff", home[1], "last", "--home", str(home[0])]) == 0
    out, err = capsys.readouterr()
    assert out == TABLE
    assert err == "2 changed, 1 added, 0 removed, 3 same\n"
    assert main(["outputs", "diff", "last", "last", "--home", str(home[0])]) == 0
    assert capsys.readouterr() == ("", "0 changed, 0 added, 0 removed, 6 same\n")


def test_it_is_told_how_far_a_very_large_table_was_looked_at() -> None:
    told = _told(TableDifference("", 9, 9, "id", added=0, removed=0, changed=4, first_rows=4))
    assert told == "9 rows: 4 changed, matched by id, of the first 4"


def test_json_is_what_the_api_gives(home: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outputs", "diff", home[1], home[2], "--home", str(home[0]), "--json", "--limit", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"] == {"changed": 2, "added": 1, "removed": 0, "same": 3}
    assert found["more"] is True
    (rows,) = found["differences"]
    assert rows["parts"] == [{"path": "rows[id=1].price", "change": "changed", "before": "1.5", "after": "3.0"}]
    assert rows["tables"][0]["columns_added"] == []


def test_of_many_places_the_first_are_shown(
    home: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with open_app(load_settings(home=home[0], environment={})) as app:
        other = app.run(FLOW, {"price": 1.5, "top": 30}).id
    assert main(["outputs", "diff", home[1], other, "--home", str(home[0]), "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[2].split() == ["changed", "many", "values.list[0]", "3", "30"]
    assert lines[-1].split() == ["many", "values", "…", "2", "other", "places"]
    assert len(lines) == 2 + 10 + 1
    assert err == "1 changed, 0 added, 0 removed, 4 same\nmore than 1 values: add --limit to see others\n"


def test_an_execution_that_is_not_there_is_named(
    home: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["outputs", "diff", "nothing", "last", "--home", str(home[0])]) == 2
    assert capsys.readouterr().err == (
        "error: there is no execution `nothing`\n  to do: `executions list` shows the newest ones\n"
    )
