"""The fixtures that `pytest_plugins = ["core.testing.fixtures"]` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TEST = '''\
import pytest
from core.testing import temporary_app
from core.testing.fixtures import RunFlow

FLOW = """\\
id: f
namespace: a.b
tasks:
  - {id: a, type: debug.Return, format: "{{ kv('k') }}"}
"""

def test_runs_are_in_the_app(app, run_flow):
    app.kv.set("a.b", "k", "v")
    run = run_flow(FLOW)
    assert run.tasks["a"].output == {"value": "v"}
    assert app.executions.get("last").id == run.id

def test_each_test_has_its_own(app, run_flow):
    assert run_flow(FLOW).state == "FAILED"

class TestOwnApp:
    @pytest.fixture
    def app(self):
        with temporary_app(secrets={"TOKEN": "abcd"}) as app:
            yield app

    def test_an_own_app_is_used(self, run_flow):
        assert run_flow(FLOW.replace("kv('k')", "secret('TOKEN')")).tasks["a"].output == {"value": "abcd"}
'''


def test_an_author_gets_app_and_run_flow(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["core.testing.fixtures"]\n')
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[2])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("3 passed")
