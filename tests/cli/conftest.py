"""A stand-in for the app, so that what a command prints can be tested for whatever an app may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from core.cli.main import main
from core.host.views import (
    AttemptView,
    Evaluation,
    ExecutionFilter,
    ExecutionView,
    FilePreview,
    FileView,
    Happening,
    LogView,
    OutputFilter,
    Page,
    Reason,
    TaskExecutionView,
)  # fmt: skip
from core.loading.problems import Problem
from core.model.data import evolve
from core.model.flow import Flow
from core.model.inputs import Input
from core.model.nodes import Sequence, Step, Work
from core.registry import Registry
from core.settings import Settings

T0 = 1_746_093_600_000_000  # 2025-05-01T10:00:00Z


def execution(**changes: Any) -> ExecutionView:
    return evolve(
        ExecutionView(
            id="e-1", namespace="company.team", flow_id="shop", flow_revision=3, state="SUCCESS", history=(),
            inputs={"who": "you"}, outputs=None, labels={}, error="", created_at=T0, started_at=T0,
            ended_at=T0 + 2_500_000,
        ),
        **changes,
    )  # fmt: skip


def task(name: str, **changes: Any) -> TaskExecutionView:
    return evolve(
        TaskExecutionView(
            id=f"t-{name}", flow_execution_id="e-1", namespace="company.team", flow_id="shop", flow_revision=3,
            task_name=name, type="debug.Return", value=None, state="SUCCESS", history=(("RUNNING", T0),),
            attempts=(AttemptView(1, "a-1", "SUCCESS", T0),), error="", note="", summary={}, tags={}, output_size=10,
            output_sha256=None, output_preview='{"value":"x"}', version=1, modified_by="system", created_at=T0,
            updated_at=T0, ended_at=T0 + 1_200_000, stale_since=None, deleted_at=None,
        ),
        **changes,
    )  # fmt: skip


@define
class FakeApp:
    """Answers with what a test puts in; remembers what it was asked."""

    settings: Settings
    flow: Flow | None
    problems: tuple[Problem, ...] = ()
    preflight_lines: tuple[str, ...] | BaseException = ()
    ended: ExecutionView = field(factory=execution)
    task_views: tuple[TaskExecutionView, ...] = ()
    values: dict[str, Any] = field(factory=dict)
    log_views: tuple[LogView, ...] = ()
    happenings: tuple[Happening, ...] = ()
    pages: list[Page[Any]] = field(factory=list)
    reasons: tuple[Reason, ...] = ()
    files_held: dict[str, tuple[bytes, FilePreview | None]] = field(factory=dict)
    during_run: Callable[[], object] = lambda: None
    asked: list[Any] = field(factory=list)

    @property
    def flows(self) -> Any:
        return self

    executions = outputs = evaluator = flows

    @property
    def files(self) -> Any:
        return FakeFiles(self.files_held)

    def load(self, path: Path) -> tuple[Flow | None, tuple[Problem, ...]]:
        return self.flow, self.problems

    def look_in(self, folder: Path) -> None:
        """Flows beside the flow are looked for, when they are called."""

    def preflight(self, flow: Flow, *, runner: str | None = None) -> tuple[str, ...]:
        self.asked.append(("preflight", runner))
        if isinstance(self.preflight_lines, BaseException):
            raise self.preflight_lines
        return self.preflight_lines

    def create(
        self, flow: Flow, inputs: Mapping[str, Any], *, labels: Mapping[str, str] | None = None
    ) -> tuple[ExecutionView, tuple[str, ...]]:
        self.asked.append(("create", dict(inputs), labels))
        return evolve(self.ended, state="CREATED"), ()

    def run(
        self, execution_id: str, *, follow: Callable[[Happening], None] | None = None, runner: str | None = None,
        local_files: Path | None = None,
    ) -> ExecutionView:  # fmt: skip
        self.asked.append(("run", execution_id, runner, local_files))
        if follow is not None:
            for happening in self.happenings:
                follow(happening)
        self.during_run()
        return self.ended

    def interrupt(self) -> None:
        self.asked.append("interrupt")

    def get(self, which: str) -> Any:
        return next((view for view in self.task_views if view.id == which), self.ended)

    def tasks(self, execution_id: str) -> tuple[TaskExecutionView, ...]:
        return self.task_views

    def value(self, output_id: str) -> Any:
        return self.values.get(output_id)

    def list(self, which: ExecutionFilter | OutputFilter) -> Page[Any]:
        self.asked.append(which)
        return self.pages.pop(0)

    def purge(self, which: ExecutionFilter) -> int:
        self.asked.append(which)
        return 2 if self.asked.count(which) == 1 else 0

    def logs(
        self, execution_id: str, *, task_name: str | None = None, level: str = "TRACE", after: int = 0
    ) -> tuple[LogView, ...]:
        """One line at a time, so that reading on after the last is tested too."""
        return tuple(line for line in self.log_views if line.seq > after and level in ("TRACE", line.level))[:1]

    def why(self, execution_id: str) -> tuple[Reason, ...]:
        return self.reasons

    def evaluate(
        self, execution_id: str, expression: str, *, task_name: str | None = None, value: str | None = None
    ) -> Evaluation:
        self.asked.append((execution_id, expression, task_name, value))
        return Evaluation("[1, 2]", [1, 2], "list")

    def checks(self) -> Iterator[tuple[str, bool, str]]:
        yield "docker", False, "no engine answers"


@define
class FakeFiles:
    """Files by URI: their bytes, and the preview they have."""

    held: dict[str, tuple[bytes, FilePreview | None]]

    def open(self, uri: str) -> Any:
        return BytesIO(self.held[uri][0])

    def stat(self, uri: str) -> FileView:
        return FileView(uri, len(self.held[uri][0]))

    def preview(self, uri: str, rows: int = 20) -> FilePreview:
        preview = self.held[uri][1]
        return preview or FilePreview(uri, len(self.held[uri][0]), "binary")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    steps = (Step("api", "debug.Return", Work()),)
    flow = Flow("shop", "company.team", Sequence(steps), inputs=(Input("who", "STRING"), Input("list", "FILE")))
    fake = FakeApp(Settings(home=tmp_path), flow)

    @contextmanager
    def open_fake(settings: Settings) -> Iterator[FakeApp]:
        yield fake

    monkeypatch.setattr("core.cli.opening.open_app", open_fake)
    return fake


@pytest.fixture
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed beside brings no commands."""
    monkeypatch.setattr("core.cli.installed.load_registry", lambda *given: Registry({}, {}, ()))


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process: exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


@pytest.fixture
def make_task() -> Callable[..., TaskExecutionView]:
    return task


@pytest.fixture
def make_execution() -> Callable[..., ExecutionView]:
    return execution
