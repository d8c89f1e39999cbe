from __future__ import annotations

import pytest

from core.model.truth import truthy


@pytest.mark.parametrize("text", ["", "0", "-0", "false", None])
def test_these_are_false(text: str | None) -> None:
    assert not truthy(text)


@pytest.mark.parametrize("text", ["true", "1", "False", "FALSE", " false", "null", "0.0", " "])
def test_every_other_text_is_true(text: str) -> None:
    assert truthy(text)
