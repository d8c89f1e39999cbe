"""JSON, jq, YAML and Ion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.expressions import Instant, Renderer
from core.expressions import yaml_reader as yaml


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m | toJson", '{"a":[1,null,1.5],"b":"é"}'), ("null | toJson", "null"), ("'a' | json", '"a"'),
        ("""fromJson('{"b": 1, "a": [1.0, null, true]}')""", '{"b":1,"a":[1.0,null,true]}'),
        ("fromJson(' [1] and more')", "[1]"), ("fromJson(null)", ""), ("json(json='5') + 1", "6"),
        ("'[1' is json", "false"), ("'{} x' is json", "true"), ("'' is json", "true"), ("'NaN' is json", "false"),
        ("""'{"a":[1,2]}' | jq('.a[]')""", "[1,2]"), ("m | jq('.a') | first", "[1,null,1.5]"), ("m | jq('.z')", "[null]"),
        ("m | jq(expression='.b | ascii_upcase') | first", "é"), ("[1, 2.5] | jq('.[]')", "[1,2.5]"),
        ("m.a | jq('map(. // 0) | add') | first", "2.5"),
        ("null | jq('.')", ""),
    ],
)  # fmt: skip
def test_json_and_jq(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", m={"a": [1, None, 1.5], "b": "é", "c": None}) == expected


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("fromJson('')", "an empty text is not JSON"),
        ("fromJson('{a: 1}')", "`{a: 1}` is not JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        ("fromJson(1)", "`json` of `fromJson` is a whole number"),
        ("1 is json", "`value` of `json` is a whole number"),
        ("'x' | jq('.')", "`x` is not JSON: Expecting value: line 1 column 1"),
        ("{} | jq('.[')", "jq: syntax error, unexpected end of file at <top-level>, line 1, column 2"),
        ("{'a': 1} | jq('.a.b')", 'jq: Cannot index number with string ("b")'),
        ("{} | jq", "`jq` needs `expression`"),
        ("yaml('')", "an empty text is not YAML"),
        ("yaml('a: [')", "the text is not YAML at line 2, column 1: did not find expected node content"),
        ("fromIon('{a')", "the text is not Ion at line 1, column 3"),
        ("fromIon('')", "an empty text is not Ion"),
    ],
)  # fmt: skip
def test_what_can_not_be_read(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}").splitlines()[0] == problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}), ("- x\n- [1, 'y']", ["x", [1, "y"]]), ("5", 5), ("--- a\n--- b", "a"),
        ("yes", True), ("Off", False), ("y", "y"), ("~", None), ("a:", {"a": None}), ("'yes'", "yes"),
        ("010", 8), ("09", "09"), ("1_000", 1000), ("+5", 5), ("-0x1F", -31), ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0),
        (".inf", float("inf")), ("2024-02-29", "2024-02-29"), ("1:30", "1:30"), ("1.2.3", "1.2.3"), ("!!str 12", "12"),
        ("a: &x 1\nb: *x", {"a": 1, "b": "x"}), ("|\n a\n b\n", "a\nb\n"), ("<<: 1", {"<<": 1}),
    ],
)  # fmt: skip
def test_reading_yaml(text: str, value: Any) -> None:
    assert yaml.read(text) == value
    assert type(yaml.read(text)) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (5, "5\n"), (1.5, "1.5\n"), (True, "true\n"), ("", '--- ""\n'), ("a", "a\n"), ([], "[]\n"), ({}, "{}\n"),
        ({"a": 1, "b": None, "c": [], "d": {}}, "a: 1\nb: null\nc: []\nd: {}\n"),
        ([1, [2, [3]], {"a": [1], "b": {"c": 2}}], " - 1\n -\n   - 2\n   -\n     - 3\n -\n  a:\n   - 1\n  b:\n    c: 2\n"),
        ({"a": {"b": [1]}}, "a:\n  b:\n   - 1\n"),
        ({"1": "x", "yes": "no", "a b": 1}, '"1": x\n"yes": "no"\na b: 1\n'),
        ("12", "12\n"), ("010", "'010'\n"), ("1e3", "1e3\n"), ("2024-01-01", "2024-01-01\n"), ("a: b", '"a: b"\n'),
        ("x:", '"x:"\n'), ("a,b", '"a,b"\n'), ("a #b", '"a #b"\n'), ("#a", '"#a"\n'), ("[a]", '"[a]"\n'), ("a\tb", '"a\\tb"\n'),
        ("- a", "'- a'\n"), ("-a", "-a\n"), ("it's", "it's\n"), ("'q'", "'''q'''\n"), (" a", "' a'\n"), ("@a", "'@a'\n"),
        ("a\nb", "|-\n  a\n  b\n"), ("a\n\nb\n", "|\n  a\n\n  b\n"), ("a\n\n", "|+\n  a\n\n"),
        ({"k": "a\nb\n", "l": ["c\nd"]}, "k: |\n  a\n  b\nl:\n - |-\n  c\n  d\n"),
        (datetime(2024, 2, 29, 10, tzinfo=UTC), "2024-02-29T10:00:00Z\n"), (date(2024, 2, 29), "2024-02-29\n"),
        (Decimal("1.50"), "1.50\n"), ("x" * 200, "x" * 200 + "\n"),
    ],
)  # fmt: skip
def test_writing_yaml(render: Callable[..., str], value: Any, text: str) -> None:
    assert render("{{ x | yaml }}", x=value) == text


def test_written_yaml_reads_as_it_was(render: Callable[..., str]) -> None:
    value: Any = {"a": [1, 1.5, True, None, "x: y", "multi\nline\n", {"b": []}], "k": {"n": "no", "e": ""}}
    assert yaml.read(render("{{ x | yaml }}", x=value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{a: 1, \'b c\': "x", "d": [true, null.int, nan]}', {"a": 1, "b c": "x", "d": [True, None, None]}),
        ("1", 1), ("-0x1F", -31), ("1_000", 1000), ("1.5e0", 1.5), ("1.5", 1.5), ("1d3", Decimal("1E+3")), ("symbol", "symbol"),
        ("'''long ''' '''text'''", "long text"), (r'"a\n\x41\u00e9"', "a\nAé"), ("// note\n/* more */ 5", 5),
        ("type::other::{a: x::1}", {"a": 1}), ("(a b 1)", ["a", "b", 1]), ("[1,]", [1]), ("{{aGk=}}", b"hi"),
        ("2024-02-29", date(2024, 2, 29)), ("2024-02-29T10:00:00.5+01:00", datetime(2024, 2, 29, 9, 0, 0, 500000, UTC)),
        ("2024T", date(2024, 1, 1)), ("+inf", float("inf")), ('{"json": [1, {"x": null}]}', {"json": [1, {"x": None}]}),
    ],
)  # fmt: skip
def test_reading_ion(renderer: Renderer, text: str, value: Any) -> None:
    read = renderer.render_typed("{{ fromIon(x) }}", {"x": text})
    if isinstance(value, dict) and "d" in value:
        assert read["d"].pop() != value["d"].pop()  # not a number
    assert read == value


def test_reading_rows_of_ion(renderer: Renderer) -> None:
    rows = '{"a": 1}\n{"a": 2}\n'
    assert renderer.render_typed("{{ fromIon(x) }}", {"x": rows}) == {"a": 1}
    assert renderer.render_typed("{{ fromIon(x, allRows=true) }}", {"x": rows}) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b c": None, "null": True}, "{a:1,'b c':null,'null':true}"), ([1.5, 1e20, "é\"\n"], '[1.5e0,1e+20,"é\\"\\n"]'),
        (None, "null"), (Decimal("1.5"), "1.5"), (float("nan"), "nan"), (b"hi", "{{aGk=}}"),
        (datetime(2024, 2, 29, 10, tzinfo=UTC), 'ZonedDateTime::"2024-02-29T10:00:00Z"'),
        (Instant(2024, 2, 29, 10, tzinfo=UTC), "2024-02-29T10:00:00.000Z"), (date(2024, 2, 29), 'LocalDate::"2024-02-29"'),
        (timedelta(hours=1), 'Duration::"PT1H"'),
    ],
)  # fmt: skip
def test_writing_ion(render: Callable[..., str], value: Any, text: str) -> None:
    assert render("{{ x | toIon }}", x=value) == text
