"""Every flow in examples/ promises in its first lines what it gives; here the promises are kept.

    # Promise: EXPRESSION is JSON

EXPRESSION is evaluated in the recorded context of the execution, or is `run.PATH` into what `run --json` prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.cli.demo_server import product_api
from core.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "examples"
PROMISE = re.compile(r"# Promise: (?P<expression>.+?) is (?P<value>[\[{\"\dtfn-].*)")

Program = Callable[..., tuple[int, str]]


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Program:
    """The command line with a home of its own: exit code and standard output."""

    def run(*words: str) -> tuple[int, str]:
        code = main([*words, "--home", str(tmp_path / "home")])
        return code, capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def api_url() -> Iterator[str]:
    with product_api() as url:
        yield url


def promises_of(file: Path) -> list[tuple[str, Any]]:
    found = [PROMISE.fullmatch(line) for line in file.read_text("utf-8").splitlines() if line.startswith("# Promise:")]
    return [(match["expression"], json.loads(match["value"])) for match in found if match]


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_an_example_keeps_its_promises(file: Path, program: Program, api_url: str) -> None:
    source = file.read_text("utf-8")
    promises = promises_of(file)
    assert promises, "its first line has to promise something"
    assert len(promises) == source.count("# Promise:"), "a promise can't be read"

    inputs = ("-i", f"api_url={api_url}") if "id: api_url" in source else ()
    code, printed = program("run", str(file), "--json", *inputs)
    run = json.loads(printed)
    kept = [(expression, _value(expression, run, program)) for expression, _ in promises]

    assert kept == promises
    assert code == 0


def _value(expression: str, run: Any, program: Program) -> Any:
    if expression.startswith("run."):
        value = run
        for name in expression.split(".")[1:]:
            value = value[name]
        return value
    code, printed = program("eval", run["id"], "{{ " + expression + " }}", "--json")
    assert code == 0, printed
    return json.loads(printed)["value"]


def test_the_examples_are_valid(program: Program) -> None:
    code, printed = program("check", str(EXAMPLES), "--json")

    errors = [problem for problem in json.loads(printed)["problems"] if problem["severity"] == "error"]
    assert (code, errors) == (0, [])
