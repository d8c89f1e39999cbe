"""The table of installed plugins: entry points of one group, cached so that a start reads no package metadata.

Finding entry points costs tens of milliseconds where hundreds of distributions are installed. The cache holds, for
every directory of `sys.path`, what was found there and the directory's state. A directory is read again when its
modification time changed *and* its metadata folders differ, so that files written beside a flow cost nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.model.data import data

_FORMAT = 1
_KEPT = 128
_METADATA = (".dist-info", ".egg-info")


@data
class InstalledPlugin:
    """One entry point: plugin name → `module` or `module:attribute`, and the distribution that declares it."""

    name: str
    module: str
    distribution: str
    version: str


@data
class _Place:
    """One directory of sys.path as it was read: its metadata folders with their times, and the plugins found."""

    changed: int
    metadata: dict[str, int]
    plugins: tuple[InstalledPlugin, ...]


def installed_plugins(cache_file: Path | None, group: str) -> tuple[InstalledPlugin, ...]:
    """Every plugin of the group, in the order of sys.path; of one distribution found twice, the first counts."""
    known = _read(cache_file, group)
    places: dict[str, _Place] = {}
    for path in dict.fromkeys(os.path.abspath(entry) for entry in sys.path):
        place = _look(path, known.get(path), group)
        if place is not None:
            places[path] = place
    if cache_file is not None and any(known.get(path) is not place for path, place in places.items()):
        others = {path: place for path, place in known.items() if path not in places}
        _write(cache_file, group, {**others, **places})
    return _first_of_each_distribution(places.values())


def _look(path: str, known: _Place | None, group: str) -> _Place | None:
    """The state of one directory: the known one when nothing changed; None when there is no such path."""
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        return None
    if known is not None and known.changed == changed:
        return known
    metadata = _metadata_folders(path)
    if known is not None and known.metadata == metadata:
        return _Place(changed, metadata, known.plugins)
    may_hold_some = metadata or not os.path.isdir(path)
    return _Place(changed, metadata, _find(path, group) if may_hold_some else ())


def _metadata_folders(path: str) -> dict[str, int]:
    try:
        with os.scandir(path) as entries:
            return {entry.name: entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(_METADATA)}
    except OSError:
        return {}


def _find(path: str, group: str) -> tuple[InstalledPlugin, ...]:
    from importlib.metadata import distributions  # noqa: PLC0415 - only when the cache misses

    return tuple(
        InstalledPlugin(point.name, point.value, distribution.metadata["Name"], distribution.version)
        for distribution in distributions(path=[path])
        for point in distribution.entry_points
        if point.group == group
    )


def _first_of_each_distribution(places: Iterable[_Place]) -> tuple[InstalledPlugin, ...]:
    found: list[InstalledPlugin] = []
    for place in places:
        seen = {plugin.distribution for plugin in found}
        found.extend(plugin for plugin in place.plugins if plugin.distribution not in seen)
    return tuple(found)


def _read(cache_file: Path | None, group: str) -> dict[str, _Place]:
    """What the cache holds; nothing when there is none, or when it is damaged or of another format."""
    if cache_file is None:
        return {}
    try:
        stored: Any = json.loads(cache_file.read_bytes())
        if stored["format"] != [_FORMAT, group, list(sys.version_info[:2])]:
            return {}
        return {
            path: _Place(changed, metadata, tuple(InstalledPlugin(*plugin) for plugin in plugins))
            for path, (changed, metadata, plugins) in stored["places"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(cache_file: Path, group: str, places: dict[str, _Place]) -> None:
    """Replace the cache as a whole. A home that can't be written only costs the next start its time."""
    kept = dict(list(places.items())[-_KEPT:])
    places_json = {
        path: [place.changed, place.metadata, [list(vars(plugin).values()) for plugin in place.plugins]]
        for path, place in kept.items()
    }
    content = {"format": [_FORMAT, group, list(sys.version_info[:2])], "places": places_json}
    partial = cache_file.with_name(f"{cache_file.name}.{os.getpid()}")
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content), encoding="utf-8")
        partial.replace(cache_file)
    except OSError:
        with suppress(OSError):
            partial.unlink()
