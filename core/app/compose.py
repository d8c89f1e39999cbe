"""Puts the parts together. What a command does not use is never opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.app.bell import Bell
from core.app.creation import Creation
from core.app.executions import ExecutionService
from core.app.flows import FlowService
from core.app.runs import Runs
from core.engine.answers import Answers
from core.engine.clock import now
from core.host.records import RecordStore
from core.host.views import ExecutionView, Happening
from core.model.data import evolve
from core.model.flow import Flow
from core.records import SqliteRecords
from core.registry import Registry, load_registry
from core.sdk.storage import StorageBackend
from core.settings import Settings, constants
from core.work import Secrets, Tools, WorkerTools

if TYPE_CHECKING:
    from core.app.changes import ChangeService
    from core.app.evaluator import EvaluatorService
    from core.app.feed import FeedService
    from core.app.files import FileService
    from core.app.kv import KvService
    from core.app.outputs import OutputService
    from core.work.helper import Helper

SHARED = ("registry", "records", "storage", "secrets", "helper", "bell")
"""The parts that the apps of one installation have in common."""


class App:
    """Runs flows in this process, and shows what was recorded: `core.host.services.Services` for one organization.

    flows, executions, outputs, changes, feed, files, kv, evaluator: the services. What is not used is never opened, and
    nothing is shared: two apps can live in one process. To be closed: `open_app` does so.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._borrows = False

    def for_organization(self, organization: str) -> App:
        """An app of another organization with the records, storage and plugins of this one, which closes them."""
        other = App(evolve(self.settings, organization=organization))
        other.__dict__.update({name: getattr(self, name) for name in SHARED})
        other._borrows = True
        return other

    def run(
        self,
        flow: str | Path | Flow,
        inputs: Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        follow: Callable[[Happening], None] | None = None,
        runner: str | None = None,
    ) -> ExecutionView:
        """Run a flow as far as it goes by itself: to its end, or until only a person can let it go on (PAUSED).

        flow: its YAML, or the path of its file; then flows that it calls are found in its folder, and the files of its
        namespace in `_files/` there. inputs: values or texts; a path for a FILE input. follow: called for everything
        that happens, from the threads of this run. runner: `process`, `docker` or `auto`, where scripts run when the
        flow does not say.

        A flow that fails is a result too: look at `state` and `error`. Raises InvalidFlow and InvalidInput with
        everything that is wrong, Unreachable when a task needs what this machine does not have.
        """
        loaded = flow if isinstance(flow, Flow) else self.flows.read(flow)
        folder = None
        if isinstance(flow, Path) or (isinstance(flow, str) and "\n" not in flow):
            folder = Path(flow).absolute().parent
            self.flows.look_in(folder)
        self.executions.preflight(loaded, runner=runner)
        given = {name: str(value) if isinstance(value, Path) else value for name, value in (inputs or {}).items()}
        created, _ = self.executions.create(loaded, given, labels=labels)
        local_files = folder / "_files" if folder else None
        return self.executions.run(created.id, follow=follow, runner=runner, local_files=local_files)

    # -- parts

    @cached_property
    def registry(self) -> Registry:
        cache = self.settings.home / "cache" / "plugins.json"
        return load_registry(cache, self.settings.plugins_dir)

    @cached_property
    def records(self) -> RecordStore:
        if self.settings.records:
            return self.registry.record_store(self.settings.records)(self.settings.records, now())
        self.settings.make_home()
        return SqliteRecords(self.settings.home, durable=self.settings.durable, now=now())

    @cached_property
    def storage(self) -> StorageBackend:
        self.settings.make_home()
        make = self.registry.storage_backend(self.settings.storage)
        return make(self.settings.home / "storage", self.settings.durable)

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.settings.environment, self.settings.secrets_file, self.settings.encryption_key)

    @cached_property
    def helper(self) -> Helper:
        from core.work.helper import Helper

        return Helper(self.settings.environment)

    @cached_property
    def bell(self) -> Bell:
        return Bell()

    def tools(self, runner: str | None = None) -> Tools:
        """What the far side works with."""
        return self.worker_tools(runner).tools(
            self.registry, self.storage, self.secrets, lambda operation, arguments: self.helper(operation, arguments)
        )

    def worker_tools(self, runner: str | None = None) -> WorkerTools:
        """The same as plain values, from which a worker process builds its own."""
        settings = self.settings
        return WorkerTools(
            home=settings.home,
            clock=now.__module__,
            user_agent=f"{settings.product.title}/{settings.product.version}",
            storage=settings.storage,
            durable=settings.durable,
            plugins_dir=settings.plugins_dir,
            secrets_file=settings.secrets_file,
            encryption_key=settings.encryption_key,
            environment=settings.environment,
            runner=runner or settings.runner,
            zone=settings.zone,
            inline_limit=settings.inline_limit,
            constants=constants(settings),
        )

    def answers(self, local_files: Path | None = None) -> Answers:
        """Who answers what tasks and expressions ask of the engine's world."""
        return Answers(self.records, local_files)

    # -- services

    @cached_property
    def flows(self) -> FlowService:
        return FlowService(self.settings.organization, lambda: self.records, lambda: self.registry, self.settings.home)

    @cached_property
    def executions(self) -> ExecutionService:
        return ExecutionService(
            self.settings, self.records, self.storage, self.flows, self.runs, self.creation, self.bell
        )

    @cached_property
    def creation(self) -> Creation:
        return Creation(
            self.settings.organization, self.records, self.storage, self.flows, self.tools, self.answers,
            local_paths=not self._borrows,
        )

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.settings, self.records, self.flows, self.creation, self.registry, self.tools, self.answers)

    @cached_property
    def outputs(self) -> OutputService:
        from core.app.outputs import OutputService

        return OutputService(self.settings.organization, self.records, self.storage, self.executions.resolve)

    @cached_property
    def changes(self) -> ChangeService:
        from core.app.changes import ChangeService

        settings = self.settings
        return ChangeService(settings.organization, self.records, self.storage, settings.inline_limit)

    @cached_property
    def feed(self) -> FeedService:
        from core.app.feed import FeedService

        return FeedService(self.settings.organization, self.records)

    @cached_property
    def files(self) -> FileService:
        from core.app.files import FileService

        return FileService(self.settings.organization, self.records, self.storage)

    @cached_property
    def kv(self) -> KvService:
        from core.app.kv import KvService

        return KvService(self.settings.organization, self.records)

    @cached_property
    def evaluator(self) -> EvaluatorService:
        from core.app.evaluator import EvaluatorService

        return EvaluatorService(
            self.settings.organization, self.records, self.flows, self.executions.resolve, self.tools, self.answers,
            lambda: self.helper,
        )

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return now()

    def checks(self) -> Iterator[tuple[str, bool, str]]:
        """What `doctor` tells of this machine: (name, whether it is well, a line about it)."""
        from core.app.machine import machine_checks

        return machine_checks(self.settings, self.registry, lambda: self.records)

    def close(self) -> None:
        """Give back what was opened."""
        if self._borrows:
            return
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
