from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import InvalidInput
from core.loading import Loaded, parse_yaml
from core.model.flow import FlowOutput
from core.model.inputs import Input, type_value

Load = Callable[[str], Loaded]
HEAD = "id: f\nnamespace: a.b\ntasks: [{id: a, type: log.Log, message: hi}]\n"


def texts(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


DECLARED = {
    "{id: a, type: STRING}": Input("a", "STRING"),
    "{id: a.b-c_d, type: STRING, required: false}": Input("a.b-c_d", "STRING", required=False),
    "{name: old, type: STRING}": Input("old", "STRING"),
    "{id: new, name: old, type: STRING}": Input("new", "STRING"),
    "{id: a, type: STRING, description: why, displayName: A}": Input(
        "a", "STRING", description="why", display_name="A"
    ),
    "{id: a, type: STRING, defaults: ''}": Input("a", "STRING", defaults="", has_defaults=True),
    "{id: a, type: STRING, defaults: ~}": Input("a", "STRING"),
    "{id: a, type: STRING, prefill: x, required: false}": Input("a", "STRING", required=False, prefill="x"),
    "{id: a, type: SECRET, validator: 'x+'}": Input("a", "SECRET", options={"validator": "x+"}),
    "{id: a, type: FILE, defaults: 'nsfile:///x.csv'}": Input(
        "a", "FILE", defaults="nsfile:///x.csv", has_defaults=True
    ),
    "{id: a, type: ARRAY, itemType: STRING, defaults: [x]}": Input(
        "a", "ARRAY", defaults=["x"], has_defaults=True, options={"itemType": "STRING"}
    ),
    "{id: a, type: STRING, validator: 'A\\d+', dependsOn: }": Input("a", "STRING", options={"validator": "A\\d+"}),
    "{id: a, type: INT, min: 1, max: '50', defaults: 010}": Input(
        "a", "INT", defaults=8, has_defaults=True, options={"min": 1, "max": "50"}
    ),
    "{id: a, type: DATE, after: 2023-01-01}": Input("a", "DATE", options={"after": "2023-01-01"}),
    "{id: a, type: INT, defaults: '{{ 1 + 1 }}'}": Input("a", "INT", defaults="{{ 1 + 1 }}", has_defaults=True),
    "{id: a, type: SELECT, values: [x, 1], allowCustomValue: 'true'}": Input(
        "a", "SELECT", options={"values": ["x", 1], "allowCustomValue": True}
    ),
    "{id: a, type: SELECT, values: [~, x]}": Input("a", "SELECT", options={"values": ["x"]}),
    "{id: a, type: SELECT, expression: '{{ vars.x }}'}": Input("a", "SELECT", options={"expression": "{{ vars.x }}"}),
    "{id: a, type: MULTISELECT, options: [x]}": Input("a", "MULTISELECT", options={"options": ["x"]}),
    "{id: a, type: ARRAY, itemType: INT}": Input("a", "ARRAY", options={"itemType": "INT"}),
    "{id: a, type: JSON, defaults: {b: [1]}}": Input("a", "JSON", defaults={"b": [1]}, has_defaults=True),
    "{id: a, type: FILE, accept: '.csv, .txt', extension: .csv}": Input(
        "a", "FILE", options={"allowedFileExtensions": [".csv", ".txt"]}
    ),
}


MATCHES = {
    r"\p{Upper}\p{Alpha}*": ("Abc", "abc"), r"(?<year>\d{4})\z": ("2024", "2024\n"), r"[a-z]++\.csv": ("a.csv", "acsv"),
    r"\Qa.b\E": ("a.b", "axb"), r"[\[\]]": ("[", "("),
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "texts"), MATCHES.items(), ids=list(MATCHES))
def test_a_validator_is_a_regular_expression_as_the_reference_writes_it(
    pattern: str, texts: tuple[str, str], load: Load
) -> None:
    (declared,) = load(f"{HEAD}inputs:\n  - {{id: a, type: STRING, validator: '{pattern}'}}\n").require().inputs
    good, bad = texts

    assert type_value(declared, good, parse_yaml) == good
    with pytest.raises(InvalidInput) as refused:
        type_value(declared, bad, parse_yaml)
    assert refused.value.what == f"Invalid input for `a`, it must match the pattern `{pattern}`, but received `{bad}`"


