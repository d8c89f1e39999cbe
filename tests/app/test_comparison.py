"""The outputs of two executions compared, over real records and files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from time import process_time

import pytest

from core.app import App, comparison
from core.app.comparing import Room
from core.app.comparison import ORDER
from core.app.contents import content_of, contents_of
from core.errors import NotFound
from core.host.overviews import OutputDifference, TableDifference, ValueDifference
from core.testing.apps import temporary_app

FLOW = """
id: prices
namespace: company.team
inputs: [{id: price, type: FLOAT}, {id: more, type: BOOL, defaults: false}]
tasks:
  - {id: fixed, type: debug.Return, format: "always {{ 'the same ' * 1 }}"}
  - id: rows
    type: output.OutputValues
    values:
      text: kept
      rows: [{id: 1, price: "{{ inputs.price }}"}, {id: 2, price: 2}]
  - {id: each, type: flow.ForEach, values: '["a","b"]', tasks: [
      {id: one, type: debug.Return, format: "{{ taskrun.value }}{{ taskrun.value == 'b' ? inputs.price : '' }}"}]}
  - {id: extra, type: debug.Return, runIf: "{{ inputs.more }}", format: "new"}
outputs: [{id: price, type: FLOAT, value: "{{ inputs.price }}"}]
""".replace("{{ 'the same ' * 1 }}", "the same")
FILE = """
id: files
namespace: company.team
inputs: [{id: text, type: STRING}]
tasks:
  - {id: write, type: storage.Write, content: "{{ inputs.text }}", extension: .txt}
