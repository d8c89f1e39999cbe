from __future__ import annotations

import pytest

from core.loading.positions import Position, compose, position_of, task_lines
from core.registry.problem import Path

TEXT = """\
id: x
tasks:
  - id: a
    name: &n named
    same: *n
    flow: {é: 1, list: [1, 22]}
    <<: {merged: 1}
  - id: b
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("id",), (1, 5), (1, 1)),
        (("tasks",), (3, 3), (2, 1)),
        (("tasks", 1), (8, 5), (8, 5)),
        (("tasks", 1, "id"), (8, 9), (8, 5)),
        (("tasks", 0, "same"), (4, 11), (5, 5)),
        (("tasks", 0, "flow", "list", 1), (6, 28), (6, 28)),
        (("tasks", 0, "merged"), (7, 18), (7, 10)),
    ],
)
def test_values_and_keys_have_their_place(path: Path, value: Position, key: Position) -> None:
    root = compose(TEXT)

    assert position_of(root, path, key=False) == value
    assert position_of(root, path, key=True) == key


@pytest.mark.parametrize(
    ("path", "position"),
    [
        (("missing",), (1, 1)),
        (("tasks", 0, "missing"), (3, 5)),
        (("tasks", 5), (3, 3)),
        (("tasks", 5, "id"), (3, 3)),
        (("id", "deeper"), (1, 5)),
        (("tasks", 0, "flow", "missing", "too"), (6, 11)),
    ],
)
def test_what_is_missing_has_the_place_of_what_it_is_missing_in(path: Path, position: Position) -> None:
    assert position_of(compose(TEXT), path, key=True) == position


def test_each_task_has_its_line_and_nothing_else_has_one() -> None:
    text = """\
id: flow
namespace: x
inputs:
  - {id: a, type: STRING}
tasks:
  - type: flow.Parallel
    id: group
    tasks:
      - id: a
        type: debug.Return
        taskRunner: {id: no, type: runner.Process}
      - {type: flow.Pause, id: b, onResume: [{id: c, type: INT}]}
  - id: dag
    type: flow.Dag
    tasks:
      - task: {id: c, type: log.Log}
        dependsOn: []
errors: &errors
  - {id: d, type: log.Log}
finally: *errors
outputs:
  - {id: e, type: STRING, value: x}
triggers:
  - {id: f, type: trigger.Schedule}
"""
    assert task_lines(text) == {"group": 6, "a": 9, "b": 12, "dag": 13, "c": 16, "d": 19}
