"""What a plugin's module brings, asked through pluggy."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pluggy

from core.errors import PluginError
from core.model.data import evolve
from core.registry.brought import Brought
from core.sdk import hooks
from core.sdk.hooks import API_VERSION, CommandRef, RecordStoreRef, StorageRef, TypeRef
from core.sdk.properties import PluginType

_OTHERS = {"storage_backends": StorageRef, "record_stores": RecordStoreRef, "commands": CommandRef}
"""Hooks for what is no type, in the order of `Brought`."""


def ask(module: Any) -> Brought:
    """Call the hooks that a module implements; one without any brings the types that are defined in it.

    Raises PluginError, and whatever the plugin's own code raises.
    """
    _check_api(module)
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(module)
    callers = manager.get_hookcallers(module) or []
    _check_hidden(module)
    unknown = [caller.name for caller in callers if not caller.has_spec()]
    if unknown:
        raise PluginError(f"it implements the hook `{unknown[0]}`, which does not exist")
    if not callers:
        return Brought(_refs(_classes_of(module)))
    types: list[TypeRef] = []
    others: dict[str, list[Any]] = {name: [] for name in _OTHERS}
    for caller in callers:
        for items in caller():
            if caller.name in _OTHERS:
                others[caller.name] += _all_of(_OTHERS[caller.name], items or ())
            else:
                refs = _refs(items or ())
                types += [evolve(ref, kind="runner") for ref in refs] if caller.name == "task_runners" else refs
    storages, record_stores, commands = (tuple(others[name]) for name in _OTHERS)
    return Brought(tuple(types), storages, record_stores, commands)


def _all_of(kind: type, items: Iterable[Any]) -> Iterable[Any]:
    """The references as they are. Raises PluginError for what is of another kind."""
    for item in items:
        if not isinstance(item, kind):
            raise PluginError(f"it brings {item!r}, which is no {kind.__name__}")
        yield item


def _check_hidden(module: Any) -> None:
    """Refuse a package with a submodule that has a hook's name: once imported, it stands in the place of the hook."""
    for name, known in vars(hooks).items():
        if hasattr(known, f"{hooks.PROJECT}_spec") and isinstance(getattr(module, name, None), ModuleType):
            raise PluginError(f"its submodule `{name}` hides its hook of that name: one of the two needs another name")


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


def _refs(brought: Iterable[TypeRef | type[PluginType]]) -> tuple[TypeRef, ...]:
    return tuple(item if isinstance(item, TypeRef) else _ref_of(item) for item in brought)


def _ref_of(cls: type[PluginType]) -> TypeRef:
    """The reference to a class. Raises PluginError for what is not a class of a type with a name."""
    if not (isinstance(cls, type) and issubclass(cls, PluginType) and cls.type):
        raise PluginError(f"it brings {cls!r}, which is neither a type with a name nor a TypeRef")
    title = (cls.__doc__ or "").strip().partition("\n")[0]
    return TypeRef(f"{cls.__module__}:{cls.__qualname__}", cls.type, cls.aliases, title, cls.plugin_kind)
