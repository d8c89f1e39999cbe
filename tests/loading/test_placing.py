"""A failed property is found in the flow's text."""

from __future__ import annotations

import pytest

from core.loading import place_of

FLOW = """\
id: f
namespace: n
tasks:
  - id: group
    type: flow.Sequential
    tasks:
      - id: inner
        type: output.OutputValues
        values:
          plain: x
          list: [a, "{{ b }}"]
"""


@pytest.mark.parametrize(
    ("task", "path", "place"),
    [
        ("inner", "$.values", (10, 11)),
        ("inner", "$.values.plain", (10, 18)),
        ("inner", "$.values.list[1]", (11, 21)),
        ("inner", "$.values.gone", (10, 11)),
        ("group", "$.tasks", (7, 7)),
        ("nobody", "$.values", None),
    ],
)
def test_where_a_property_of_a_task_stands(task: str, path: str, place: tuple[int, int] | None) -> None:
    assert place_of(FLOW, task, path) == place

