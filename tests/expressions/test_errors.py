"""Messages: what is wrong, the line with a caret, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.errors import ExpressionError, NotFound
from core.expressions import Renderer

VARIABLES: dict[str, Any] = {
    "inputs": {"name": "Ann", "city": "Rome", "nothing": None},
    "outputs": {"my-task": {"a": [1]}},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "Hello {{ inputs.nam }}",
            """`inputs.nam` is undefined
    Hello {{ inputs.nam }}
             ^
  expected: one of inputs.name, inputs.city, inputs.nothing
  to do: did you mean `inputs.name`? Or give a fallback: {{ inputs.nam ?? '…' }}""",
        ),
        (
            "one\n\ttwo {{ 1 + input }}\nthree",
            """`input` is undefined
   2 |  two {{ 1 + input }}
                   ^
  expected: one of inputs, outputs
  to do: did you mean `inputs`? Or give a fallback: {{ input ?? '…' }}""",
        ),
        (
            "{{ outputs.my-task.a }}",
            """`outputs.my` is undefined
    {{ outputs.my-task.a }}
       ^
  expected: outputs['my-task']
  to do: a name with a dash is written outputs['my-task']""",
        ),
        (
            "{{ outputs['my-task'].a[3] }}",
            """`outputs['my-task'].a[3]` is undefined
    {{ outputs['my-task'].a[3] }}
       ^
  expected: an index from 0 to 0
  to do: correct the name, or give a fallback: {{ outputs['my-task'].a[3] ?? '…' }}""",
        ),
        (
            "{{ inputs.nothing.more }}",
            """`inputs.nothing.more` is undefined
    {{ inputs.nothing.more }}
       ^
  expected: something that has `more`, but `inputs.nothing` is null
  to do: correct the name, or give a fallback: {{ inputs.nothing.more ?? '…' }}""",
        ),
        (
            "{{ inputs.name | uper }}",
            """there is no filter `uper`
    {{ inputs.name | uper }}
                     ^
  expected: one of upper, number, abbreviate, abs, base64decode, base64encode, …
  to do: did you mean `upper`?""",
        ),
        (
            "{{ inputs.name | chunk(2) }}",
            """`items` of `chunk` is a text
    {{ inputs.name | chunk(2) }}
                     ^
  expected: a list""",
        ),
        (
            "{{ [1] | chunk }}",
            """`chunk` needs `size`
    {{ [1] | chunk }}
             ^
  expected: a whole number""",
        ),
        (
            "{{ 'abc' | slice(1, 2, 3) }}",
            """`slice` is given 3 arguments
    {{ 'abc' | slice(1, 2, 3) }}
               ^
  expected: `fromIndex`, `toIndex`""",
        ),
        (
            "{{ inputs['name' }}",
            """`[` is never closed
    {{ inputs['name' }}
             ^
  expected: `]`""",
        ),
        (
            "{{ 1 if true else 2 }}",
            """`if` is not expected here
    {{ 1 if true else 2 }}
         ^
  expected: `}}` or an operator
  to do: a choice is written `condition ? this : that`""",
        ),
        (
            "{{ secret('KEY') }}",
            """`secret()` is not available here
    {{ secret('KEY') }}
       ^
  to do: it works in the properties of tasks of a running flow""",
        ),
        (
            "{% if inputs %}{% endif %}",
            """the condition of `if` is a map
    {% if inputs %}{% endif %}
       ^
  expected: a boolean, a number or a text
  to do: compare it: `x is not empty`, `x is defined`, `x == …`""",
        ),
        (
            "{% for x in inputs.list %}",
            """`for` is never closed
    {% for x in inputs.list %}
       ^
  expected: `{% else %}` or `{% endfor %}`""",
        ),
    ],
)
def test_whole_messages(message: Callable[..., str], template: str, expected: str) -> None:
    assert message(template, **VARIABLES) == expected


def test_a_long_line_is_cut_around_the_place(message: Callable[..., str]) -> None:
    told = message("a" * 300 + "{{ nope }}" + "b" * 300).splitlines()
    assert told[1] == "    …" + "a" * 47 + "{{ nope }}" + "b" * 53
    assert told[2] == " " * told[1].index("nope") + "^"


def test_the_missing_path_is_told_apart(renderer: Renderer) -> None:
    with pytest.raises(ExpressionError) as caught:
        renderer.render("{{ a.b.c }}", {"a": {}})
    assert caught.value.undefined == "a.b"


def test_many_names_are_counted(message: Callable[..., str]) -> None:
    told = message("{{ m.key77x }}", m={f"key{number}": 1 for number in range(100)})
    assert told.splitlines()[3].startswith("  expected: one of m.key77, ")
    assert told.splitlines()[3].endswith(", … (100 in all)")


def test_an_error_inside_of_render_shows_the_inner_template(message: Callable[..., str]) -> None:
    assert message("before {{ render(t) }}", t="in {{ nope }}").splitlines()[1] == "    in {{ nope }}"


def test_errors_of_functions_and_lazy_values_pass_as_they_are() -> None:
    def secret(key: str) -> str:
        raise NotFound(f"there is no secret `{key}`")

    renderer = Renderer({"secret": secret})
    with pytest.raises(NotFound, match="there is no secret `K`"):
        renderer.render("{{ secret('K') ?? 'x' }}", {})
