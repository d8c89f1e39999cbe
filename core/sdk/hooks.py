"""Hooks of the plugin system. A module that merely holds classes needs none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from core.model.data import data

if TYPE_CHECKING:
    from core.sdk.properties import PluginType

PROJECT = "tailrace"
API_VERSION = 1
TypeKind = Literal["task", "runner", "trigger", "condition"]
F = TypeVar("F", bound=Callable[..., Any])


def hookspec(function: F) -> F:
    """Mark a function of this module as a hook."""
    setattr(function, f"{PROJECT}_spec", {})
    return function


def hookimpl(function: F) -> F:
    """Mark a function of a plugin's module as what it does for the hook of that name.

    It marks as pluggy's own marker does, and spares those who only name their types the import of pluggy.
    """
    setattr(function, f"{PROJECT}_impl", {})
    return function


@data
class TypeRef:
    """A type by name, so that nothing is imported until a flow uses it.

    target: `module:Class`. name and aliases: what may stand behind `type:`. title: one line for lists.
    kind: what it is. replaces: the name of another plugin's type that this one takes the place of.
    """

    target: str
    name: str
    aliases: tuple[str, ...] = ()
    title: str = ""
    kind: TypeKind = "task"
    replaces: str = ""


@data
class StorageRef:
    """A storage backend by name. target: `module:factory`, called with (root directory, durable) and giving one."""

    target: str
    name: str
    title: str = ""


@data
class RecordStoreRef:
    """A record store by the scheme of its URL (`postgresql`).

    target: `module:factory`, called with (URL, now in microseconds since 1970 UTC) and giving a
    `core.host.RecordStore`.
    """

    target: str
    scheme: str
    title: str = ""


@data
class CommandRef:
    """Commands by their first word. target: `module:COMMANDS`, a tuple of `core.host.deployment.PluginCommand`."""

    target: str
    word: str
    summary: str


@hookspec
def task_types() -> Iterable[TypeRef | type[PluginType]]:  # type: ignore[empty-body]
    """Task types that a plugin brings."""


@hookspec
def task_runners() -> Iterable[TypeRef | type[PluginType]]:  # type: ignore[empty-body]
    """Task runners that a plugin brings."""


@hookspec
def triggers() -> Iterable[TypeRef | type[PluginType]]:  # type: ignore[empty-body]
    """Triggers that a plugin brings, and the conditions they can have; a TypeRef's `kind` says which it is."""


@hookspec
def storage_backends() -> Iterable[StorageRef]:  # type: ignore[empty-body]
    """Storage backends that a plugin brings."""


@hookspec
def record_stores() -> Iterable[RecordStoreRef]:  # type: ignore[empty-body]
    """Record stores that a plugin brings; the setting `records` names one by its URL."""


@hookspec
def commands() -> Iterable[CommandRef]:  # type: ignore[empty-body]
    """Commands that a plugin brings."""
