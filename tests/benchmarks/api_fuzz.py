"""Asks a real server everything that its own document allows, and much that it does not: schemathesis, with patience.

Usage: python tests/benchmarks/api_fuzz.py [EXAMPLES [SEED [ROLE]]]. A server over a fresh home with flows, executions
and corrections; with a key of ROLE (viewer, editor, admin), or none: `none`, the default. EXAMPLES (100) requests of
each operation and phase. Every check of schemathesis is on, see `plugins/server/tests/fuzzing.toml`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from served import server  # beside this script

from core.app import open_deployment
from core.host.product import Role
from core.settings import Settings

CONFIGURATION = Path(__file__).parents[2] / "plugins" / "server" / "tests" / "fuzzing.toml"
PLACEHOLDER = '["00000000-0000-0000-0000-000000000000"]'
FLOWS = (
    """
id: getting_started
namespace: company.team
inputs: [{id: country, type: STRING, defaults: AT}]
tasks:
  - {id: hello, type: debug.Return, format: "{{ inputs.country }}"}
  - {id: again, type: debug.Return, format: "{{ outputs.hello.value }}"}
""",
    "id: waits\nnamespace: company.team\ntasks: [{id: ask, type: flow.Pause}]",
    "id: breaks\nnamespace: company.team\ntasks: [{id: wrong, type: execution.Fail}]",
    "id: loops\nnamespace: company.other\ntasks:\n  - {id: each, type: flow.ForEach, values: [a, b, c], tasks: "
    "[{id: one, type: debug.Return, format: '{{ taskrun.value }}'}]}",
)
STARTED = (("company.team", "getting_started"), ("company.team", "waits"), ("company.team", "breaks"),
           ("company.other", "loops"))  # fmt: skip
INLINE_LIMIT = "64"
"""Bytes: some outputs are files."""


def prepared(home: Path, role: Role | None) -> tuple[str | None, str | None]:
    """A home with flows; the secrets of an admin's key and of one of the role."""
    home.mkdir()
    (home / "settings.toml").write_text(f"inline_limit = {INLINE_LIMIT}\n", "utf-8")
    with open_deployment(Settings(home=home, environment={}, runner="process")) as deployment:
        for source in FLOWS:
            deployment.services("default").flows.push(source)
        if role is None:
            return None, None
        return tuple(deployment.keys.create("default", one, one)[1] for one in ("admin", role))  # type: ignore[return-value]


def ask(url: str, secret: str | None, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if secret:
        request.add_header("Authorization", f"Bearer {secret}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main(examples: int, seed: int, role: Role | None) -> int:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        admin, secret = prepared(place / "home", role)
        with server(place / "home", "--threads") as served:
            for namespace, flow_id in STARTED * 2:
                ask(served.url, admin, "/flow-executions?wait=20", {"namespace": namespace, "flow_id": flow_id})
            ids = [row["id"] for row in ask(served.url, admin, "/flow-executions")["data"]]
            configuration = place / "fuzzing.toml"
            configuration.write_text(CONFIGURATION.read_text("utf-8").replace(PLACEHOLDER, f"{ids}"), "utf-8")
            header = ["--header", f"Authorization: Bearer {secret}"] if secret else []
            line = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run",
                    f"{served.url}/openapi.json", "--no-color", "--max-examples", str(examples), "--seed", str(seed),
                    *header]  # fmt: skip
            status = subprocess.run(line, cwd=place, check=False).returncode
            own, _ = served.memory()
            print(f"the server holds {own / 2**20:.0f} MiB and is {'there' if served.process.poll() is None else 'gone'}")
            return status


if __name__ == "__main__":
    given = sys.argv[1:]
    chosen = given[2] if len(given) > 2 else "none"
    roles: dict[str, Role | None] = {"none": None, "viewer": "viewer", "editor": "editor", "admin": "admin"}
    sys.exit(main(int(given[0]) if given else 100, int(given[1]) if len(given) > 1 else 1, roles[chosen]))
