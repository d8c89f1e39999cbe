"""Puts the parts together. What a command does not use is never opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from core.app.creation import Creation
from core.app.evaluator import EvaluatorService
from core.app.executions import ExecutionService
from core.app.files import FileService
from core.app.flows import FlowService
from core.app.kv import KvService
from core.app.machine import machine_checks
from core.app.outputs import OutputService
from core.app.runs import Runs
from core.engine.answers import Answers
from core.engine.clock import chance, moment, now
from core.records import SqliteRecords
from core.registry import Registry, load_registry
from core.sdk.storage import StorageBackend
from core.settings import Settings
from core.work import Secrets, Tools
from core.work.helper import Helper


class App:
    """Implements `core.host.services.Services` for one organization. Two of them can live in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # -- parts

    @cached_property
    def registry(self) -> Registry:
        cache = self.settings.home / "cache" / "plugins.json"
        return load_registry(cache, self.settings.plugins_dir)

    @cached_property
    def records(self) -> SqliteRecords:
        self.settings.make_home()
        return SqliteRecords(self.settings.home, durable=self.settings.durable, now=now())

    @cached_property
    def storage(self) -> StorageBackend:
        self.settings.make_home()
        make = self.registry.storage_backend(self.settings.storage)
        return make(self.settings.home / "storage", self.settings.durable)

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.settings.environment, self.settings.secrets_file)

    @cached_property
    def helper(self) -> Helper:
        return Helper(self.settings.environment)

    def tools(self, runner: str | None = None) -> Tools:
        """What the far side works with."""
        settings = self.settings
        versions = {info.name: info.version for info in self.registry.plugins()}

        def plugin_version(type_name: str) -> str:
            entry = self.registry.find(type_name)
            return versions.get(entry.plugin, "") if entry else ""

        return Tools(
            registry=self.registry,
            storage=self.storage,
            secrets=self.secrets,
            now=now,
            clock=moment,
            entropy=chance,
            scratch=settings.home / "work",
            cache=settings.home / "cache",
            environment=settings.environment,
            runner=runner or settings.runner,
            zone=settings.zone,
            user_agent=f"{settings.product.title}/{settings.product.version}",
            durable=settings.durable,
            inline_limit=settings.inline_limit,
            plugin_version=plugin_version,
            helper=self.helper,
        )

    def answers(self, local_files: Path | None = None) -> Answers:
        """Who answers what tasks and expressions ask of the engine's world."""
        return Answers(self.records, local_files)

    # -- services

    @cached_property
    def flows(self) -> FlowService:
        return FlowService(self.settings.organization, lambda: self.records, lambda: self.registry)

    @cached_property
    def executions(self) -> ExecutionService:
        return ExecutionService(
            self.settings, self.records, self.storage, self.flows, self.runs, self.creation
        )

    @cached_property
    def creation(self) -> Creation:
        return Creation(
            self.settings.organization, self.records, self.storage, self.flows, self.tools, self.answers
        )

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.settings, self.records, self.flows, self.creation, self.registry, self.tools, self.answers)

    @cached_property
    def outputs(self) -> OutputService:
        return OutputService(self.settings.organization, self.records, self.storage, self.executions.resolve)

    @cached_property
    def files(self) -> FileService:
        return FileService(self.settings.organization, self.records, self.storage)

    @cached_property
    def kv(self) -> KvService:
        return KvService(self.settings.organization, self.records)

    @cached_property
    def evaluator(self) -> EvaluatorService:
        return EvaluatorService(
            self.settings.organization, self.records, self.flows, self.executions.resolve, self.tools, self.answers
        )

    def checks(self) -> Iterator[tuple[str, bool, str]]:
        """What `doctor` tells of this machine: (name, whether it is well, a line about it)."""
        return machine_checks(self.settings, self.registry)

    def close(self) -> None:
        """Give back what was opened."""
        if "helper" in self.__dict__:
            self.helper.close()
        if "records" in self.__dict__:
            self.records.close()


@contextmanager
def open_app(settings: Settings) -> Iterator[App]:
    """An App, closed when the block ends. Raises Unreachable when the home can't be used (once it is needed)."""
    app = App(settings)
    try:
        yield app
    finally:
        app.close()
