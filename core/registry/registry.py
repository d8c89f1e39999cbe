"""The registry: name or alias → type, imported only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import NotFound, PluginError
from core.host.records import RecordStore
from core.model.near import did_you_mean, near_misses
from core.registry.entries import PluginInfo, TypeEntry, TypeKind
from core.registry.known import Origin, command_origin, origin_of, package_of, record_store_origin, storage_origin
from core.sdk.hooks import CommandRef, RecordStoreRef, StorageRef
from core.sdk.properties import PluginType
from core.sdk.storage import StorageBackend

StorageFactory = Callable[[Path, bool], StorageBackend]
RecordStoreFactory = Callable[[str, int], RecordStore]


class Registry:
    """Which plugins and types exist. Made by `load_registry`; does not change afterwards."""

    def __init__(
        self,
        types: Mapping[str, TypeEntry],
        storages: Mapping[str, StorageRef],
        plugins: Iterable[PluginInfo],
        record_stores: Mapping[str, RecordStoreRef] | None = None,
        commands: Mapping[str, CommandRef] | None = None,
    ) -> None:
        """types: every name and every alias → its entry. The others: name, scheme or first word → reference."""
        self._types = dict(types)
        self._storages = dict(storages)
        self._plugins = tuple(plugins)
        self._record_stores = dict(record_stores or {})
        self._commands = dict(commands or {})
        self._classes: dict[str, type[PluginType]] = {}

    def find(self, name: str) -> TypeEntry | None:
        """The entry behind a name or an alias; nothing is imported."""
        return self._types.get(name)

    def resolve(self, name: str, kind: TypeKind | None = None) -> type[PluginType]:
        """The class behind a name or an alias, imported on first use.

        Raises NotFound (with what was probably meant, and the distribution that brings a type of the reference) and
        PluginError when the plugin's module can't be imported. kind: what is asked for; only such types are meant
        then, but one of another kind is found as well.
        """
        found = self._classes.get(name)
        if found is None:
            entry = self._types.get(name)
            if entry is None:
                raise self._unknown(name, kind)
            found = self._classes[name] = self._imported(entry)
        return found

    def including(self, *classes: type[PluginType]) -> Registry:
        """This registry and classes that no plugin brings (yet), under their names and aliases, before all others.

        A class that a plugin brings already stays as it is. Raises PluginError for a class without a name.
        """
        own = [_local_entry(cls) for cls in classes]
        added = {entry: cls for entry, cls in zip(own, classes, strict=True) if not self._brings(entry)}
        infos = [PluginInfo(entry.plugin, "", "", entry.plugin, (entry.name,)) for entry in added]
        known = {word: entry for entry in added for word in (entry.name, *entry.aliases)}
        plugins = [*infos, *self._plugins]
        found = Registry({**self._types, **known}, self._storages, plugins, self._record_stores, self._commands)
        found._classes = {word: added[entry] for word, entry in known.items()}
        return found

    def _brings(self, entry: TypeEntry) -> bool:
        known = self._types.get(entry.name)
        return known is not None and known.target == entry.target

    def suggest(self, name: str, kind: TypeKind | None = None) -> tuple[str, ...]:
        """Names or aliases most like `name`, best first; one word for each type, in the spelling most like it.

        Only such whose package is like that of `name` too: a Query of another database is not what was meant.
        kind: of the types that are meant; all when it is not given.
        """
        words: dict[str, str] = {}
        meant = [word for word, entry in self._types.items() if kind is None or entry.kind == kind]
        asked = package_of(name)
        near = {package for package in set(map(package_of, meant)) if _is_near(asked, package)}
        for word in near_misses(name, [word for word in meant if package_of(word) in near], limit=24):
            words.setdefault(self._types[word].name, word)
        return tuple(words.values())[:3]

    def entries(self, kind: TypeKind | None = None) -> tuple[TypeEntry, ...]:
        """Every type, or those of one kind, by name."""
        unique = {entry.name: entry for entry in self._types.values() if kind is None or entry.kind == kind}
        return tuple(unique[name] for name in sorted(unique))

    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every plugin, those that failed to load included."""
        return self._plugins

    def storage_backend(self, name: str) -> StorageFactory:
        """The factory of a storage backend, called with (root directory, durable). Raises NotFound, PluginError."""
        ref = self._storages.get(name)
        if ref is None:
            near = near_misses(name, self._storages)
            raise NotFound(
                f"there is no storage backend `{name}`",
                expected=" or ".join(sorted(self._storages)),
                hint=self._advice(storage_origin(name)) or did_you_mean(near) or "install the plugin that brings it",
            )
        factory: StorageFactory = load_target(ref.target, f"storage backend `{name}`")
        return factory

    def record_store(self, url: str) -> RecordStoreFactory:
        """The factory of the record store of a URL, called with (URL, now). Raises NotFound, PluginError.

        A URL may hold a password: messages name its scheme only.
        """
        scheme = url.partition("://")[0]
        ref = self._record_stores.get(scheme)
        if ref is None:
            raise NotFound(
                f"there is no record store for `{scheme}://`",
                where="setting records",
                hint=self._advice(record_store_origin(scheme)) or "install the plugin that brings it",
            )
        factory: RecordStoreFactory = load_target(ref.target, f"record store `{scheme}://`")
        return factory

    def commands(self) -> tuple[CommandRef, ...]:
        """The commands that plugins bring, by their first words."""
        return tuple(self._commands[word] for word in sorted(self._commands))

    def command_advice(self, word: str) -> str:
        """What to do for a command that is not there, "" when nothing is known about it."""
        return self._advice(command_origin(word))

    def _advice(self, origin: Origin) -> str:
        """How to get what a distribution brings; for one that is installed, where to look what is wrong with it."""
        broken = [f"`{one.name}`" for one in self._plugins if one.error and one.distribution == origin.distribution]
        if origin.distribution and broken:
            return f"`plugins list` says what is wrong with {' and '.join(broken)}"
        return origin.advice

    def _imported(self, entry: TypeEntry) -> type[PluginType]:
        found = load_target(entry.target, f"type `{entry.name}` of the plugin `{entry.plugin}`")
        if not (isinstance(found, type) and issubclass(found, PluginType)):
            raise PluginError(f"the plugin `{entry.plugin}` says `{entry.target}` is a type, and it is not")
        return found

    def _unknown(self, name: str, kind: TypeKind | None) -> NotFound:
        origin = origin_of(name)
        near = did_you_mean(self.suggest(name, kind))
        if origin.distribution and origin.distribution in {plugin.distribution for plugin in self._plugins}:
            advice = [near]
        else:
            advice = [origin.advice] if origin.distribution else [near or origin.advice]
        failed = [f"`{plugin.name}`" for plugin in self._plugins if plugin.error]
        if failed:
            advice.append(f"`plugins list` says what is wrong with {' and '.join(failed)}")
        hint = "; ".join(part for part in advice if part)
        return NotFound(f"there is no type `{name}`", hint=hint or "`plugins list` shows every type there is")