"""


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with temporary_app(inline_limit=200) as made:
        yield made


def ran(app: App, flow: str, **inputs: object) -> str:
    ended = app.run(flow, inputs)
    assert ended.state == "SUCCESS", ended.error
    return ended.id


def told(one: OutputDifference) -> tuple[str, tuple[str, ...], str, str]:
    return one.task_name, one.path, one.name, one.change


def test_changed_values_come_first_each_with_the_places_that_differ(app: App) -> None:
    first, second = ran(app, FLOW, price=1.5), ran(app, FLOW, price=3, more=True)
    found = app.outputs.compare(first, second)
    assert list(map(told, found.differences)) == [
        ("rows", (), "values", "changed"), ("one", ("b",), "value", "changed"), ("extra", (), "value", "added"),
        ("fixed", (), "", "same"), ("one", ("a",), "", "same"),
    ]
    assert found.counts == {"changed": 2, "added": 1, "removed": 0, "same": 2}
    assert not found.more
    rows = found.differences[0]
    assert rows.tables == (TableDifference("rows", 2, 2, "id", added=0, removed=0, changed=1),)
    assert rows.parts == (ValueDifference("rows[id=1].price", "changed", "1.5", "3.0"),)
    assert rows.before["rows"] == [{"id": 1, "price": "1.5"}, {"id": 2, "price": 2}]
    assert found.inputs == (ValueDifference("price", "changed", 1.5, 3), ValueDifference("more", "changed", False, True))
    assert found.outputs == (ValueDifference("price", "changed", 1.5, 3),)
    back = app.outputs.compare(second, first, limit=3)
    assert list(map(told, back.differences))[2] == ("extra", (), "value", "removed")
    assert back.differences[2].before == "new"
    assert back.more


def test_an_execution_is_the_same_as_itself(app: App) -> None:
    one = ran(app, FLOW, price=1)
    found = app.outputs.compare(one, "last")
    assert found.counts["same"] == sum(found.counts.values()) > 0
    assert (found.inputs, found.outputs) == ((), ())


def test_files_with_the_same_bytes_are_the_same_though_their_uris_differ(app: App) -> None:
    first, second, other = ran(app, FILE, text="a"), ran(app, FILE, text="a"), ran(app, FILE, text="b")
    assert app.outputs.compare(first, second).counts == {**dict.fromkeys(ORDER, 0), "same": 1}
    (changed,) = app.outputs.compare(first, other).differences
    assert (changed.name, changed.change) == ("uri", "changed")
    assert changed.parts == (ValueDifference("", "changed", "a", "b"),)
    assert str(changed.before).startswith("storage:///")


def test_files_of_rows_are_compared_as_tables(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = FILE.replace(".txt", ".csv")
    first, second = ran(app, flow, text="id,n\n1,2\n"), ran(app, flow, text="n,id\n3,1\n\n9,2\n")
    (changed,) = app.outputs.compare(first, second).differences
    assert changed.tables == (TableDifference("", 1, 2, "id", added=1, removed=0, changed=1),)
    assert changed.parts == (
        ValueDifference("[id=1].n", "changed", 2, 3), ValueDifference("[id=2]", "added", after={"n": 9, "id": 2}),
    )  # fmt: skip
    monkeypatch.setattr(comparison, "EACH_CONTENT", 5)
    (changed,) = app.outputs.compare(first, second).differences
    assert changed.tables == ()
    assert changed.parts[0].before == changed.before


@pytest.mark.parametrize(
    ("first", "second", "parts"),
    [
        ("id,n\n1,1.0\n2,100\n", "n,id\n1.00,1\n1e2,2.0\n", []),  # columns and numbers in other forms
        ("id,n\n1,1.0\n", "id,n\n1,1.1\n", [("[id=1].n", Decimal("1.0"), Decimal("1.1"))]),
        ("n\n12345678901234567890.1\n", "n\n12345678901234567890.2\n", [("[0].n", *map(Decimal, ("12345678901234567890.1", "12345678901234567890.2")))]),
        ("a,t\n2024-01-02,10:00\n", "t,a\n10:00:00,2024-01-02\n", []),
        ("d\n2024-01-02\n", "d\n2024-01-03\n", [("[0].d", date(2024, 1, 2), date(2024, 1, 3))]),
        ("d\n2024-01-02 10:00:00\n", "d\n2024-01-02T10:00:00\n", []),
        ("d\n2024-01-02T10:00:00Z\n", "d\n2024-01-02T11:00:00+01:00\n", []),
        ("b\ntrue\n", "b\nTRUE\n", []),
        ("a,b\n1,\n", "a,b\n1.0,\n", []),
        # not the same: codes, texts, dates that can only be guessed, what only one of the two holds numbers in
        ("a\n007\n", "a\n7\n", [("[0].a", "007", "7")]),
        ("a\nx1\n", "a\nX1\n", [("[0].a", "x1", "X1")]),
        ("a\n01/02/2024\n13/02/2024\n", "a\n02/01/2024\n02/13/2024\n", [("[0].a", "01/02/2024", "02/01/2024"), ("[1].a", "13/02/2024", "02/13/2024")]),
        ("a\n1\n2\n", "a\n1.0\nx\n", [("[0].a", "1", "1.0"), ("[1].a", "2", "x")]),
        # not as DuckDB would read it: it leaves out a line
        ("a\n1,000\n", "a\n1,0\n", [("[a=1]['#2']", "000", "0")]),
        ("a,a\n1,2\n", "a,a\n1,3\n", [("[a=1]['a#2']", "2", "3")]),
        ("a,a\n1,2\n", "a,a\n3,2\n", [("[a#2=2].a", "1", "3")]),
    ],
)  # fmt: skip
def test_cells_of_csv_are_compared_by_what_the_columns_of_both_hold(
    app: App, first: str, second: str, parts: list[object]
) -> None:
    pytest.importorskip("duckdb")
    flow = FILE.replace(".txt", ".csv")
    (one,) = app.outputs.compare(ran(app, flow, text=first), ran(app, flow, text=second)).differences
    assert [(part.path, part.before, part.after) for part in one.parts] == parts
    assert one.change == ("changed" if parts else "same")


WIDE = b"".join(b",".join(b"c%d" % n if row == 0 else b"1.0" for n in range(501)) + b"\n" for row in range(2))


@pytest.mark.parametrize("body", [b"a\n" + b"1.0\n" * 400_001, b"a\n" + b"x" * 200_000, b"," * 400_001, b'a\n"', b"a\n1\0\n", WIDE])
def test_what_takes_long_or_can_not_be_read_as_a_table_is_not_typed(body: bytes) -> None:
    found = contents_of(("a.csv", BytesIO(body)), ("b.csv", BytesIO(body)))
    assert found is not None
    assert found == (content_of("a.csv", BytesIO(body)),) * 2


def test_only_some_csv_files_are_looked_into_however_small_they_are(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """To find what their columns hold takes long."""
    flow = """
id: many
namespace: company.team
inputs: [{id: n, type: INT}]
tasks:
  - {id: each, type: flow.ForEach, values: "[1,2,3]", tasks: [
      {id: write, type: storage.Write, content: "a\\n{{ inputs.n }}{{ taskrun.value }}\\n", extension: .csv}]}
