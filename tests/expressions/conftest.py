"""A renderer with a clock that stands still, and what tests of expressions share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import ExpressionError
from core.expressions import Renderer

NOON = datetime(2024, 2, 29, 12, 0, 5, 678901, tzinfo=UTC)


@pytest.fixture
def renderer() -> Renderer:
    return Renderer(clock=lambda: NOON, entropy=lambda size: bytes(range(size)))


@pytest.fixture
def render(renderer: Renderer) -> Callable[..., str]:
    """`render(template, name=value, …)`"""
    return lambda template, **variables: renderer.render(template, variables)


@pytest.fixture
def message(renderer: Renderer) -> Callable[..., str]:
    """The whole message of a template that fails."""

    def of(template: str, **variables: Any) -> str:
        with pytest.raises(ExpressionError) as caught:
            renderer.render(template, variables)
        return str(caught.value)

    return of