@pytest.mark.parametrize(("source", "declared"), DECLARED.items(), ids=list(DECLARED))
def test_a_declaration_is_read(source: str, declared: Input, load: Load) -> None:
    assert load(f"{HEAD}inputs:\n  - {source}\n").require().inputs == (declared,)


CASES = {
    "- {id: a}": """\
flow.yaml:5:3: Invalid type: null
  expected: STRING, INT, FLOAT, BOOLEAN, BOOL, DATETIME, DATE, TIME, DURATION, JSON, YAML, URI, SELECT, MULTISELECT, \
ENUM, ARRAY, FILE, EMAIL, SECRET""",
    "- {id: a, type: STRNG}": """\
flow.yaml:5:17: Invalid type: STRNG
  to do: did you mean `STRING`?""",
    "- {type: INT}": """\
flow.yaml:5:3: `id` is missing
  expected: letters, digits, `.`, `_` and `-`, beginning with a letter or digit
  to do: add `id: my_input`""",
    "- {id: -a, type: INT}": """\
flow.yaml:5:8: `-a` can't be the `id`
  expected: letters, digits, `.`, `_` and `-`, beginning with a letter or digit""",
    "- {id: bool, type: INT}\n- {id: a, type: INT, dependsOn: {inputs: [bol]}}": """\
flow.yaml:6:43: Input with id 'a' depends on a non-existent input 'bol'.
  to do: did you mean `bool`?""",
    "- {id: a, type: INT, dependsOn: {inputs: [a]}}": """\
flow.yaml:5:22: Cycle dependency detected for input with id 'a': [a]
  expected: dependencies that lead to no circle""",
    "- {id: a, type: INT, dependsOn: {inputs: []}}": """\
flow.yaml:5:42: `inputs` must be a list of ids
  expected: the ids of other inputs, at least one""",
    "- {id: b, type: INT}\n- {id: a, type: INT, dependsOn: {inputs: [b], condition: '{{ x'}}": """\
flow.yaml:6:58: `{{` is never closed
    {{ x
    ^
  expected: `}}`""",
    "- {id: b, type: INT}\n- {id: a, type: INT, dependsOn: {inputs: [b], conditon: x}}": """\
flow.yaml:6:47: there is no property `conditon`
  to do: did you mean `condition`?""",
    "- {id: a, type: INT, validator: x}": """\
flow.yaml:5:22: there is no property `validator`
  expected: defaults, dependsOn, description, displayName, id, max, min, name, prefill, required, type""",
    "- {id: a, type: INT, requird: false}": """\
flow.yaml:5:22: there is no property `requird`
  to do: did you mean `required`?""",
    "- {id: a, type: INT, required: maybe}": """\
flow.yaml:5:32: `maybe` is not true or false""",
    "- {id: a, type: INT, min: few}": """\
flow.yaml:5:27: Expected `INT` but received `few` with errors: it is not a whole number""",
    "- {id: a, type: DATE, after: '2023-13-01'}": """\
flow.yaml:5:30: Expected `DATE` but received `2023-13-01` with errors: month must be in 1..12""",
    "- {id: a, type: STRING, validator: '('}": """\
flow.yaml:5:36: invalid pattern [(]: missing ), unterminated subpattern at position 0
  expected: a regular expression""",
    "- {id: a, type: STRING, validator: '[a-z&&[^b]]+'}": """\
flow.yaml:5:36: invalid pattern [[a-z&&[^b]]+]: a class of characters can't hold another
  expected: a class without `[` and `&&`""",
    "- {id: a, type: INT, defaults: few}": """\
flow.yaml:5:32: Invalid input for `a`, Expected `INT` but received `few` with errors: it is not a whole number, \
but received `few`""",
    "- {id: a, type: INT, min: 3, defaults: 2}": """\
flow.yaml:5:40: Invalid input for `a`, it must be more than `3`, but received `2`""",
    "- {id: a, type: STRING, defaults: '{{ b | }}'}": """\
flow.yaml:5:35: the expression ends too early
    {{ b | }}
           ^
  expected: the name of a filter""",
    "- {id: a, type: STRING, defaults: x, prefill: y}": """\
flow.yaml:5:38: `defaults` and `prefill` exclude each other
  expected: one of them""",
    "- {id: a, type: ENUM}": """\
flow.yaml:5:3: `values` is missing
  expected: the values to choose from
  to do: add `values:` and a list""",
    "- {id: a, type: SELECT}": """\
flow.yaml:5:3: `values` is missing
  expected: the values to choose from
  to do: add `values:` and a list, or an `expression`""",
    "- {id: a, type: SELECT, values: x}": """\
flow.yaml:5:33: `x` is not a list
  expected: a list of texts""",
    "- {id: a, type: SELECT, values: [[x]]}": """\
flow.yaml:5:34: a list is not a text""",
    "- {id: a, type: MULTISELECT, values: [x], options: [y]}": """\
flow.yaml:5:43: you can't define both `values` and `options`
  expected: one of them""",
    "- {id: a, type: ARRAY}": """\
flow.yaml:5:3: `itemType` is missing
  expected: the type of the elements, such as STRING
  to do: add `itemType: STRING`""",
    "- {id: a, type: ARRAY, itemType: ARRAY}": """\
flow.yaml:5:34: a: `itemType` cannot be `ARRAY`
  expected: the type of one element, such as STRING""",
    "- {id: a, type: ARRAY, itemType: FILE}": """\
flow.yaml:5:24: an `itemType` of `FILE` can't be a list: a file and a secret are inputs of their own""",
    "- {id: a, type: ARRAY, itemType: INTS}": """\
flow.yaml:5:34: Invalid type: INTS
  to do: did you mean `INT`?""",
    "- {id: a, type: FILE, defaults: x.csv}": """\
flow.yaml:5:23: a: no `defaults` can be set for inputs of type 'FILE'
  expected: none, or a file of a namespace: `nsfile:///path` or `nsfile://namespace/path`""",
    "- {id: a, type: FILE, allowedFileExtensions: [csv]}": """\
flow.yaml:5:46: `csv` is not a file extension
  expected: extensions with their dots, such as [.csv, .txt]""",
    "- {id: a, type: FILE, accept: '.csv, text/csv'}": """\
flow.yaml:5:31: `text/csv` is not a file extension
  expected: extensions with their dots, such as [.csv, .txt]""",
    "- {id: a, type: FILE, acceptedExtensions: 5}": """\
flow.yaml:5:43: `5` is not a file extension
  expected: extensions with their dots, such as [.csv, .txt]""",
    "- {id: a, type: FILE, accept: .csv, allowedFileExtensions: [.csv]}": """\
flow.yaml:5:23: you can't define both `allowedFileExtensions` and `accept`
  expected: one of them""",
    f"- {{id: a, type: INT, displayName: {'x' * 65}}}": """\
flow.yaml:5:35: it has 65 characters
  expected: at most 64""",
    "- {id: a, type: INT}\n- {id: a, type: INT}": """\
flow.yaml:6:8: Duplicate input with name [a]
  expected: an id that no other has""",
    "- {id: a, type: INT}\n- {id: a.b.c, type: INT}": """\
flow.yaml:6:8: `a.b.c` would stand inside the input `a`
  expected: ids that do not begin with another id and a dot""",
    "- STRING": """\
flow.yaml:5:3: `STRING` is not a map
  expected: a map of `key: value`""",
}


