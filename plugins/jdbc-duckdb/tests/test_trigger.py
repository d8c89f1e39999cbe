"""`jdbc.duckdb.Trigger`: checked whole, not run."""

from __future__ import annotations

from importlib import import_module

from core.loading import load_flow
from core.registry import load_registry
from tailrace_jdbc_duckdb import TRIGGERS, TYPES

HEAD = "id: f\nnamespace: a.b\ntasks: [{id: a, type: log.Log, message: '{{ trigger.rows }}'}]\ntriggers:\n"


def problems(trigger: str) -> list[str]:
    loaded = load_flow(f"{HEAD}- {{id: t, {trigger}}}\n", load_registry(None), "f.yaml")
    return [str(problem) for problem in loaded.problems]


def test_what_the_plugin_announces_is_what_the_classes_say() -> None:
    for ref in (*TYPES, *TRIGGERS):
        module, name = ref.target.split(":")
        cls = getattr(import_module(module), name)
        assert (ref.name, ref.aliases, ref.title) == (cls.type, cls.aliases, cls.__doc__.splitlines()[0])
        assert ref.kind == cls.plugin_kind


def test_a_trigger_is_read() -> None:
    written = (
        "type: io.kestra.plugin.jdbc.duckdb.Trigger, sql: SELECT 1, interval: PT5M, fetchType: FETCH_ONE, "
        "url: 'jdbc:duckdb:/data/x.db', parameters: {a: '{{ trigger.date }}'}, conditions: [{type: condition.Weekend}]"
    )
    assert problems(written) == []


def test_what_is_wrong_with_a_trigger_is_said_with_its_place() -> None:
    assert problems("type: jdbc.duckdb.Trigger") == ["f.yaml:5:3: `sql` is missing\n  expected: a text"]
    assert problems("type: jdbc.duckdb.Trigger, sql: SELECT 1, interval: PT0S") == [
        "f.yaml:5:63: `interval` must be positive\n  expected: a duration such as PT30S"
    ]
    assert problems("type: jdbc.duckdb.Trigger, sql: SELECT 1, fetchType: ALL") == [
        "f.yaml:5:64: `ALL` is not one of NONE, FETCH, FETCH_ONE, STORE"
    ]
