"""The Renderer: typed values, objects, recursion, functions that are handed in, lazy variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from core.errors import ExpressionError, TooLarge
from core.expressions import Renderer


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{{ n }}", 3),
        ("  {{ n }}", "  3"),
        ("{{ n }}{{ n }}", "33"),
        ("{# comment #}{{ l }}", [1, {"a": None}]),
        ("{{ z }}", None),
        ("{{ n + 0.5 }}", 3.5),
        ("{{ n > 2 }}", True),
        ("{% if true %}{{ n }}{% endif %}", "3"),
    ],
)
def test_a_single_print_keeps_its_type(renderer: Renderer, template: str, expected: object) -> None:
    result = renderer.render_typed(template, {"n": 3, "l": [1, {"a": None}], "z": None})
    assert result == expected
    assert type(result) is type(expected)


def test_objects_are_walked_keys_too(renderer: Renderer) -> None:
    value = {"{{ k }}": "{{ n }}", "key": ["{{ l }}", 1, None, True, ("x", "{{ n }}")], "K": "second"}
    rendered = renderer.render_object(value, {"k": "K", "n": 3, "l": [1]})
    assert rendered == {"K": "3", "key": ["[1]", 1, None, True, ["x", "3"]]}
    assert list(rendered) == ["K", "key"]
    assert renderer.render_object(5, {}) == 5


def test_values_that_hold_expressions_are_printed_as_they_are(render: Callable[..., str]) -> None:
    assert render("{{ a }}", a="{{ b }}") == "{{ b }}"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ render(a) }}", "end"),
        ("{{ renderOnce(a) }}", "{{ c }}"),
        ("{{ render(a, recursive=false) }}", "{{ c }}"),
        ("{{ render(l) }}", '["end",1]'),
        ("{{ render(m) }}", '{"end":"end"}'),
        ("{{ render(5) + 1 }}", "6"),
        ("{% set c = 'set' %}{{ render(a) }}", "set"),
        ("{{ render('{% raw %}{{ c }}{% endraw %}') }}", "{{ c }}"),
    ],
)
def test_render_renders_values_again(render: Callable[..., str], template: str, expected: str) -> None:
    variables = {"a": "{{ b }}", "b": "{{ c }}", "c": "end", "l": ["{{ a }}", 1], "m": {"{{ c }}": "{{ b }}"}}
    assert render(template, **variables) == expected


def test_recursive_rendering_goes_on_until_nothing_changes() -> None:
    renderer = Renderer(recursive=True)
    variables = {"a": "{{ b }}", "b": "{{ c }}", "c": "end", "r": "{% raw %}{{ c }}{% endraw %}"}
    assert renderer.render("{{ a }} {{ r }}", variables) == "end {{ c }}"
    assert renderer.render_typed("{{ a }}", variables) == "end"
    with pytest.raises(ExpressionError, match=r"`render\(\)` does not exist while rendering is recursive"):
        renderer.render("{{ render(a) }}", variables)


def test_a_value_that_prints_itself_is_given_up(renderer: Renderer) -> None:
    with pytest.raises(TooLarge, match="Too many rendering attempts"):
        renderer.render("{{ render(a) }}", {"a": "{{ a }}-"})
    with pytest.raises(TooLarge, match="Too many rendering attempts"):
        Renderer(recursive=True).render("{{ a }}", {"a": "{{ a }}-"})


def test_render_inside_of_render_has_an_end(renderer: Renderer) -> None:
    with pytest.raises(TooLarge, match=r"`render\(\)` calls itself more than 40 times"):
        renderer.render("{{ render(a) }}", {"a": "{{ render(a) }}"})


def _kv(key: str, namespace: str | None = None, errorOnMissing: bool = True) -> str:
    return f"{key} {namespace} {errorOnMissing}"


def _http(uri: str, content_type: str = "json") -> str:
    return f"{uri} {content_type}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("kv('k')", "k None True"),
        ("KV('k', 'ns')", "k ns True"),
        ("kv(key='k', errorOnMissing=false)", "k None False"),
        ("http('u', contentType='text')", "u text"),
        ("shout('a')", "A!"),
        ("max(1)", "mine"),
    ],
)
def test_functions_are_handed_in(expression: str, expected: str) -> None:
    functions: dict[str, Callable[..., str]] = {
        "kv": _kv, "http": _http, "shout": lambda text: text.upper() + "!", "max": lambda *values: "mine",
    }  # fmt: skip
    assert Renderer(functions).render("{{ " + expression + " }}", {}) == expected


def test_a_function_is_told_by_its_arguments_when_they_do_not_fit() -> None:
    with pytest.raises(ExpressionError) as caught:
        Renderer({"kv": _kv}).render("{{ kv() }}", {})
    assert str(caught.value) == (
        "`kv` can't be called with these arguments\n    {{ kv() }}\n       ^\n"
        "  expected: `key`, `namespace`, `errorOnMissing`"
    )


class Lazy(Mapping[str, Any]):
    """Counts what is loaded, and refuses to be walked over."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self.loaded: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.loaded.append(key)
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._values)


def test_lazy_variables_are_loaded_only_when_they_are_read(renderer: Renderer) -> None:
    outputs = Lazy({"a": {"value": 1}, "b": {"value": 2}})
    variables = Lazy({"outputs": outputs, "other": 3})
    assert renderer.render("{{ outputs.a.value }} {{ outputs.zz ?? 'none' }}", variables) == "1 none"
    assert variables.loaded.count("other") == 0
    assert "b" not in outputs.loaded


def test_what_needs_a_clock_or_chance_says_so_without_one() -> None:
    with pytest.raises(ExpressionError, match="the current time is not available here"):
        Renderer().render("{{ now() }}", {})
    with pytest.raises(ExpressionError, match="random values are not available here"):
        Renderer().render("{{ id() }}", {})