@pytest.mark.parametrize(("source", "message"), CASES.items(), ids=list(CASES))
def test_what_is_wrong_with_a_declaration_is_said_with_its_place(source: str, message: str, load: Load) -> None:
    loaded = load(f"{HEAD}inputs:\n{source}\n")

    assert texts(loaded) == [message]
    assert loaded.flow is None


def test_the_extension_of_a_file_is_a_word_without_effect(load: Load) -> None:
    loaded = load(f"{HEAD}inputs:\n- {{id: a, type: FILE, extension: .csv}}\n")

    assert loaded.require().inputs == (Input("a", "FILE"),)
    assert texts(loaded) == [
        "flow.yaml:5:23: `extension` has no effect: a file keeps its name\n"
        "  to do: `allowedFileExtensions` says which files are taken"
    ]


def test_an_input_may_depend_on_others(load: Load) -> None:
    source = "- {id: b, type: BOOL}\n- {id: a, type: INT, dependsOn: {inputs: [b], condition: '{{ inputs.b }}'}}"

    _, found = load(f"{HEAD}inputs:\n{source}\n").require().inputs

    assert found == Input("a", "INT", depends_on=("b",), condition="{{ inputs.b }}")


def test_a_circle_of_dependencies_is_said_of_every_input_in_it(load: Load) -> None:
    source = "".join(
        f"- {{id: {one}, type: INT, dependsOn: {{inputs: [{other}]}}}}\n" for one, other in ("ab", "bc", "ca")
    )

    assert [problem.message for problem in load(f"{HEAD}inputs:\n{source}").problems] == [
        "Cycle dependency detected for input with id 'a': [a, b, c]",
        "Cycle dependency detected for input with id 'b': [b, c, a]",
        "Cycle dependency detected for input with id 'c': [c, a, b]",
    ]


