"""What a template names (without evaluating it) and what an evaluation read."""

from __future__ import annotations

import pytest

from core.errors import ExpressionError
from core.expressions import Reference, Renderer, references


@pytest.mark.parametrize(
    ("template", "paths"),
    [
        ("nothing", []),
        ("{{ 'text' }}", []),
        ("{{ outputs.a.value }}", [("outputs", "a", "value")]),
        ("{{ outputs['my-task'].files['x.csv'][0] }}", [("outputs", "my-task", "files", "x.csv", 0)]),
        ("{{ outputs[taskrun.value].uri }}", [("outputs", None), ("taskrun", "value")]),
        ("{{ inputs.a ?? inputs.b }} {{ vars.c }}", [("inputs", "a"), ("inputs", "b"), ("vars", "c")]),
        ("{{ a | join(b) }} {{ c is defined }}", [("a",), ("b",), ("c",)]),
        ("{{ f(a, x=b).c }} {{ s.trim().length }}", [("a",), ("b",), ("s",)]),
        ("{{ [a, {b: c}] }} {{ -d ? e : not f }}", [("a",), ("b",), ("c",), ("d",), ("e",), ("f",)]),
        ('{{ "x #{a.b} y" }}', [("a", "b")]),
        ("{{ render(vars.t) }}", [(None,), ("vars", "t")]),
        ("{{ printContext() }}", [(None,)]),
        ("{{ currentEachOutput(outputs.t) }}", [("taskrun", "value"), ("parents",), ("outputs", "t")]),
        ("{% for x in inputs.l %}{{ x.y }}{{ loop.index }}{{ z }}{% endfor %}", [("inputs", "l"), ("z",)]),
        ("{% for x in l %}{% endfor %}{{ x }}", [("l",), ("x",)]),
        ("{% set a = inputs.b %}{{ a.c }}", [("inputs", "b")]),
        ("{{ a }}{% set a = 1 %}", [("a",)]),
        ("{% macro m(p) %}{{ p }}{{ q }}{% endmacro %}{{ m(r) }}", [("r",)]),
        ("{% if a %}{{ b }}{% elseif c %}{% else %}{{ d }}{% endif %}", [("a",), ("b",), ("c",), ("d",)]),
        ("{% filter replace({'a': b}) %}{{ c }}{% endfilter %}", [("b",), ("c",)]),
        ("{% block x %}{{ a }}{% endblock %}{% raw %}{{ b }}{% endraw %}{# {{ c }} #}", [("a",)]),
    ],
)  # fmt: skip
def test_references(template: str, paths: list[tuple[str | int | None, ...]]) -> None:
    assert [each.path for each in references(template)] == paths


def test_references_have_places() -> None:
    assert references("one {{ a.b }}\n  {{ c }}") == (Reference(("a", "b"), 1, 8), Reference(("c",), 2, 6))


def test_a_template_that_can_not_be_parsed_has_no_references() -> None:
    with pytest.raises(ExpressionError, match="is never closed"):
        references("{{ a")


VARIABLES = {
    "outputs": {"a": {"value": 1, "files": {"x.csv": "uri"}, "rows": [{"n": 1}], "text": "abc"}},
    "taskrun": {"value": "a"},
}


@pytest.mark.parametrize(
    ("template", "read"),
    [
        ("{{ outputs.a.value }}", {("outputs", "a", "value")}),
        ("{{ outputs.a.files['x.csv'] }}", {("outputs", "a", "files", "x.csv")}),
        ("{{ outputs[taskrun.value].value }}", {("outputs", "a", "value"), ("taskrun", "value")}),
        ("{{ outputs.a.rows[0].n }}", {("outputs", "a", "rows", 0, "n")}),
        ("{{ outputs.a.text.length }} {{ outputs.a.text.trim() }}", {("outputs", "a", "text")}),
        ("{{ outputs.a.rows.size }}", {("outputs", "a", "rows")}),
        ("{{ outputs.a }}", {("outputs", "a")}),
        ("{{ outputs.b.value ?? taskrun.value }}", {("outputs", "b"), ("taskrun", "value")}),
        ("{{ true or outputs.a.value }}", set()),
        ("{{ taskrun.value == 'b' ? outputs.a : 1 }}", {("taskrun", "value")}),
        ("{{ render('{{ outputs.a.value }}') }}", {("outputs", "a", "value")}),
        ("{{ printContext() | length }}", {("outputs",), ("taskrun",)}),
        ("{% for r in outputs.a.rows %}{{ r.n }}{% endfor %}", {("outputs", "a", "rows")}),
        ("{{ currentEachOutput(outputs) | length }}", {("outputs",), ("taskrun", "value")}),
    ],
)
def test_reads(renderer: Renderer, template: str, read: set[tuple[str | int, ...]]) -> None:
    found: set[tuple[str | int, ...]] = set()
    renderer.render(template, VARIABLES, found)
    assert found == read
