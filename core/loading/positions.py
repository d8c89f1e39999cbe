"""Where things stand in a YAML text: composed only when there is a problem to report."""

from __future__ import annotations

from typing import Any

from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from core.loading.events import NextEvent, from_events
from core.loading.reader import scalar_value
from core.registry.problem import Path

Position = tuple[int, int]
NO_TASKS = ("inputs", "outputs", "triggers", "onResume", "taskRunner", "pluginDefaults", "taskDefaults")
"""Below these nothing is a task, though it may have an id and a type."""


class Place:
    """A value with its position (line and column, from 1). For maps and lists the position is that of the first key.

    content: the places below a map or a list, else the scalar. keys: where the keys of a map stand.
    """

    __slots__ = ("content", "keys", "position")

    def __init__(self, position: Position, content: Any) -> None:
        self.position = position
        self.content = content
        self.keys: dict[str, Position] = {}

    def value(self) -> Any:
        """The plain value, the same as `read` gives it."""
        if isinstance(self.content, dict):
            return {key: place.value() for key, place in self.content.items()}
        if isinstance(self.content, list):
            return [place.value() for place in self.content]
        return self.content


def compose(text: str) -> Place:
    """The places of a text that `read` has accepted."""
    return from_events(text, lambda next_event: _Composer(next_event).document())


def position_of(root: Place, path: Path, *, key: bool) -> Position:
    """Where the value at a path stands (or its key), or the closest thing above it that exists."""
    place = root
    for at, part in enumerate(path):
        content = place.content
        if isinstance(part, str) and isinstance(content, dict) and part in content:
            if key and at == len(path) - 1:
                return place.keys[part]
            place = content[part]
        elif isinstance(part, int) and isinstance(content, list) and part < len(content):
            place = content[part]
        else:
            break
    return place.position


def task_lines(text: str) -> dict[str, int]:
    """The line in which each task of a flow begins, by its id; of a text that `read` has accepted."""
    found: dict[str, int] = {}
    waiting, seen = [compose(text)], set[int]()
    while waiting:
        place = waiting.pop()
        below = () if id(place) in seen else place.content
        seen.add(id(place))  # an alias is the very place of its anchor
        if isinstance(below, dict):
            if below.keys() >= {"id", "type"} and isinstance(below["id"].content, str):
                found.setdefault(below["id"].content, place.position[0])
            waiting += reversed([one for name, one in below.items() if name not in NO_TASKS])
        elif isinstance(below, list):
            waiting += reversed(below)
    return found


class _Composer:
    def __init__(self, next_event: NextEvent) -> None:
        self.next = next_event
        self.anchors: dict[str, Place] = {}

    def document(self) -> Place:
        self.next()
        self.next()
        return self.place(self.next())

    def place(self, event: Any) -> Place:
        if event.__class__ is AliasEvent:
            return self.anchors[event.anchor]
        position = _position(event)
        if event.__class__ is ScalarEvent:
            place = Place(position, scalar_value(event))
        elif event.__class__ is MappingStartEvent:
            place = self.mapping(position)
        else:
            place = self.sequence(position)
        if event.anchor is not None:
            self.anchors[event.anchor] = place
        return place

    def mapping(self, position: Position) -> Place:
        here = Place(position, {})
        merged: list[Place] = []
        while (key := self.next()).__class__ is not MappingEndEvent:
            place = self.place(self.next())
            if key.value == "<<" and key.implicit[0]:
                merged += place.content if isinstance(place.content, list) else [place]
            else:
                here.content[key.value] = place
                here.keys[key.value] = _position(key)
        for source in merged:
            here.content = {**here.content, **{k: v for k, v in source.content.items() if k not in here.content}}
            here.keys = {**source.keys, **here.keys}
        return here

    def sequence(self, position: Position) -> Place:
        here = Place(position, [])
        while (event := self.next()).__class__ is not SequenceEndEvent:
            here.content.append(self.place(event))
        return here


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1
