from __future__ import annotations

from pathlib import Path

import pytest

from core.testing.plain_context import PlainContext


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    context = PlainContext(tmp_path)
    context.variables = {"workingDir": str(context.working_dir)}
    return context
