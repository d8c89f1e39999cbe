"""What would be too large, too deep or too long is refused before it is built."""

from __future__ import annotations

import sys

import pytest

from core.errors import TailraceError, TooLarge
from core.expressions import Renderer, references
from core.expressions.faults import MAX_TEXT

BIG = "x" * (MAX_TEXT // 2 + 1)


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(0, 99999999999) }}",
        "{{ 1..1000001 }}",
        "{{ 'x' | indent(1, '') }}{{ \"a\nb\" | indent(999999999) }}",
        "{{ 'ab'.repeat(99999999) }}",
        "{{ big ~ big }}",
        "{{ big + big }}",
        "{{ big }}{{ big }}",
        "{{ [big, big] }}",
        "{{ 'a' ~ [big, big] }}",
        "{{ [big, big] | join }}",
        "{{ big | replace({'x': 'xyz'}) }}",
        "{{ text | replace({'x': text}, regexp=true) }}",
        "{{ (big | base64encode) ~ '' }}",
        "{{ list + list }}",
        "{{ [list, list] | flatten }}",
        "{{ list | merge(list) }}",
        "{% for i in 1..1000 %}{% for j in 1..1001 %}{% endfor %}{% endfor %}",
        "{% set a = [] %}{% for i in 1..60 %}{% set a = [a, a] %}{% endfor %}{{ a }}",
        "{% set a = 'x' %}{% for i in 1..60 %}{% set a = a ~ a %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 100 + "1" + ")" * 100 + " }}",
        "{{ " + "[" * 100 + "]" * 100 + " }}",
        "{{ " + "not " * 500 + "true }}",
        "{{ " + "1 + " * 5000 + "1 }}",
        "{{ " + "1 + " * 150 + "1 }}",
        "{{ x" + ".y" * 150 + " }}",
        "{{ x" + "[x" * 50 + "]" * 50 + " | upper" * 100 + " }}",
        "{% if true %}" * 100 + "{% endif %}" * 100,
        "{{ '1e999999999' | number('BIGDECIMAL') }}",
        "{{ ('1e90000' | number('BIGDECIMAL')) | numberFormat('0') }}",
        "{{ render(grow) }}",
    ],
    ids=lambda template: str(template)[:40],
)
def test_too_large(template: str) -> None:
    variables = {"big": BIG, "text": "x" * 5000, "list": list(range(600_000)), "grow": "{{ grow }}{{ grow }}{{ 1 }}"}
    with pytest.raises(TooLarge):
        Renderer().render(template, variables)


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    value: list[object] = []
    for _ in range(sys.getrecursionlimit() * 2):
        value = [value]
    with pytest.raises(TooLarge, match="nested too deeply"):
        Renderer().render("{{ x }}", {"x": value})
    with pytest.raises(TooLarge, match="nested too deeply"):
        Renderer().render_object(value, {})


def test_raw_tags_in_a_value_are_taken_out_in_one_pass() -> None:
    value = "{% raw %}" * 100_000 + "{% endraw %}" + "{% raw %}" * 100_000
    assert len(Renderer().render("{{ x }}", {"x": value})) == len(value) - len("{% raw %}{% endraw %}")


def test_what_is_just_not_too_deep_is_evaluated() -> None:
    assert Renderer().render("{{ " + "1 + " * 140 + "1 }}", {}) == "141"
    assert Renderer().render("{{ 'a'" + " | upper" * 140 + " }}", {}) == "A"
    assert Renderer().render("{{ " + "(1 + " * 50 + "1" + ")" * 50 + " }}", {}) == "51"


def test_the_work_does_not_double_at_each_level() -> None:
    assert Renderer().render("{{ " + "max(" * 55 + "1" + ")" * 55 + " }}", {}) == "1"
    blocks = "".join(f"{{% block b{number} %}}" for number in range(55))
    assert Renderer().render(blocks + "{{ 1 }}" + "{% endblock %}" * 55, {}) == "1"


def test_references_of_a_template_that_is_nested_too_deeply() -> None:
    with pytest.raises(TooLarge):
        references("{{ " + "1 + " * 5000 + "a }}")


@pytest.mark.parametrize("expression", ["fromJson(x)", "yaml(x)", "fromIon(x)", "x | jq('.')"])
@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 100_000, '{"a":' * 100_000])
def test_documents_that_are_nested_too_deeply_are_refused(text: str, expression: str) -> None:
    with pytest.raises(TailraceError):
        Renderer().render("{{ " + expression + " }}", {"x": text})


@pytest.mark.parametrize("expression", ["fromJson(x)", "fromIon(x)", "x | number"])
def test_numbers_with_too_many_digits_are_refused(expression: str) -> None:
    with pytest.raises(TailraceError):
        Renderer().render("{{ " + expression + " }}", {"x": "1" * 10_000})
