"""What plugins bring, remembered between starts: a start imports none of those that have not changed."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.model.data import data
from core.registry.discovery import InstalledPlugin
from core.sdk.hooks import API_VERSION, CommandRef, RecordStoreRef, StorageRef, TypeRef

_FORMAT = 2
_OWN = "core"


@data
class Brought:
    """The references of one plugin; a class that it brings itself is a reference to that class."""

    types: tuple[TypeRef, ...] = ()
    storages: tuple[StorageRef, ...] = ()
    record_stores: tuple[RecordStoreRef, ...] = ()
    commands: tuple[CommandRef, ...] = ()


class Memory:
    """A file in the home. What it holds of a plugin counts as long as every file that made it is as it was."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Any] = _read(path)
        self._changed = False

    def get(self, plugin: InstalledPlugin) -> Brought | None:
        """What a plugin brought at an earlier start; None when something of it has changed since."""
        try:
            version, files, types, storages, record_stores, commands = self._known[plugin.module]
            if version != plugin.version or any(_state(path) != [size, time] for path, size, time in files):
                return None
            return Brought(
                tuple(TypeRef(target, name, tuple(aliases), *more) for target, name, aliases, *more in types),
                tuple(StorageRef(*ref) for ref in storages),
                tuple(RecordStoreRef(*ref) for ref in record_stores),
                tuple(CommandRef(*ref) for ref in commands),
            )
        except (KeyError, OSError, TypeError, ValueError):
            return None

    def keep(self, plugin: InstalledPlugin, brought: Brought) -> None:
        """Remember what a plugin that was just imported brings; one without files of its own can't be."""
        files = _files(plugin.module)
        if self._path is not None and files:
            self._changed = True
            refs = [[list(vars(ref).values()) for ref in each] for each in vars(brought).values()]
            self._known[plugin.module] = [plugin.version, files, *refs]

    def write(self) -> None:
        """Replace the file when something new is to be remembered. A home that can't be written costs only time."""
        if self._path is None or not self._changed:
            return
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps({"format": _format(), "plugins": self._known}), encoding="utf-8")
            partial.replace(self._path)
        except OSError:
            with suppress(OSError):
                partial.unlink()


def _format() -> list[object]:
    return [_FORMAT, API_VERSION, *sys.version_info[:2]]


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        stored: Any = json.loads(path.read_bytes())
        plugins = stored["plugins"] if stored["format"] == _format() else {}
        return plugins if isinstance(plugins, dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _files(entry: str) -> list[list[Any]]:
    """[path, size, time] of the files that a plugin's answer may come from: all of its package that is imported."""
    module = entry.partition(":")[0].strip()
    package = module.partition(".")[0]
    package = module if package == _OWN else package
    found = []
    for name, loaded in list(sys.modules.items()):
        if name == package or name.startswith(f"{package}."):
            path = getattr(loaded, "__file__", None)
            if path is None or not os.path.isfile(path):
                return []
            found.append([path, *_state(path)])
    return found


def _state(path: str) -> list[int]:
    state = os.stat(path)
    return [state.st_size, state.st_mtime_ns]
