"""What is known to be wrong before anything is evaluated."""

from __future__ import annotations

import pytest

from core.errors import ExpressionError
from core.expressions import Renderer, check


@pytest.mark.parametrize(
    "template",
    [
        "no expression",
        "{{ anything.at.all | upper | default('x') }}",
        "{{ secret('K') }} {{ KV('k') }} {{ now() }} {{ x is defined }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}",
        "{{ own(1, b=2) }}",
    ],
)
def test_what_may_be_right_passes(template: str) -> None:
    check(template, functions=["own"])


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ a", "`{{` is never closed"),
        ("{{ true ? 1 : ('a' | uper) }}", "there is no filter `uper`"),
        ("{% if x is strange %}{% endif %}", "there is no test `strange`"),
        ("{% for x in y %}{{ z(x) }}{% endfor %}", "there is no function `z`"),
        ("{{ [a, {'b': c | chunk}] }}", "`chunk` needs `size`"),
        ("{{ 'a' | slice(1, 2, 3) }}", "`slice` is given 3 arguments"),
        ("{{ now(zone='UTC') }}", "`now` has no argument `zone`"),
        ("{{ a | default }}", "`default` takes one argument"),
        ('{{ "x #{y | nope} z" }}', "there is no filter `nope`"),
    ],
)
def test_what_can_not_be_right_is_told(template: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check(template)
    told = str(caught.value).splitlines()
    assert told[0] == problem
    assert told[2].endswith("^")


def test_a_mistake_in_a_branch_that_is_never_taken_does_no_harm_when_it_is_rendered(renderer: Renderer) -> None:
    assert renderer.render("{{ true ? 1 : ('a' | uper) }}", {}) == "1"
