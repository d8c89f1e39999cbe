"""The functions that an attempt hands to expressions: made when one of them is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.expressions import Renderer
from core.work.functions import WhenCalled


def test_functions_are_made_once_and_only_when_an_expression_calls_one() -> None:
    made: list[dict[str, Callable[..., Any]]] = []

    def make() -> dict[str, Callable[..., Any]]:
        made.append({"secret": lambda key: f"the {key}"})
        return made[-1]

    renderer = Renderer(functions=WhenCalled(make))
    assert (renderer.render("{{ x | upper }}", {"x": "a"}), made) == ("A", [])
    assert renderer.render("{{ secret('a') }}, {{ secret('b') }}", {}) == "the a, the b"
    assert len(made) == 1
