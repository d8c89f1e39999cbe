"""The three flows of the tutorial run as their authors wrote them, and give what the data says."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from core.cli.demo_server import DATA
from core.testing.http_server import Answer, HttpServer
from tailrace_runner_docker.locate import find_engine
from tests.examples.tunnel import Tunnel

ROOT = Path(__file__).parents[2]
FLOWS = Path(__file__).parent / "tutorial"
SHARED = ROOT.parent / "shared"
IMAGE = "python:slim"
PRODUCTS = [path for path in (DATA / "products.json", SHARED / "data" / "products.json") if path.exists()]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def missing_for_docker() -> str:
    """Why flows in containers can't run here, or ""."""
    engine = find_engine("", os.environ, patience=5)
    if engine.reason:
        return engine.reason
    if not shutil.which("docker"):
        return "no command `docker` to look for the image with"
    words = ("docker", "--host", engine.url, "images", "-q", IMAGE)
    found = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    return "" if found else f"no image {IMAGE}: run `.ci/test-image`"


REASON = missing_for_docker()


def in_docker(test: Any) -> Any:
    return pytest.mark.docker(pytest.mark.skipif(bool(REASON), reason=REASON)(test))


@pytest.fixture
def index(tmp_path: Path) -> None:
    """The package index answers; else the test is skipped."""
    uv = shutil.which("uv")
    tool = (uv, "pip") if uv else (sys.executable, "-m", "pip")
    words = (*tool, "install", "--dry-run", "--target", str(tmp_path / "nothing"), "polars")
    asked = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if asked.returncode:
        pytest.skip("no package index: " + asked.stderr.strip().splitlines()[-1])


class Program:
    """`python -m core` with a home of its own; `variables` are added to its environment."""

    def __init__(self, home: Path) -> None:
        self.variables = {"TAILRACE_HOME": str(home), "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}

    def __call__(self, *words: str) -> str:
        """What it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
        ended = subprocess.run(
            [sys.executable, "-m", "core", *words], env={**kept, **self.variables}, cwd=ROOT, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr[-3000:] + ended.stdout[-3000:]
        return ended.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "home")


@pytest.fixture(params=PRODUCTS, ids=lambda path: path.parent.name)
def data(request: pytest.FixtureRequest) -> Path:
    """The answer of the API."""
    path: Path = request.param
    return path


@pytest.fixture
def api(data: Path) -> Iterator[str]:
    """The URL of the products, on this machine."""
    with HttpServer({"/products": Answer(data, headers={"Content-Type": "application/json"})}) as server:
        yield f"{server.url}/products"


def averages(data: Path) -> dict[str | None, float]:
    """Brand → average price, by hand; products without a brand are a group too, as in SQL."""
    prices: dict[str | None, list[float]] = {}
    for product in json.loads(data.read_text("utf-8"))["products"]:
        prices.setdefault(product.get("brand"), []).append(product["price"])
    return {brand: sum(found) / len(found) for brand, found in prices.items()}


def check_table(rows: list[Mapping[str, Any]], data: Path) -> None:
    """What the query has to give: the average price of each brand, the dearest first."""
    found = [(row["brand"], row["avg_price"]) for row in rows]
    assert dict(found) == pytest.approx(averages(data), abs=0.005 + 1e-9, rel=0)
    assert len(found) == len(averages(data))
    assert [price for _, price in found] == sorted((price for _, price in found), reverse=True)


def output_of(run: Mapping[str, Any], task: str) -> Any:
    return next(one["output"] for one in run["task_executions"] if one["task_name"] == task)


def check_csv(text: str, data: Path) -> None:
    products = json.loads(data.read_text("utf-8"))["products"]
    wanted = [(product.get("brand") or "", product["price"]) for product in products]
    assert [(row["brand"], float(row["price"])) for row in csv.DictReader(io.StringIO(text))] == wanted


@pytest.mark.skipif(not (SHARED / "seeds" / "flows").exists(), reason="the originals are not beside this repository")
def test_the_flows_are_those_of_the_tutorial_byte_for_byte() -> None:
    originals = {path.name: path.read_bytes() for path in (SHARED / "seeds" / "flows").iterdir()}
    assert {path.name: path.read_bytes() for path in FLOWS.iterdir()} == originals


@in_docker
def test_the_first_flow_gives_a_file(program: Program, api: str, data: Path) -> None:
    run = program.json("run", str(FLOWS / "1-getting-started-output.yaml"), "-i", f"api_url={api}")
    assert (run["state"], output_of(run, "python")["exitCode"]) == ("SUCCESS", 0)
    check_csv(program("outputs", "get", f"{run['id']}/python", "outputFiles.products.csv"), data)


@in_docker
def test_the_second_flow_calls_its_api_by_name(program: Program, data: Path, tmp_path: Path) -> None:
    """A proxy and an authority of one's own stand for the real API; the flow stays as it is."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("dummyjson.com").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    answer = Answer(data, headers={"Content-Type": "application/json"})
    with HttpServer({"/products": answer}, tls=tls) as server, Tunnel(server.port) as tunnel:
        program.variables |= dict.fromkeys(PROXIES, "")
        program.variables |= {"HTTPS_PROXY": tunnel.url, "SSL_CERT_FILE": str(tmp_path / "authority.pem")}
        run = program.json("run", str(FLOWS / "2-getting-started.yaml"))
        assert (tunnel.asked, [one.path for one in server.requests]) == (["dummyjson.com:443"], ["/products"])
    assert run["state"] == "SUCCESS"
    check_csv(program("files", "get", output_of(run, "python")["outputFiles"]["products.csv"]), data)
    check_table([json.loads(line) for line in program("files", "get", output_of(run, "sqlQuery")["uri"]).splitlines()],
                data)  # fmt: skip


@pytest.mark.usefixtures("index")
def test_the_third_flow_needs_no_container_and_can_be_looked_at_afterwards(
    program: Program, api: str, data: Path, tmp_path: Path
) -> None:
    run = program.json("run", str(FLOWS / "3-getting-started-process.yaml"), "-i", f"api_url={api}")
    assert run["state"] == "SUCCESS"
    table = output_of(run, "sqlQuery")["uri"]
    products = json.loads(data.read_text("utf-8"))["products"]
    dearest = max(averages(data).items(), key=lambda item: item[1])[0]

    listed = program.json("outputs", "list", "--flow-execution-id", run["id"])["data"]
    assert {row["task_name"]: row["status"] for row in listed} == dict.fromkeys(
        ["api", "python", "sqlQuery"], "completed"
    )
    assert str(dearest) in program("outputs", "show", "last/sqlQuery")
    assert json.loads(program("outputs", "get", "last/python"))["exitCode"] == 0
    check_csv(program("outputs", "get", "last/python", "outputFiles.products.csv"), data)

    program("files", "get", table, "-o", str(tmp_path / "table.jsonl"))
    check_table([json.loads(line) for line in (tmp_path / "table.jsonl").read_text("utf-8").splitlines()], data)
    preview = program.json("files", "preview", table, "--rows", "1000")
    check_table([dict(zip(preview["columns"], row, strict=True)) for row in preview["rows"]], data)

    title = program("eval", run["id"], "{{ outputs.api.body | jq('.products[0].title') | first }}")
    assert title == f"{products[0]['title']}\n"
    rows = program("eval", run["id"], "{{ outputs.sqlQuery.size }}")
    assert int(rows) == len(averages(data))
    assert (
        program("eval", run["id"], "{{ fromIon(read(outputs.sqlQuery.uri) | split('\n') | first).brand }}").strip()
        == dearest
    )
