"""From installed plugins and a folder of local ones to a registry. A broken plugin is recorded, never fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pluggy

from core.errors import PluginError
from core.model.data import evolve
from core.registry.discovery import InstalledPlugin, installed_plugins
from core.registry.entries import PluginInfo, TypeEntry
from core.registry.local import local_modules
from core.registry.registry import Registry, reason
from core.sdk import hooks
from core.sdk.hooks import API_VERSION, StorageRef, TypeRef
from core.sdk.properties import PluginType

GROUP = "tailrace.plugins"
_HOST_MODULE = "core.builtin"


def load_registry(cache_file: Path | None, plugins_dir: Path | None = None, group: str = GROUP) -> Registry:
    """Find, import and register every plugin of an entry-point group, then the files of a folder.

    cache_file: where the table of entry points is kept (None: not kept). plugins_dir: a folder whose Python files
    and packages are plugins without packaging; raises NotFound when it does not exist.
    """
    loader = _Loader()
    installed = installed_plugins(cache_file, group)
    for plugin in sorted(installed, key=lambda found: (found.module != _HOST_MODULE, found.name, found.distribution)):
        loader.add(plugin, partial(_entry_point, plugin.module))
    if plugins_dir is not None:
        for name, module_name, load in local_modules(plugins_dir):
            loader.add(InstalledPlugin(name, module_name, "", ""), load)
    return loader.registry()


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
        self.manager = pluggy.PluginManager(hooks.PROJECT)
        self.manager.add_hookspecs(hooks)
        self.plugins: dict[str, PluginInfo] = {}
        self.types: dict[str, TypeEntry] = {}
        self.storages: dict[str, tuple[str, StorageRef]] = {}
        self.replacing: list[tuple[str, TypeRef]] = []
        self.replaced: set[str] = set()

    def add(self, plugin: InstalledPlugin, load: Callable[[], Any]) -> None:
        """Import one plugin and take what it brings; the reason is recorded where that fails."""
        name = plugin.name
        if name in self.plugins:
            name = f"{name} ({plugin.distribution or plugin.module})"
        self.plugins[name] = PluginInfo(name, plugin.distribution, plugin.version, plugin.module)
        try:
            self._register(name, load())
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
        for name, (plugin, _) in self.storages.items():
            self._brings(plugin, name)
        storages = {name: ref for name, (_, ref) in self.storages.items()}
        return Registry(self.manager, self.types, storages, self.plugins.values())

    def _register(self, name: str, module: Any) -> None:
        _check_api(module)
        self.manager.register(module, name=name)
        callers = self.manager.get_hookcallers(module) or []
        unknown = [caller.name for caller in callers if not caller.has_spec()]
        if unknown:
            self.manager.unregister(module)
            raise PluginError(f"it implements the hook `{unknown[0]}`, which does not exist")
        if not callers:
            self._take_types(name, _classes_of(module))
        for caller in callers:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is module:
                    self._take(name, caller.name, implementation.function)

    def _take(self, plugin: str, hook: str, ask: Callable[[], Any]) -> None:
        """What one implementation of one hook brings; hooks that are asked later are left alone."""
        if hook == "task_types":
            self._take_types(plugin, ask() or ())
        elif hook == "task_runners":
            self._take_types(plugin, ask() or (), runners=True)
        elif hook == "triggers":
            self._take_types(plugin, ask() or ())
        elif hook == "storage_backends":
            self._take_storages(plugin, ask() or ())

    def _take_types(self, plugin: str, brought: Iterable[TypeRef | type[PluginType]], *, runners: bool = False) -> None:
        for item in brought:
            ref = item if isinstance(item, TypeRef) else _ref_of(item)
            if runners:
                ref = evolve(ref, kind="runner")
            if ref.replaces:
                self.replacing.append((plugin, ref))
            else:
                self._put(plugin, ref)

    def _take_storages(self, plugin: str, brought: Iterable[StorageRef]) -> None:
        for ref in brought:
            if ref.name in self.storages:
                other, _ = self.storages[ref.name]
                self._refuse(plugin, f"the storage backend `{ref.name}` is brought by `{other}` already")
            else:
                self.storages[ref.name] = (plugin, ref)

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


def _check_api(module: Any) -> None:
    """Refuse a plugin written for another version of the plugin API.

    A module says `API_VERSION = n` (that one or any newer) or `requires_api = (oldest, newest)`, or nothing.
    """
    match getattr(module, "requires_api", (getattr(module, "API_VERSION", API_VERSION), API_VERSION)):
        case (int() as oldest, int() as newest):
            if oldest > API_VERSION:
                raise PluginError(f"it needs plugin API {oldest} and the engine has {API_VERSION}: upgrade the engine")
            if newest < API_VERSION:
                raise PluginError(f"it needs plugin API {newest} and the engine has {API_VERSION}: upgrade the plugin")
        case _:
            raise PluginError("its `requires_api` is not a pair of numbers, or its `API_VERSION` not a number")


def _classes_of(module: Any) -> list[type[PluginType]]:
    """The types defined in a module that has no hooks, or below it when it is a package."""
    own = module.__name__
    return [
        item
        for item in dict.fromkeys(item for item in vars(module).values() if isinstance(item, type))
        if issubclass(item, PluginType) and item.type and f"{item.__module__}.".startswith(f"{own}.")
    ]


def _ref_of(cls: type[PluginType]) -> TypeRef:
    """The reference to a class. Raises PluginError for what is not a class of a type with a name."""
    if not (isinstance(cls, type) and issubclass(cls, PluginType) and cls.type):
        raise PluginError(f"it brings {cls!r}, which is neither a type with a name nor a TypeRef")
    title = (cls.__doc__ or "").strip().partition("\n")[0]
    return TypeRef(f"{cls.__module__}:{cls.__qualname__}", cls.type, cls.aliases, title, cls.plugin_kind)
