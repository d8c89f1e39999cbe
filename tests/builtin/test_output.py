from __future__ import annotations

from typing import Any

from core.builtin.output import OutputValues
from core.sdk import to_plain


def test_output_values_gives_its_values_with_their_types(ctx: Any) -> None:
    values = {"count": 3, "share": 0.5, "done": True, "nothing": None, "list": ["a", {"b": 1}]}

    output = OutputValues(values=values).run(ctx)

    assert to_plain(output) == {"values": values}


def test_output_values_without_values_gives_an_empty_map(ctx: Any) -> None:
    assert to_plain(OutputValues().run(ctx)) == {"values": {}}
