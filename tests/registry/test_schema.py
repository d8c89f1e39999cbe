"""JSON Schemas accept what the converter and the loader accept, and refuse what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from core.loading import load_flow
from core.loading.reader import read
from core.registry import Registry, load_registry, problems
from core.registry.schema import flow_schema, type_schema
from tests.registry.sample_types import Export


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("plugins")
    source = (
        "from core.sdk import TypeRef, hookimpl\n"
        "@hookimpl\n"
        "def task_types():\n"
        "    return [TypeRef('tests.registry.sample_types:Export', 'sample.Export', ('com.acme.Export',)),\n"
        "            TypeRef('nothing_of_this_name:Gone', 'sample.Gone')]\n"
    )
    (folder / "sample.py").write_text(source, encoding="utf-8")
    return load_registry(None, folder)


@pytest.fixture(scope="module")
def flow_validator(registry: Registry) -> Draft202012Validator:
    schema = flow_schema(registry)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def type_validator(registry: Registry) -> Draft202012Validator:
    schema = type_schema(registry, "com.acme.Export")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize(
    "more",
    [
        "",
        "rows: 5",
        "rows: '5'",
        "rows: '{{ a }}'",
        "rows: null",
        "table: 5",
        "ratio: .5",
        "format: JSON",
        "format: '{{ a }}'",
        "header: 'true'",
        "pause: PT5S",
        "pause: '{% if a %}PT1S{% endif %}'",
        "columns: [a, 5]",
        "columns: '[\"a\"]'",
        "columns: ['{{ a }}']",
        "options: {a: [1]}",
        "options: '{\"a\": 1}'",
        "options: '{{ a }}'",
        "filter: {column: a, anyOf: [{column: b}]}",
        "filter: '{{ a }}'",
        "runner: {type: runner.Process}",
    ],
)
def test_what_the_converter_accepts_is_valid(registry: Registry, type_validator: Any, more: str) -> None:
    values = {"table": "a", **(read(more) or {})}
    assert problems_that_stop(registry, values) == []
    assert [error.message for error in type_validator.iter_errors(values)] == []


@pytest.mark.parametrize(
    "more",
    [
        "rows: 5.7",
        "rows: many",
        "table: [a]",
        "table: null",
        "format: XML",
        "header: '{{ a }}'",
        "header: 1",
        "pause: 5s",
        "columns: {a: 1}",
        "options: [a]",
        "options: text",
        "filter: {}",
        "filter: {column: a, anyOf: [{colum: b}]}",
        "runner: {type: log.Log}",
        "runner: {type: runner.Process, shell: x}",
        "unknown: 1",
    ],
)
def test_what_the_converter_refuses_is_not_valid(registry: Registry, type_validator: Any, more: str) -> None:
    values = {"table": "a", **read(more)}
    assert problems_that_stop(registry, values) != []
    assert not type_validator.is_valid(values)


def problems_that_stop(registry: Registry, values: dict[str, object]) -> list[str]:
    return [problem.message for problem in problems(Export, values, registry) if problem.severity == "error"]


def test_a_property_says_all_that_editors_show(registry: Registry) -> None:
    found = type_schema(registry, "sample.Export")["properties"]
    assert type_schema(registry, "sample.Export")["description"] == "Write rows to a file.\n\nOne file for\neach call."
    assert found["rows"] == {
        "description": "Rows at most.",
        "type": ["integer", "string", "null"],
        "pattern": r"^\s*[+-]?[0-9]+\s*$|\{\{|\{%",
        "default": 100,
    }
    assert found["table"] == {
        "description": "Table to read.",
        "type": ["string", "number", "boolean"],
        "examples": ["products"],
    }
    assert found["source"]["description"] == "Older word for `table`."
    assert found["source"]["deprecated"] is True
    assert found["pause"]["description"] == "Time to wait. Deprecated: use timeout."
    assert found["pause"]["deprecated"] is True
    assert found["password"]["writeOnly"] is True
    assert "default" not in found["password"]
    assert found["then"]["items"] == {"$ref": "#/$defs/task"}


FLOW = """
id: sample
namespace: company.team
labels: {team: data}
inputs:
  - {id: name, type: STRING, defaults: world}
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: Hello {{ inputs.name }}
    runIf: "{{ true }}"
    timeout: PT5S
  - id: block
    type: flow.Sequential
    tasks:
      - {id: inner, type: debug.Return, format: "{{ 1 + 1 }}", disabled: true}
outputs:
  - {id: answer, type: STRING, value: "{{ outputs.inner.value }}"}
"""


def test_a_flow_that_loads_is_valid(registry: Registry, flow_validator: Any) -> None:
    assert load_flow(FLOW, registry).problems == ()
    assert [error.message for error in flow_validator.iter_errors(read(FLOW))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: sample", "id: -sample"),
        ("namespace: company.team", ""),
        ("labels: {team: data}", "label: {team: data}"),
        ("type: STRING, defaults: world", "type: TEXT"),
        ("message: Hello", "mesage: Hello"),
        ("type: io.kestra.plugin.core.log.Log", "type: io.kestra.plugin.core.log.Lgo"),
        ("id: hello", "id: hel.lo"),
        ("timeout: PT5S", "timeout: 5 s"),
        ("disabled: true", "disabled: perhaps"),
        ("{id: inner, type: debug.Return,", "{type: debug.Return,"),
        ("value: \"{{ outputs.inner.value }}\"", "val: 1"),
        ("outputs:", "triggers: [{id: a, type: b}]\noutputs:"),
    ],
)
def test_a_flow_that_does_not_load_is_not_valid(
    registry: Registry, flow_validator: Any, old: str, new: str
) -> None:
    broken = FLOW.replace(old, new)
    assert broken != FLOW
    assert load_flow(broken, registry).flow is None
    assert not flow_validator.is_valid(read(broken))


def test_a_type_that_can_not_be_imported_accepts_anything(registry: Registry, flow_validator: Any) -> None:
    flow = {"id": "a", "namespace": "b", "tasks": [{"id": "x", "type": "sample.Gone", "whatever": 1}]}
    assert flow_validator.is_valid(flow)


def test_every_example_of_the_project_is_valid(flow_validator: Any) -> None:
    examples = sorted((Path(__file__).parents[2] / "examples").glob("*.y*ml"))
    assert examples
    for path in examples:
        errors = flow_validator.iter_errors(read(path.read_text(encoding="utf-8")))
        assert (path.name, [error.message for error in errors]) == (path.name, [])
