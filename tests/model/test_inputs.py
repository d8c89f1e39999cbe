from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest

from core.errors import ExpressionError, Invalid, InvalidInput
from core.model.codec import SecretText
from core.model.flow import FlowOutput, type_output
from core.model.inputs import Input, InputProblem, file_inputs, put, resolve_inputs, type_value, value_at


def yaml(text: str) -> Any:
    """A YAML parser that knows one text."""
    if text == "a: 1":
        return {"a": 1}
    raise Invalid("this is not YAML (line 1, column 1)")


def upper(template: Any, inputs: Mapping[str, Any]) -> Any:
    """A renderer that shows what it was given."""
    return template.replace("{{", "<").replace("}}", ">") if isinstance(template, str) else template


def resolve(
    declared: list[Input], given: Mapping[str, object], render: Any = upper
) -> tuple[dict[str, Any], list[str]]:
    values, problems = resolve_inputs(declared, given, render, yaml)
    return values, [f"{problem.severity}: {problem}" for problem in problems]


GOOD: list[tuple[str, object, object]] = [
    ("STRING", "x", "x"), ("STRING", "", ""), ("STRING", 5, "5"), ("STRING", True, "true"), ("STRING", 1.5, "1.5"),
    ("STRING", date(2024, 2, 29), "2024-02-29"), ("STRING", timedelta(minutes=1), "PT1M"),
    ("EMAIL", "a.b@c.de", "a.b@c.de"), ("EMAIL", "", ""),
    ("INT", 42, 42), ("INT", "42", 42), ("INT", "-42", -42), ("INT", "+7", 7), ("INT", 2**31 - 1, 2**31 - 1),
    ("FLOAT", 42.42, 42.42), ("FLOAT", "42.42", 42.42), ("FLOAT", 1, 1.0), ("FLOAT", "1e3", 1000.0),
    ("FLOAT", ".5", 0.5),
    ("BOOLEAN", True, True), ("BOOLEAN", "TRUE", True), ("BOOL", "false", False), ("BOOL", False, False),
    ("BOOLEAN", "yes", False), ("BOOL", "", False),
    ("STRING", datetime(2024, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2024-01-31T10:00:00Z"),
    ("STRING", datetime(2024, 1, 31, 10, 0, 0, 120_000, UTC), "2024-01-31T10:00:00.120Z"),
    ("STRING", datetime(2024, 1, 31, 10, 0, 0, 7, UTC), "2024-01-31T10:00:00.000007Z"),
    ("DATETIME", "2019-10-06T18:27:49Z", datetime(2019, 10, 6, 18, 27, 49, tzinfo=UTC)),
    ("DATETIME", "2019-10-06T18:27:49.123456789+02:00", datetime(2019, 10, 6, 16, 27, 49, 123456, tzinfo=UTC)),
    ("DATETIME", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)),
    ("DATE", "2019-10-06", date(2019, 10, 6)), ("DATE", date(2019, 10, 6), date(2019, 10, 6)),
    ("TIME", "18:27:49", time(18, 27, 49)), ("TIME", "18:27", time(18, 27)), ("TIME", time(1), time(1)),
    ("DURATION", "PT5M6S", timedelta(minutes=5, seconds=6)), ("DURATION", timedelta(1), timedelta(1)),
    ("JSON", '{"a": [1, null]}', {"a": [1, None]}), ("JSON", {"a": 1}, {"a": 1}), ("JSON", [1], [1]), ("JSON", "5", 5),
    ("YAML", "a: 1", {"a": 1}), ("YAML", {"a": 1}, {"a": 1}),
    ("URI", "https://www.google.com", "https://www.google.com"), ("URI", "http://127.0.0.1:80/a?b=c", "http://127.0.0.1:80/a?b=c"),
    ("FILE", "data/x.csv", "data/x.csv"), ("FILE", "storage:///a/b.csv", "storage:///a/b.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected"), GOOD, ids=[f"{kind} {value!r}" for kind, value, _ in GOOD])
def test_a_value_gets_the_type_of_its_declaration(kind: str, value: object, expected: object) -> None:
    found = type_value(Input("i", kind), value, yaml)

    assert found == expected
    assert type(found) is type(expected)


def test_a_text_that_is_read_as_false_and_does_not_say_so_is_told() -> None:
    declared = [Input("a", "BOOLEAN"), Input("b", "BOOL", defaults="no"), Input("c", "BOOL")]

    values, problems = resolve(declared, {"a": "yes", "c": "False"})

    assert values == {"a": False, "b": False, "c": False}
    assert problems == [
        "warning: `yes` is read as false for the input `a`: only `true` is true",
        "warning: `no` is read as false for the input `b`: only `true` is true",
    ]


BAD: list[tuple[str, object, str]] = [
    ("STRING", {"a": 1}, 'Expected `STRING` but received `{"a": 1}` with errors: it is not a text'),
    ("STRING", [1], "Expected `STRING` but received `[1]` with errors: it is not a text"),
    ("INT", "4.2", "Expected `INT` but received `4.2` with errors: it is not a whole number"),
    ("INT", 5.7, "Expected `INT` but received `5.7` with errors: it is not a whole number"),
    ("INT", True, "Expected `INT` but received `true` with errors: it is not a whole number"),
    ("INT", "", "Expected `INT` but received `` with errors: it is not a whole number"),
    ("INT", "2147483648", "Expected `INT` but received `2147483648` with errors: it does not fit into 32 bits"),
    ("FLOAT", "x", "Expected `FLOAT` but received `x` with errors: it is not a number"),
    ("FLOAT", "NaN", "Expected `FLOAT` but received `NaN` with errors: it is not a number"),
    ("BOOL", 1, "Expected `BOOL` but received `1` with errors: it is neither true nor false"),
    (
        "DATETIME", "2019-10-06T18:27:49",
        "Expected `DATETIME` but received `2019-10-06T18:27:49` with errors: "
        "it is not a date and time with a zone, such as 2024-02-29T10:00:00Z",
    ),
    (
        "DATETIME", datetime(2024, 1, 1),
        "Expected `DATETIME` but received `\"2024-01-01 00:00:00\"` with errors: "
        "it is not a date and time with a zone, such as 2024-02-29T10:00:00Z",
    ),
    (
        "DATETIME", "0001-01-01T00:00:00+14:00",
        "Expected `DATETIME` but received `0001-01-01T00:00:00+14:00` with errors: date value out of range",
    ),
    ("DATE", "2023-02-29", "Expected `DATE` but received `2023-02-29` with errors: day is out of range for month"),
    ("DATE", "20230228", "Expected `DATE` but received `20230228` with errors: it is not a date, such as 2024-02-29"),
    ("TIME", "25:00", "Expected `TIME` but received `25:00` with errors: hour must be in 0..23"),
    ("TIME", "10", "Expected `TIME` but received `10` with errors: it is not a time, such as 10:00:00"),
    ("DURATION", "5m", "Expected `DURATION` but received `5m` with errors: `5m` is not a duration"),
    ("DURATION", 5, "Expected `DURATION` but received `5` with errors: it is not a duration, such as PT1H30M"),
    (
        "JSON", "{a: 1}",
        "Expected `JSON` but received `{a: 1}` with errors: "
        "it is not JSON, Expecting property name enclosed in double quotes (line 1, column 2)",
    ),
    ("JSON", "NaN", "Expected `JSON` but received `NaN` with errors: it is not JSON, which has no NaN"),
    ("YAML", "a: b: c", "Expected `YAML` but received `a: b: c` with errors: this is not YAML (line 1, column 1)"),
    ("URI", "http://localhost", "Expected `URI` but received `http://localhost`"),
    ("URI", 5, "Expected `URI` but received `5`"),
    ("FILE", "", "Expected `FILE` but received `` with errors: it is neither a URI nor the path of a file"),
    ("ARRAY", "x", "Expected `ARRAY` but received `x` with errors: it is not JSON, Expecting value (line 1, column 1)"),
    ("ARRAY", 5, "Expected `ARRAY` but received `5` with errors: it is neither a list nor the JSON text of one"),
    ("EMAIL", "nobody", "The input must be a valid email"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "why"), BAD, ids=[f"{kind} {value!r}" for kind, value, _ in BAD])
def test_what_is_not_of_the_type_is_refused(kind: str, value: object, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        type_value(Input("i", kind), value, yaml)

    assert refused.value.what.startswith(f"Invalid input for `i`, {why}, but received `")


CONSTRAINTS: list[tuple[Input, object, str]] = [
    (Input("i", "STRING", options={"validator": r"A\d+"}), "xA1", "it must match the pattern `A\\d+`"),
    (Input("i", "INT", options={"min": 10, "max": 20}), 9, "it must be more than `10`"),
    (Input("i", "INT", options={"min": 10, "max": 20}), 21, "it must be less than `20`"),
    (Input("i", "FLOAT", options={"min": 0.1, "max": "0.5"}), 0.6, "it must be less than `0.5`"),
    (Input("i", "DATE", options={"after": "2023-01-01"}), "2022-12-31", "it must be after `2023-01-01`"),
    (Input("i", "DATE", options={"before": "2023-12-31"}), "2024-01-01", "it must be before `2023-12-31`"),
    (
        Input("i", "DATETIME", options={"after": "2023-01-01T00:00:00Z"}), "2023-01-01T00:59:59+01:00",
        "it must be after `2023-01-01T00:00:00Z`",
    ),
    (Input("i", "TIME", options={"before": "11:59:59"}), "12:00", "it must be before `11:59:59`"),
    (Input("i", "DURATION", options={"min": "PT10S"}), "PT9S", "It must be more than `PT10S`"),
    (Input("i", "DURATION", options={"max": "PT20S"}), "PT21S", "It must be less than `PT20S`"),
    (Input("i", "ENUM", options={"values": ["a", "b"]}), "c", "it must match the values `[a, b]`"),
    (Input("i", "SELECT", options={"values": ["a", 1]}), "2", "it must match the values `[a, 1]`"),
    (Input("i", "MULTISELECT", options={"values": ["a", "b"]}), '["a", "c"]', "it must match the values `[a, b]`"),
    (Input("i", "MULTISELECT", False, options={"options": ["a"]}), ["b"], "it must match the values `[a]`"),
    (
        Input("i", "FILE", options={"allowedFileExtensions": [".csv", ".txt"]}), "x.json",
        "File type not allowed. Accepted extensions: .csv, .txt",
    ),
    (
        Input("i", "ARRAY", options={"itemType": "INT"}), "[1, \"x\"]",
        "Unable to parse array element as `INT` on `x`",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "value", "why"), CONSTRAINTS, ids=[why for _, _, why in CONSTRAINTS])
def test_a_violated_constraint_is_named(declared: Input, value: object, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        type_value(declared, value, yaml)

    received = value if isinstance(value, str) else str(value).replace("'", '"')
    assert str(refused.value) == f"Invalid input for `i`, {why}, but received `{received}`"


WITHIN: list[tuple[Input, object, object]] = [
    (Input("i", "STRING", options={"validator": r"A\d+"}), "A1", "A1"),
    (Input("i", "INT", options={"min": 10, "max": 20}), 10, 10),
    (Input("i", "INT", options={"min": 10, "max": 20}), "20", 20),
    (Input("i", "DATE", options={"after": "2023-01-01"}), "2023-01-01", date(2023, 1, 1)),
    (Input("i", "SELECT", options={"values": [1, 2]}), 1, "1"),
    (Input("i", "SELECT", False, options={"values": ["a"]}), "b", "b"),
    (Input("i", "SELECT", options={"values": ["a"], "allowCustomValue": True}), "b", "b"),
    (Input("i", "MULTISELECT", options={"values": ["a", "b"]}), '["b", "a"]', ["b", "a"]),
    (Input("i", "MULTISELECT", options={"values": [1, 2], "itemType": "INT"}), ["2"], [2]),
    (Input("i", "MULTISELECT", options={"values": ["a"], "allowCustomValue": True}), ["x"], ["x"]),
    (Input("i", "ARRAY", options={"itemType": "INT"}), '[1, "2"]', [1, 2]),
    (Input("i", "ARRAY", options={"itemType": "DATE"}), ["2024-02-29"], [date(2024, 2, 29)]),
    (Input("i", "FILE", options={"allowedFileExtensions": [".csv"]}), "storage:///X.CSV", "storage:///X.CSV"),
]


@pytest.mark.parametrize(("declared", "value", "expected"), WITHIN)
def test_bounds_are_part_of_what_is_allowed(declared: Input, value: object, expected: object) -> None:
    assert type_value(declared, value, yaml) == expected


def test_every_constraint_that_is_violated_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        type_value(Input("i", "INT", options={"min": 10, "max": 5}), 7, yaml)

    assert str(refused.value) == (
        "Invalid input for `i`, it must be more than `10`; it must be less than `5`, but received `7`"
    )


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidInput) as refused:
        type_value(Input("i", "URI"), "x" * 1000, yaml)

    shown = "x" * 200 + "…"
    assert str(refused.value) == (
        f"Invalid input for `i`, Expected `URI` but received `{shown}`, but received `{shown}`"
    )


def test_a_text_with_secrets_is_not_looked_into() -> None:
    secret = SecretText(("Bearer ", ("TOKEN",)))

    assert type_value(Input("i", "INT"), secret, yaml) is secret


def test_the_value_given_comes_before_the_default_and_null_is_not_given() -> None:
    declared = [Input("a", "INT", defaults=1, has_defaults=True), Input("b", "INT", defaults=2, has_defaults=True)]

    assert resolve(declared, {"a": "5", "b": None}) == ({"a": 5, "b": 2}, [])


def test_a_required_input_without_a_value_is_missing() -> None:
    assert resolve([Input("a", "STRING")], {}) == ({"a": None}, ["error: Missing required input:a"])


def test_an_input_that_is_not_required_is_null() -> None:
    assert resolve([Input("a", "STRING", required=False)], {}) == ({"a": None}, [])


def test_an_empty_default_is_a_value() -> None:
    assert resolve([Input("a", "STRING", defaults="", has_defaults=True)], {}) == ({"a": ""}, [])


def test_defaults_with_an_expression_are_rendered_and_then_typed() -> None:
    declared = Input("a", "STRING", defaults="{{ now() }}", has_defaults=True)

    assert resolve([declared], {}) == ({"a": "< now() >"}, [])
    assert resolve([Input("n", "INT", defaults="{{ 1 }}", has_defaults=True)], {}, lambda *_: "7") == ({"n": 7}, [])


def test_defaults_that_can_not_be_rendered_are_an_error() -> None:
    def fail(template: object, inputs: object) -> object:
        raise ExpressionError("`x` is undefined")

    declared = Input("a", "STRING", defaults="{{ x }}", has_defaults=True)

    assert resolve([declared], {}, fail) == (
        {"a": None}, ["error: Invalid input for `a`, its `defaults` can't be rendered: `x` is undefined"],
    )  # fmt: skip
    assert resolve([declared], {"a": "given"}, fail) == ({"a": "given"}, [])


def test_all_inputs_that_are_wrong_are_reported_together() -> None:
    declared = [Input("a", "INT"), Input("b", "STRING"), Input("c", "DATE")]

    assert resolve(declared, {"a": "x", "c": "2024-02-29"}) == (
        {"a": None, "b": None, "c": date(2024, 2, 29)},
        [
            "error: Invalid input for `a`, Expected `INT` but received `x` with errors: it is not a whole number, "
            "but received `x`",
            "error: Missing required input:b",
        ],
    )


def test_what_is_not_declared_is_left_out_with_a_warning() -> None:
    values, problems = resolve_inputs([], {"a": 1}, upper, yaml)

    assert values == {}
    assert problems == (InputProblem("warning", "a", "`a` is not an input of this flow; it is left out"),)


def test_dotted_ids_are_given_flat_or_nested_and_come_out_nested() -> None:
    declared = [Input("n.a", "INT"), Input("n.m.b", "BOOL"), Input("n.c", "STRING", required=False)]
    expected: dict[str, Any] = {"n": {"a": 1, "m": {"b": True}, "c": None}}

    assert resolve(declared, {"n.a": "1", "n.m.b": "true"}) == (expected, [])
    assert resolve(declared, {"n": {"a": 1, "m": {"b": True}}}) == (expected, [])


def test_a_value_is_read_and_set_by_its_dotted_id() -> None:
    values = {"n": {"a": 1}, "x": "text"}
    put(values, "n.b.c", 2)

    assert values == {"n": {"a": 1, "b": {"c": 2}}, "x": "text"}
    assert (value_at(values, "n.b.c"), value_at(values, "x"), value_at(values, "x.y")) == (2, "text", None)


def test_the_values_of_a_select_may_come_from_an_expression() -> None:
    declared = Input("a", "SELECT", options={"expression": "{{ x }}"})

    assert resolve([declared], {"a": "u"}, lambda *_: ["u", None, "v"]) == ({"a": "u"}, [])
    assert resolve([declared], {"a": "u"}, lambda *_: '["u"]') == ({"a": "u"}, [])
    assert resolve([declared], {"a": "w"}, lambda *_: ["u", None, "v"])[1] == [
        "error: Invalid input for `a`, it must match the values `[u, v]`, but received `w`"
    ]
    assert resolve([declared], {"a": "w"}, lambda *_: {"u": 1})[1] == [
        'error: Invalid input for `a`, Invalid expression result. Expected a list of values, but received `{"u": 1}`'
    ]


def test_an_expression_for_values_that_can_not_be_rendered_is_an_error() -> None:
    def fail(template: object, inputs: object) -> object:
        raise ExpressionError("`x` is undefined")

    declared = Input("a", "SELECT", options={"expression": "{{ x }}"})

    assert resolve([declared], {"a": "u"}, fail)[1] == [
        "error: Invalid input for `a`, Cannot render 'expression'. Cause: `x` is undefined, but received `null`"
    ]


def test_the_first_value_can_be_selected_by_itself() -> None:
    one = Input("a", "SELECT", options={"values": ["x", "y"], "autoSelectFirst": True})
    many = Input("b", "MULTISELECT", options={"values": ["x", "y"], "autoSelectFirst": True})
    own = Input("c", "SELECT", defaults="y", has_defaults=True, options=one.options)

    assert resolve([one, many, own], {}) == ({"a": "x", "b": ["x"], "c": "y"}, [])


def test_file_inputs_are_named() -> None:
    assert file_inputs([Input("a", "FILE"), Input("b", "STRING"), Input("c.d", "FILE")]) == ("a", "c.d")


def test_outputs_are_typed_like_inputs() -> None:
    assert type_output(FlowOutput("o", "INT", ""), "5", yaml) == 5
    assert type_output(FlowOutput("o", "ARRAY", "", item_type="INT"), '["5"]', yaml) == [5]
    assert type_output(FlowOutput("o", "ARRAY", ""), '["5", 5]', yaml) == ["5", 5]
    assert type_output(FlowOutput("o", "INT", "", required=False), None, yaml) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "Missing required output:o"),
        (
            "x",
            "Invalid output for `o`, Expected `INT` but received `x` with errors: it is not a whole number, "
            "but received `x`",
        ),
    ],
)
def test_an_output_that_is_not_what_it_was_declared_is_refused(value: object, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        type_output(FlowOutput("o", "INT", ""), value, yaml)

    assert str(refused.value) == message
