"""From installed plugins and a folder of local ones to a registry. A broken plugin is recorded, never fatal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from core.errors import PluginError
from core.model.data import evolve
from core.registry.brought import Brought, Memory
from core.registry.discovery import InstalledPlugin, installed_plugins
from core.registry.entries import PluginInfo, TypeEntry
from core.registry.known import OWN_COMMANDS
from core.registry.local import local_modules
from core.registry.registry import Registry, reason
from core.sdk.hooks import CommandRef, RecordStoreRef, StorageRef, TypeRef

GROUP = "tailrace.plugins"
_HOST_MODULE = "core.builtin"
Ref = TypeVar("Ref", StorageRef, RecordStoreRef, CommandRef)


def load_registry(cache_file: Path | None, plugins_dir: Path | None = None, group: str = GROUP) -> Registry:
    """Find, import and register every plugin of an entry-point group, then the files of a folder.

    cache_file: where the table of entry points is kept (None: not kept). plugins_dir: a folder whose Python files
    and packages are plugins without packaging; raises NotFound when it does not exist.
    """
    loader, memory = _Loader(), Memory(cache_file and cache_file.with_name("brought.json"))
    installed = installed_plugins(cache_file, group)
    for plugin in sorted(installed, key=lambda found: (found.module != _HOST_MODULE, found.name, found.distribution)):
        loader.add(plugin, partial(_brought, plugin, memory))
    memory.write()
    if plugins_dir is not None:
        for name, module_name, load in local_modules(plugins_dir):
            loader.add(InstalledPlugin(name, module_name, "", ""), partial(_asked, load))
    return loader.registry()


def _brought(plugin: InstalledPlugin, memory: Memory) -> Brought:
    """What an installed plugin brings: remembered from an earlier start, or asked of its module."""
    known = memory.get(plugin)
    if known is None:
        known = _asked(partial(_entry_point, plugin.module))
        memory.keep(plugin, known)
    return known


def _asked(load: Callable[[], Any]) -> Brought:
    from core.registry.asking import ask  # noqa: PLC0415 - pluggy is for plugins that nothing is remembered of

    return ask(load())


def _entry_point(value: str) -> Any:
    """The module of an entry point, or the object it names behind a colon."""
    module_name, _, path = value.partition(":")
    found: Any = import_module(module_name.strip())
    for part in path.partition("[")[0].strip().split(".") if path else ():
        found = getattr(found, part)
    return found


class _Loader:
    """Collects what plugins bring. References that replace another come last, whatever the order of plugins."""

    def __init__(self) -> None:
        self.plugins: dict[str, PluginInfo] = {}
        self.types: dict[str, TypeEntry] = {}
        self.storages: dict[str, tuple[str, StorageRef]] = {}
        self.record_stores: dict[str, tuple[str, RecordStoreRef]] = {}
        self.commands: dict[str, tuple[str, CommandRef]] = {}
        self.replacing: list[tuple[str, TypeRef]] = []
        self.replaced: set[str] = set()

    def add(self, plugin: InstalledPlugin, load: Callable[[], Brought]) -> None:
        """Take what one plugin brings; the reason is recorded where that fails."""
        name = plugin.name
        if name in self.plugins:
            name = f"{name} ({plugin.distribution or plugin.module})"
        self.plugins[name] = PluginInfo(name, plugin.distribution, plugin.version, plugin.module)
        try:
            self._take(name, load())
        except PluginError as error:
            self._refuse(name, error.what)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's code may raise anything
            self._refuse(name, reason(error))

    def registry(self) -> Registry:
        """The finished registry."""
        for plugin, ref in self.replacing:
            self._replace(plugin, ref)
        for entry in {entry.name: entry for entry in self.types.values()}.values():
            self._brings(entry.plugin, entry.name)
        for name, (plugin, _) in (*self.storages.items(), *self.commands.items()):
            self._brings(plugin, name)
        for scheme, (plugin, _) in self.record_stores.items():
            self._brings(plugin, f"{scheme}://")
        return Registry(
            self.types, _refs(self.storages), self.plugins.values(), _refs(self.record_stores), _refs(self.commands)
        )

    def _take(self, plugin: str, brought: Brought) -> None:
        for ref in brought.types:
            if ref.replaces:
                self.replacing.append((plugin, ref))
            else:
                self._put(plugin, ref)
        for storage in brought.storages:
            self._take_once(plugin, self.storages, storage.name, storage, "storage backend")
        for store in brought.record_stores:
            self._take_once(plugin, self.record_stores, store.scheme, store, "record store")
        for command in brought.commands:
            if command.word in OWN_COMMANDS:
                self._refuse(plugin, f"the command `{command.word}` is the engine's own")
            else:
                self._take_once(plugin, self.commands, command.word, command, "command")

    def _take_once(self, plugin: str, known: dict[str, tuple[str, Ref]], name: str, ref: Ref, kind: str) -> None:
        if name in known:
            self._refuse(plugin, f"the {kind} `{name}` is brought by `{known[name][0]}` already")
        else:
            known[name] = (plugin, ref)

    def _put(self, plugin: str, ref: TypeRef, instead_of: TypeEntry | None = None) -> None:
        words = (ref.name, *ref.aliases)
        for word in words:
            taken = self.types.get(word, instead_of)
            if taken is not None and taken is not instead_of:
                self._refuse(plugin, f"the type `{word}` is brought by `{taken.plugin}` already")
                return
        entry = TypeEntry(ref.name, ref.aliases, ref.title, ref.kind, plugin, ref.target)
        self.types.update(dict.fromkeys(words, entry))

    def _replace(self, plugin: str, ref: TypeRef) -> None:
        """Put a type in the place of another: all the other's names lead to it from now on."""
        old = self.types.get(ref.replaces)
        if old is None:
            self._put(plugin, ref)
        elif old.name in self.replaced:
            self._refuse(plugin, f"the type `{ref.replaces}` is replaced by `{old.plugin}` already")
        else:
            inherited = tuple(word for word in (old.name, *old.aliases) if word not in (ref.name, *ref.aliases))
            self._put(plugin, evolve(ref, aliases=(*ref.aliases, *inherited)), instead_of=old)
            self.replaced.add(ref.name)

    def _refuse(self, plugin: str, why: str) -> None:
        info = self.plugins[plugin]
        self.plugins[plugin] = evolve(info, error=f"{info.error}; {why}" if info.error else why)

    def _brings(self, plugin: str, name: str) -> None:
        info = self.plugins[plugin]
        self.plugins[plugin] = evolve(info, brings=(*info.brings, name))


def _refs(known: dict[str, tuple[str, Ref]]) -> dict[str, Ref]:
    """The references without who brings them."""
    return {name: ref for name, (_, ref) in known.items()}
