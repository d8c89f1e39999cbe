"""An app of these tests, with tasks that wait and a few secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.app import App
from core.host.views import ExecutionView
from core.testing.apps import temporary_app
from core.testing.executor_tasks import TASKS

SECRETS = {"TOKEN": "open-sesame", "FLAG": "false", "JSON": '{"user": "admin-user", "n": 5}'}
Created = Callable[[str], ExecutionView]


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app(*TASKS, secrets=SECRETS, inline_limit=1000) as made:
        yield made


@pytest.fixture
def created(app: App, tmp_path: Path) -> Created:
    """A new execution of a flow with these lines below its head."""

    def create(body: str) -> ExecutionView:
        path = tmp_path / "flow.yaml"
        path.write_text(f"id: flow\nnamespace: company.team\n{body}", "utf-8")
        flow, problems = app.flows.load(path)
        assert flow is not None, [str(problem) for problem in problems]
        return app.executions.create(flow, {})[0]

    return create