def test_an_array_output_may_leave_the_type_of_its_elements_open(load: Load) -> None:
    (output,) = load(f"{HEAD}outputs:\n- {{id: x, type: ARRAY, value: [1]}}\n").require().outputs

    assert output.item_type is None


def test_an_output_is_read(load: Load) -> None:
    source = "- {id: x, type: ARRAY, itemType: INT, value: '{{ outputs.a }}', required: false, description: d}"

    assert load(f"{HEAD}outputs:\n{source}\n").require().outputs == (
        FlowOutput("x", "ARRAY", "{{ outputs.a }}", required=False, description="d", item_type="INT"),
    )


OUTPUTS = {
    "- {id: x, value: y}": """\
flow.yaml:5:3: Invalid type: null
  expected: STRING, INT, FLOAT, BOOLEAN, BOOL, DATETIME, DATE, TIME, DURATION, JSON, YAML, URI, SELECT, MULTISELECT, \
ENUM, ARRAY, FILE, EMAIL, SECRET""",
    "- {id: x, type: STRING}": """\
flow.yaml:5:3: `value` is missing
  expected: the value, mostly an expression
  to do: add `value: "{{ … }}\"`""",
    "- {id: x, type: STRING, value: y, defaults: z}": """\
flow.yaml:5:35: there is no property `defaults`
  expected: description, displayName, id, required, type, value""",
    "- {id: x, type: STRING, value: '{{ y'}": """\
flow.yaml:5:32: `{{` is never closed
    {{ y
    ^
  expected: `}}`""",
    "- {id: x, type: STRING, value: y}\n- {id: x, type: STRING, value: y}": """\
flow.yaml:6:8: Duplicate output with name [x]
  expected: an id that no other has""",
}


@pytest.mark.parametrize(("source", "message"), OUTPUTS.items(), ids=list(OUTPUTS))
def test_what_is_wrong_with_an_output_is_said_with_its_place(source: str, message: str, load: Load) -> None:
    assert texts(load(f"{HEAD}outputs:\n{source}\n")) == [message]
