"""`{% … %}`: choices, loops, variables, macros, filters, blocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

VARIABLES = {"l": ["a", "b", "c"], "m": {"k": 1, "z": None}, "n": 3, "s": "text", "none": None, "outer": "root"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{% if n > 2 %}yes{% else %}no{% endif %}", "yes"),
        ("{% if n > 5 %}a{% elseif n > 2 %}b{% else %}c{% endif %}", "b"),
        ("{% if false %}a{% endif %}", ""),
        ("{% if true %}{% if false %}a{% else %}b{% endif %}{% endif %}", "b"),
        (" {%- if true -%} x {%- endif -%} ", "x"),
        ("{% for x in l %}{{ loop.index }}{{ x }}{{ loop.revindex }}{% endfor %}", "0a21b12c0"),
        ("{% for x in l %}{{ x }}{{ loop.last ? '' : ',' }}{% endfor %}", "a,b,c"),
        ("{% for x in l %}{{ loop.first }}/{{ loop.length }} {% endfor %}", "true/3 false/3 false/3 "),
        ("{% for e in m %}{{ e.key }}={{ e.value }};{% endfor %}", "k=1;z=;"),
        ("{% for x in [] %}a{% else %}none{% endfor %}", "none"),
        ("{% for x in null %}a{% else %}none{% endfor %}", ""),
        ("{% for i in 1..3 %}{% for j in 0..1 %}{{ i }}{{ j }} {% endfor %}{% endfor %}", "10 11 20 21 30 31 "),
        ("{% for x in l %}{{ x }}{% endfor %}{{ x ?? '-' }}{{ loop ?? '-' }}", "abc--"),
        ("{% set a = n + 1 %}{{ a }}", "4"),
        ("{% set sum = 0 %}{% for i in 1..3 %}{% set sum = sum + i %}{% endfor %}{{ sum }}", "6"),
        ("{% for i in 1..2 %}{% set outer = i %}{% endfor %}{{ outer }}", "2"),
        ("{% for i in 1..2 %}{{ t ?? 'new' }}{% set t = i %}{% endfor %}{{ t ?? 'gone' }}", "new1gone"),
        ("{% if true %}{% set a = 1 %}{% endif %}{{ a }}", "1"),
        ("{{ hi('x') }}{% macro hi(a, b='d') %}{{ a }}{{ b }}{{ n ?? '?' }}{% endmacro %}", "xd?"),
        ("{% macro hi(a, b) %}[{{ a }}{{ b }}]{% endmacro %}{{ hi(b=2) }}{{ hi(1) }}", "[2][1]"),
        ("{% macro f(i) %}{% if i > 0 %}{{ i }}{{ f(i - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "321"),
        ("{% macro show(v) %}{{ v }}{% endmacro %}{{ show([1, 'a', null]) }}{{ show({'a': 1}) }}", "[1, a, null]{a=1}"),
        ("{% macro f() %}{{ nope }}{% endmacro %}{{ f() ?? 'caught' }}{{ n }}", "caught3"),
        ("{% filter upper %}a{{ l }}{% endfilter %}", "A[A, B, C]"),
        ("{% filter replace({'a': 'b'}) | upper %}a{% filter lower %}A{% endfilter %}{% endfilter %}", "BB"),
        ("{% block x %}{{ [n] }}{% endblock %}|{{ block('x') }}|{{ block('none') }}", "[3]|[3]|"),
        ("{% verbatim %}{{ n }}{% if %}{% endverbatim %}", "{{ n }}{% if %}"),
        ("{% for x in l %}{% raw %}{{ x }}{% endraw %}{% endfor %}", "{{ x }}{{ x }}{{ x }}"),
        ("{% set a = 'set' %}{{ render('{{ a }}{{ n }}') }}", "set3"),
    ],
)  # fmt: skip
def test_statements(render: Callable[..., str], template: str, expected: str) -> None:
    assert render(template, **VARIABLES) == expected


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{% if none %}{% endif %}", "the condition of `if` is null"),
        ("{% for x in s %}{% endfor %}", "`for` can't walk over a text"),
        ("{% for x in n %}{% endfor %}", "`for` can't walk over a whole number"),
        ("{% for x in nope %}{% endfor %}", "`nope` is undefined"),
        ("{% for x of l %}{% endfor %}", "`of` is not expected here"),
        ("{% include 'x' %}", "the tag `include` does not exist in this language"),
        ("{% wrong %}", "the tag `wrong` is not expected here"),
        ("{% endif %}", "the tag `endif` is not expected here"),
        ("{% if n %}{% else %}{% else %}{% endif %}", "the tag `else` is not expected here"),
        ("{% %}", "a tag has no name"),
        ("{% set a %}", "the expression ends too early"),
        ("{% macro a() %}{% endmacro %}{% macro a() %}{% endmacro %}", "there are two macros `a`"),
        ("{% macro a(b) %}{% endmacro %}{{ a(1, 2) }}", "the macro `a` takes 1 arguments"),
        ("{% macro a(b) %}{% endmacro %}{{ a(c=2) }}", "the macro `a` has no argument `c`"),
        ("{% macro a() %}{{ n }}{% endmacro %}{{ a() }}", "`n` is undefined"),
        ("{# open", "`{#` is never closed"),
        ("{% if n", "`{%` is never closed"),
        ("{% raw %}{{ n }}", "`raw` is never closed"),
        ("{% endraw %}", "the tag `endraw` is not expected here"),
        ("{% verbatim %}{{ n }}", "`verbatim` is never closed"),
    ],
)
def test_statements_that_fail(message: Callable[..., str], template: str, problem: str) -> None:
    assert message(template, **VARIABLES).splitlines()[0] == problem
