"""A failed property is found in the flow's text."""

from __future__ import annotations

import pytest

from core.loading import place_of
from core.loading.positions import Place, compose

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



def test_the_text_is_looked_through_once_for_all_that_fails_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    composed: list[str] = []

    def counted(text: str) -> Place:
        composed.append(text)
        return compose(text)

    monkeypatch.setattr("core.loading.placing.compose", counted)
    text = FLOW + "# asked for many times\n"
    for _ in range(100):
        assert place_of(text, "inner", "$.values") == (10, 11)
        assert place_of(text, "group", "$.tasks") == (7, 7)
    assert composed == [text]
