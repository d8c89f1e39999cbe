"""From plain values to `Tools`: the one builder, for the process that decides and for those that work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from core.model.data import data, field
from core.registry import Registry, load_registry
from core.sdk.storage import StorageBackend
from core.work.secrets import Secrets
from core.work.tools import Tools


@data
class WorkerTools:
    """What Tools are built from, as plain values that can cross to another process.

    home: where caches, stored files and working directories lie. storage: the name of the backend. clock: the module
    that knows time and chance (`now`, `moment`, `chance`). The other fields are those of Settings and of Tools.
    """

    home: Path
    clock: str
    user_agent: str
    storage: str = "local"
    durable: bool = False
    plugins_dir: Path | None = None
    secrets_file: Path | None = None
    encryption_key: str = field(default="", repr=False)
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    runner: str = "auto"
    zone: str = "UTC"
    inline_limit: int = 64 * 1024
    constants: Mapping[str, Any] = field(factory=dict, repr=False)

    def registry(self) -> Registry:
        """The installed plugins and those of the folder. Raises NotFound when there is no such folder."""
        return load_registry(self.home / "cache" / "plugins.json", self.plugins_dir)

    def storage_backend(self, registry: Registry) -> StorageBackend:
        """Internal storage. Raises NotFound, PluginError."""
        return registry.storage_backend(self.storage)(self.home / "storage", self.durable)

    def secrets(self) -> Secrets:
        """Raises Unreachable, Invalid when the file of secrets can't be read."""
        return Secrets(self.environment, self.secrets_file, self.encryption_key)

    @property
    def scratch(self) -> Path:
        """Where working directories are made."""
        return self.home / "work"

    def tools(
        self, registry: Registry, storage: StorageBackend, secrets: Secrets,
        helper: Callable[[str, tuple[Any, ...]], Any],
    ) -> Tools:  # fmt: skip
        """The tools, with the parts that were built before. helper: as in Tools."""
        clock = import_module(self.clock)
        versions = {info.name: info.version for info in registry.plugins()}

        def plugin_version(type_name: str) -> str:
            entry = registry.find(type_name)
            return versions.get(entry.plugin, "") if entry else ""

        return Tools(
            registry=registry,
            storage=storage,
            secrets=secrets,
            now=clock.now,
            clock=clock.moment,
            entropy=clock.chance,
            scratch=self.scratch,
            cache=self.home / "cache",
            environment=self.environment,
            runner=self.runner,
            zone=self.zone,
            user_agent=self.user_agent,
            durable=self.durable,
            inline_limit=self.inline_limit,
            plugin_version=plugin_version,
            helper=helper,
            constants=self.constants,
        )
