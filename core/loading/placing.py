"""Where in a flow's text the property of a task stands: asked when an expression of it has failed."""

from __future__ import annotations

import re
from functools import lru_cache

from core.loading.positions import Place, Position, compose, position_of
from core.registry.problem import Path

_PART = r"\.([^.\[\]]+)|\[(\d+)\]"


@lru_cache(maxsize=64)
def place_of(source: str, task_id: str, path: str) -> Position | None:
    """Line and column (from 1) of `$.path` in a task, or of what is closest to it; None when the task is not there.

    source: the text of a flow that was loaded. What fails in a loop asks again and again, so both answers and places of
    the last flow are kept.
    """
    task = _task(_composed(source), task_id)
    return position_of(task, path_of(path), key=False) if task is not None else None


@lru_cache(maxsize=1)
def _composed(source: str) -> Place:
    return compose(source)


def _task(place: Place, task_id: str) -> Place | None:
    stack = [place]
    while stack:
        place = stack.pop()
        content = place.content
        if isinstance(content, dict):
            if "type" in content and "id" in content and content["id"].content == task_id:
                return place
            stack.extend(content.values())
        elif isinstance(content, list):
            stack.extend(content)
    return None


def path_of(text: str) -> Path:
    """The path that `$.tasks[2].format` writes; no path for a text that writes none."""
    return tuple(int(position) if position else name for name, position in re.findall(_PART, text))
