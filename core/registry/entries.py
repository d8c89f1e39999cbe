"""What the registry knows without importing anything: one entry per type, one line per plugin."""

from __future__ import annotations

from core.model.data import data
from core.sdk.hooks import TypeKind as TypeKind


@data
class TypeEntry:
    """A type by name. target: `module:Class`, imported by `Registry.resolve`. plugin: who brings it."""

    name: str
    aliases: tuple[str, ...]
    title: str
    kind: TypeKind
    plugin: str
    target: str


@data
class PluginInfo:
    """One plugin: where it comes from, what it brings, and why it (or a part of it) was refused, else "".

    brings: names of types, storage backends and commands, and schemes of record stores (`postgresql://`).
    distribution and version are "" for a file of `--plugins-dir`.
    """

    name: str
    distribution: str
    version: str
    module: str
    brings: tuple[str, ...] = ()
    error: str = ""