"""
    first, second = ran(app, flow, n=1), ran(app, flow, n=2)

    def looked_into() -> int:
        differences = app.outputs.compare(first, second).differences
        return sum(bool(one.tables) for one in differences if one.task_name == "write")

    assert looked_into() == 3
    monkeypatch.setattr(comparison, "CONTENTS", 4 * comparison.TYPED)
    assert looked_into() == 2


def test_without_duckdb_cells_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    both = ("a.csv", BytesIO(b"a\n1.0\n")), ("b.csv", BytesIO(b"a\n1.00\n"))
    assert contents_of(*both) == ([{"a": "1.0"}], [{"a": "1.00"}])


def test_two_files_of_which_one_is_no_text_are_not_compared() -> None:
    for body in (b"\xff\x00", b"a\n\xff\n"):
        assert contents_of(("a.csv", BytesIO(b"a\n1\n")), ("b.csv", BytesIO(body))) is None


def test_very_large_tables_are_told_as_far_as_they_were_looked_at(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = FILE.replace(".txt", ".jsonl")
    texts = ["".join(f'{{"id": {n}, "n": {n + more}}}\n' for n in range(10)) for more in (0, 1)]
    first, second = (ran(app, flow, text=text) for text in texts)
    monkeypatch.setattr(comparison, "Room", lambda: Room(16))
    (one,) = app.outputs.compare(first, second).differences
    assert one.tables == (TableDifference("", 10, 10, "id", 0, 0, 4, first_rows=4),)
    monkeypatch.setattr(comparison, "Room", lambda: Room(0))
    (one,) = app.outputs.compare(first, second).differences
    assert (one.change, one.large, one.parts, one.before) == ("changed", True, (), None)


@pytest.mark.parametrize(
    ("name", "body", "content"),
    [
        ("a.json", b'{"a": 1}', {"a": 1}),
        ("a.json", b'{"a": ', '{"a": '),
        ("a.json", b"[" * 400 + b"]" * 400, "[" * 400 + "]" * 400),
        ("a.jsonl", b'{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ("a.CSV", b"\xef\xbb\xbfa,b\n1,2\n\n3\n", [{"a": "1", "b": "2"}, {"a": "3"}]),
        ("a.csv", b"", []),
        ("a.csv", b"a\n" + b"x" * 200_000, "a\n" + "x" * 200_000),
        ("a.bin", b"\xff\x00", None),
        ("a.parquet", b"no table", None),
        ("a.log", b"line", "line"),
    ],
)
def test_files_are_values_by_their_suffix(name: str, body: bytes, content: object) -> None:
    assert content_of(name, BytesIO(body)) == content


def test_a_parquet_file_is_a_list_of_rows(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS a, 'x' AS b) TO '{path}'")
    with path.open("rb") as source:
        assert content_of("a.parquet", source) == [{"a": 1, "b": "x"}]


def test_outputs_of_equal_digest_are_not_read(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ran(app, FLOW, price=1.5), ran(app, FLOW, price=3)
    read: list[str] = []
    bodies = type(app.records.product).bodies
    monkeypatch.setattr(
        type(app.records.product), "bodies", lambda self, org, ids: read.extend(ids) or bodies(self, org, ids)
    )
    app.outputs.compare(first, second)
    assert {app.outputs.get(one).task_name for one in read} == {"rows", "one"}
    assert len(read) == 4


def test_what_is_too_large_is_told_to_differ_without_being_read(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ran(app, FLOW, price=1.5), ran(app, FLOW, price=3)
    monkeypatch.setattr(comparison, "EACH", 60)
    large = [one for one in app.outputs.compare(first, second).differences if one.large]
    assert [(told(one), one.before) for one in large] == [(("rows", (), "", "changed"), None)]
    monkeypatch.setattr(comparison, "ALL", 0)
    assert app.outputs.compare(first, second).counts["changed"] == 2


def test_a_body_that_is_gone_from_the_storage_is_told_as_one_that_was_not_read(app: App, tmp_path: Path) -> None:
    long = FLOW.replace("kept", "kept " * 100)
    first, second = ran(app, long, price=1.5), ran(app, long, price=3)
    output = app.outputs.get(f"{second}/rows")
    stored = app.records.output("default", output.id)
    assert stored is not None
    assert stored.uri is not None
    app.storage.delete("default", stored.uri.removeprefix("storage:///"))
    found = next(one for one in app.outputs.compare(first, second).differences if one.task_name == "rows")
    assert (found.name, found.change, found.large) == ("", "changed", True)


def test_an_execution_that_is_not_there_is_named(app: App) -> None:
    one = ran(app, FLOW, price=1)
    with pytest.raises(NotFound, match="there is no execution `nothing`"):
        app.outputs.compare(one, "nothing")


def test_only_the_last_output_of_a_task_is_compared(app: App) -> None:
    loop = """
id: turns
namespace: company.team
inputs: [{id: until, type: INT}]
tasks:
  - id: loop
    type: flow.LoopUntil
    condition: "{{ outputs.count.value | number >= inputs.until }}"
    checkFrequency: {interval: PT0.001S}
    tasks: [{id: count, type: debug.Return, format: "{{ ((outputs.count.value ?? '0') | number) + 1 }}"}]
"""
    first, second = ran(app, loop, until=1), ran(app, loop, until=3)
    changed = [one for one in app.outputs.compare(first, second).differences if one.task_name == "count"]
    assert [(told(one), one.before, one.after) for one in changed] == [(("count", (), "value", "changed"), "1", "3")]


def test_two_thousand_iterations_are_compared_in_time(app: App) -> None:
    loop = """
id: many
namespace: company.team
inputs: [{id: by, type: INT}]
tasks:
  - {id: each, type: flow.ForEach, values: "{{ range(1, 1000) }}", tasks: [
      {id: one, type: debug.Return, format: "{{ inputs.by }}"}]}
"""
    first, second = ran(app, loop, by=1), ran(app, loop, by=2)
    begun = process_time()
    found = app.outputs.compare(first, second, limit=10)
    assert process_time() - begun < 2
    assert found.counts["changed"] == 1000
    assert [one.path for one in found.differences] == [(str(one),) for one in range(1, 11)]
    assert found.more
