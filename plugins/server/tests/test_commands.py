"""`api-keys`, and what the other commands refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.app import open_deployment
from core.cli.main import main
from core.settings import Settings

ID = r"[0-9a-f-]{36}"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: its exit code and what it wrote."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--home", str(tmp_path)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_key_is_shown_once_and_opens_its_organization(run: Run, tmp_path: Path) -> None:
    run("api-keys", "organizations", "--create", "acme", "--name", "Acme Inc.")
    code, out, err = run("api-keys", "create", "--organization", "acme", "--role", "editor", "--name", "ci", "--days", "7")
    secret = out.strip()
    told = re.fullmatch(rf"the key ({ID}), role editor; its secret is shown only now:\n", err)
    assert (code, out.count("\n")) == (0, 1)
    assert told is not None
    with open_deployment(Settings(home=tmp_path)) as deployment:
        key = deployment.keys.find(secret)
    assert key is not None
    assert (key.id, key.organization_id, key.role, key.name) == (told[1], "acme", "editor", "ci")
    code, out, _ = run("api-keys", "list")
    assert code == 0
    assert secret not in out
    assert [line.split()[:4] for line in out.splitlines()[1:]] == [[key.id, "acme", "editor", "ci"]]


def test_the_same_for_programs(run: Run) -> None:
    code, out, _ = run("api-keys", "create", "--organization", "default", "--role", "viewer", "--json")
    made = json.loads(out)
    secret = made.pop("secret")
    assert (code, made) == (0, {
        "id": made["id"], "organization_id": "default", "name": "", "role": "viewer", "created_at": made["created_at"],
        "expires_at": None, "revoked_at": None, "last_used_at": None,
    })  # fmt: skip
    assert json.loads(run("api-keys", "list", "--organization", "default", "--json")[1]) == {"data": [made]}
    code, out, _ = run("api-keys", "revoke", made["id"], "--json")
    assert (code, json.loads(out)) == (0, {"id": made["id"], "revoked": True})
    (listed,) = json.loads(run("api-keys", "list", "--json")[1])["data"]
    assert listed["revoked_at"] is not None
    assert secret.isprintable()


def test_organizations_are_listed(run: Run) -> None:
    run("api-keys", "organizations", "--create", "acme")
    _, out, _ = run("api-keys", "organizations", "--json")
    assert {one["id"] for one in json.loads(out)["data"]} == {"default", "acme"}
    code, _, err = run("api-keys", "organizations", "--create", "acme")
    assert code == 1
    assert "acme" in err


REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "an unknown key": (("api-keys", "revoke", "nothing"), 2, "there is no API key `nothing`"),
    "an unknown organization": (
        ("api-keys", "create", "--organization", "none", "--role", "viewer"), 2, "there is no organization `none`"),
    "an unknown role": (("api-keys", "create", "--organization", "default", "--role", "boss"), 2, "--role: `boss` is not one of the choices\n  expected: viewer | editor | admin"),
    "a rate that is none": (("server", "--rate", "0"), 2, "--rate: `0` can't be read\n  expected: a rate such as 50/s"),
    "a size that is none": (("server", "--max-request", "much"), 2, "--max-request: `much` can't be read\n  expected: a size such as 20M"),
    "no workers": (("server", "--workers", "0"), 2, "--workers: `0` can't be read\n  expected: a whole number from 1 up"),
    "the world without keys": (
        ("server", "--host", "0.0.0.0", "--port", "0"), 2,
        "without any API key only this machine may reach the server, not 0.0.0.0"),
    "an address of nobody": (("server", "--host", "no.such.host.invalid"), 2, "without any API key"),
    "a port that is none": (("server", "--port", "70000"), 2, "expected: a number from 0 to 65535"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_is_refused(run: Run, words: tuple[str, ...], code: int, message: str) -> None:
    found, out, err = run(*words)
    assert (found, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("text", "rate"), [("50", 50.0), ("50/s", 50.0), ("0.5/s", 0.5)])
def test_a_rate_is_read(text: str, rate: float) -> None:
    from tailrace_server.cli import server

    assert server.rate(text) == rate


@pytest.mark.parametrize(("text", "size"), [("1", 1), ("512K", 512 * 1024), ("20M", 20 * 1024 * 1024)])
def test_a_size_is_read(text: str, size: int) -> None:
    from tailrace_server.cli import server

    assert server.size(text) == size


def test_names_are_read_without_anything_heavy() -> None:
    import subprocess
    import sys

    program = "import tailrace_server, sys; print(sorted({'litestar', 'uvicorn', 'msgspec', 'zstandard'} & set(sys.modules)))"
    told: Any = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
