"""Pytest fixtures. In a `conftest.py`: `pytest_plugins = ["core.testing.fixtures"]`.

A plugin's own conftest may define `app` again, with its classes and secrets; `run_flow` takes that one:

    @pytest.fixture
    def app():
        with temporary_app(Shout, secrets={"TOKEN": "s3cret"}) as app:
            yield app
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from core.app import App
from core.testing.apps import Files, temporary_app
from core.testing.flows import FlowRun
from core.testing.flows import run_flow as run_flow_in


class RunFlow(Protocol):
    """`core.testing.run_flow` in the app of the test: what one run leaves, the next one sees."""

    def __call__(
        self, flow: str | Path, inputs: Mapping[str, Any] | None = None, *,
        files: Files | None = None, runner: str | None = None,
    ) -> FlowRun: ...  # fmt: skip


@pytest.fixture
def app() -> Iterator[App]:
    """An app in a temporary home."""
    with temporary_app() as made:
        yield made


@pytest.fixture
def run_flow(app: App) -> RunFlow:
    """Runs flows in the fixture `app`."""
    return partial(run_flow_in, app=app)
