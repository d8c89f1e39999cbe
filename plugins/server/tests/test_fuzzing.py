"""The API against its own document, by schemathesis: requests that fit it, that break it, and whole chains of them.

The same with more patience: `tests/benchmarks/api_fuzz.py`.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.app import Installation
from core.host.product import Role

from .conftest import Api, installed, serving
from .test_executions import BREAKS, CHAIN, WAITS

CONFIGURATION = Path(__file__).parent / "fuzzing.toml"
GETTING_STARTED = """
id: getting_started
namespace: company.team
inputs: [{id: country, type: STRING, defaults: AT}]
tasks: [{id: hello, type: debug.Return, format: "{{ inputs.country }}"}]
"""
"""The flow of the document's examples."""


@contextmanager
def server(home: Path, role: Role | None) -> Iterator[tuple[Api, str | None]]:
    """A server with an engine, with executions of every kind, and a key of the role, if it is to have keys."""
    with installed(home) as deployment:
        for source in (GETTING_STARTED, CHAIN, WAITS, BREAKS):
            deployment.services("default").flows.push(source)
        engine = deployment.engine(workers=2, processes=False)
        engine.start()
        try:
            with serving(deployment, engine=engine) as api:
                admin = key(deployment, "admin") if role else None
                client = api.client(admin)
                for flow_id in ("chain", "waits", "breaks", "getting_started"):
                    started(client, flow_id)
                yield api, key(deployment, role) if role else None
        finally:
            engine.close()


def key(deployment: Installation, role: Role) -> str:
    return deployment.keys.create("default", role, role)[1]


def started(client: httpx.Client, flow_id: str) -> None:
    given = {"namespace": "company.team", "flow_id": flow_id}
    assert client.post("/flow-executions", params={"wait": 20}, json=given).status_code == 201


def fuzz(api: Api, secret: str | None, place: Path, *words: str) -> str:
    """What schemathesis found, and did; its status is not 0 when an answer was not as the document says."""
    client = api.client(secret)
    ids = [row["id"] for row in client.get("/flow-executions").json()["data"]]
    configuration = place / "fuzzing.toml"
    configuration.write_text(CONFIGURATION.read_text("utf-8").replace('["00000000-0000-0000-0000-000000000000"]', f"{ids}"))
    header = ["--header", f"Authorization: Bearer {secret}"] if secret else []
    line = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run", f"{api.url}/openapi.json",
            "--no-color", "--generation-deterministic", *header, *words]  # fmt: skip
    done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SLOW_TO_DRAW = ("--exclude-operation-id", "tag_task_outputs", "--exclude-operation-id", "add_task_output")
"""Their bodies have many texts of patterns; the phase `coverage` asks them too."""


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (None, ("--phases", "coverage")),
        ("admin", ("--phases", "examples,stateful", "--max-examples", "8")),
        ("editor", ("--phases", "fuzzing", "--max-examples", "2", *SLOW_TO_DRAW)),
        ("viewer", ("--phases", "fuzzing", "--max-examples", "2", *SLOW_TO_DRAW)),
    ],
    ids=["no key", "admin", "editor", "viewer"],
)
def test_every_answer_is_one_that_the_document_promises(
    tmp_path: Path, role: Role | None, words: tuple[str, ...]
) -> None:
    with server(tmp_path / "home", role) as (api, secret):
        assert "No issues found" in fuzz(api, secret, tmp_path, *words)
        assert not [note for note in api.notes if "failed" in note]


def test_the_document_says_whether_a_key_is_needed(tmp_path: Path) -> None:
    """Without any key it is optional; from the first one on it is not."""
    with installed(tmp_path / "home") as deployment, serving(deployment) as api:
        client = api.client()
        assert client.get("/openapi.json").json()["security"] == [{"key": []}, {"session": []}, {}]
        key(deployment, "viewer")
        assert client.get("/openapi.json").json()["security"] == [{"key": []}, {"session": []}]


def test_all_checks_are_on() -> None:
    told = tomllib.loads(CONFIGURATION.read_text("utf-8"))
    assert [name for name, check in told["checks"].items() if not check.get("enabled", True)] == []
    assert all(one.keys() <= {"include-operation-id", "checks", "request-timeout"} for one in told["operations"])
    for one in told["operations"]:
        statuses = one.get("checks", {}).get("positive_data_acceptance", {}).get("expected-statuses", ())
        assert not {"5xx", "500", "503", "405", "406", "413", "415"} & set(statuses)