def _is_near(asked: tuple[str, ...], package: tuple[str, ...]) -> bool:
    """Whether a package, or the end of it, is what somebody may have wanted to write. Nothing written fits each."""
    from difflib import get_close_matches  # noqa: PLC0415 - only needed when something is wrong already

    end = package[max(len(package) - len(asked), 0) :]
    return len(end) == len(asked) and all(
        get_close_matches(part, [other], cutoff=0.7) for part, other in zip(asked, end, strict=True)
    )


def _local_entry(cls: type[PluginType]) -> TypeEntry:
    """The entry of a class; its module stands for the plugin."""
    if not cls.type:
        raise PluginError(
            f"the class `{cls.__qualname__}` has no name as a type", hint=f'class {cls.__name__}(…, type="group.Name")'
        )
    title = (cls.__doc__ or "").strip().partition("\n")[0]
    kind = cls.plugin_kind
    return TypeEntry(cls.type, cls.aliases, title, kind, cls.__module__, f"{cls.__module__}:{cls.__qualname__}")


def load_target(target: str, what: str) -> Any:
    """The object behind `module:Name`. Raises PluginError that names `what` and the cause in plain words."""
    module_name, _, path = target.partition(":")
    try:
        found: Any = import_module(module_name)  # not from sys.modules: another thread may be in the middle of it
    except (Exception, SystemExit) as error:
        raise PluginError(f"the {what} can't be loaded: {reason(error)}", hint=remedy(error)) from error
    for part in path.split(".") if path else ():
        if not hasattr(found, part):
            raise PluginError(f"the {what} can't be loaded: there is no `{path}` in the module `{module_name}`")
        found = getattr(found, part)
    return found


def reason(error: BaseException) -> str:
    """Why a module could not be imported, in one line of plain words."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = _missing_package(error)
        return f"the Python package `{missing}` is not installed" if missing else f"there is no module `{error.name}`"
    text = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        return f"its code has a syntax error in line {error.lineno}: {error.msg}"
    if isinstance(error, ImportError):
        return text.removesuffix(f" ({error.path})")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def remedy(error: BaseException) -> str:
    """What to do about it, where that is known."""
    missing = _missing_package(error)
    return f"install what provides the Python package `{missing}` into this environment" if missing else ""


def _missing_package(error: BaseException) -> str:
    """The package that is not there at all, or "" (a module missing inside an installed package is its bug)."""
    name = error.name if isinstance(error, ModuleNotFoundError) and error.name else ""
    package = name.partition(".")[0]
    return "" if package in sys.modules else package
