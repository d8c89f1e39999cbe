"""Functions that look around or make something new, and the tables of what there is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.expressions import ENGINE_FUNCTIONS, Renderer, library
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, table_of

SUBJECTS = sorted(
    path.stem
    for path in Path(library.__file__ or "").parent.glob("*.py")
    if path.stem not in ("__init__", "declare")
)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_table_of_names_is_what_the_modules_declare(subject: str) -> None:
    declared = table_of(subject)
    assert sorted(declared.filters) == sorted(name for name, home in FILTERS.items() if home == subject)
    assert sorted(declared.functions) == sorted(name for name, home in FUNCTIONS.items() if home == subject)
    assert sorted(declared.tests) == sorted(name for name, home in TESTS.items() if home == subject)


def test_functions_of_the_reference_are_all_there() -> None:
    names = (
        "now fromJson secret kv read fileURI render renderOnce encrypt decrypt yaml printContext fetchContext uuid id ksuid"
        " fromIon fileSize errorLogs randomInt randomPort fileExists isFileEmpty nanoId tasksWithState http json"
        " currentEachOutput max min range"
    )
    assert set(names.split()) <= {*FUNCTIONS, *ENGINE_FUNCTIONS}


@pytest.mark.parametrize("name", sorted(ENGINE_FUNCTIONS))
def test_a_function_of_the_engine_says_that_it_is_not_here(message: Callable[..., str], name: str) -> None:
    assert message("{{ " + name + "('x') }}").splitlines()[0] == f"`{name}()` is not available here"


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ("uuid()", r"018df4e1-3b5e-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("id()", r"[0-9A-Za-z]{22}"),
        ("ksuid()", r"[0-9A-Za-z]{27}"),
        ("nanoId()", r"[\w-]{21}"),
        ("nanoId(5, 'ab')", r"[ab]{5}"),
        ("randomInt(1, 10)", r"[1-9]"),
        ("randomInt(lower=-3, upper=-3)", r"-3"),
        ("randomPort()", r"\d{4,5}"),
    ],
)
def test_chance(expression: str, pattern: str) -> None:
    moment = datetime(2024, 2, 29, 12, 0, 5, 678901, tzinfo=UTC)
    renderer = Renderer(clock=lambda: moment, entropy=os.urandom)
    texts = {renderer.render("{{ " + expression + " }}", {}) for _ in range(20)}
    assert all(re.fullmatch(pattern.replace("018df4e1-3b5e", f"{_millis(moment)[:8]}-{_millis(moment)[8:]}"), text) for text in texts)
    assert len(texts) > 1 or "-3" in expression


def _millis(moment: datetime) -> str:
    return f"{int(moment.timestamp() * 1000):012x}"


def test_random_numbers_reach_all_of_their_range() -> None:
    renderer = Renderer(entropy=os.urandom)
    assert {renderer.render("{{ randomInt(1, 4) }}", {}) for _ in range(200)} == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("randomInt(3, 1)", "there is no number from 3 to 1"),
        ("randomInt(1)", "`randomInt` needs `upper`"),
        ("nanoId(2000)", "the length of `nanoId` is 2000"),
        ("nanoId(5, '')", "the alphabet of `nanoId` is empty"),
        ("uuid(1)", "`uuid` is given 1 arguments"),
        ("render()", "`render` needs `toRender`"),
        ("render('x', recursive=1)", "`recursive` of `render` is a whole number"),
        ("parent()", "`parent()` has no meaning here: templates don't extend one another"),
        ("currentEachOutput(5)", "`outputs` of `currentEachOutput` is a whole number"),
        ("currentEachOutput({})", "`currentEachOutput()` works only in a task inside of a loop"),
        ("nope(1)", "there is no function `nope`"),
        ("encrypt('short', 'x')", "the key is not base64"),
        ("encrypt('c2hvcnQ=', 'x')", "the key has the wrong length"),
        ("decrypt('MDEyMzQ1Njc4OWFiY2RlZg==', 'AAAA')", "the text can't be decrypted"),
    ],
)
def test_what_is_refused(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}").splitlines()[0] == problem


def test_encryption_goes_both_ways() -> None:
    renderer = Renderer(entropy=os.urandom)
    key = "MDEyMzQ1Njc4OWFiY2RlZg=="
    sealed = renderer.render("{{ encrypt(key, 'tötö') }}", {"key": key})
    assert "tötö" not in sealed
    assert renderer.render("{{ decrypt(key, sealed) }}", {"key": key, "sealed": sealed}) == "tötö"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"taskrun": {"value": "a"}}, '{"x":1}'),
        ({"taskrun": {"value": "w"}, "parents": [{"taskrun": {"value": "v"}}, {"taskrun": {"value": "u"}}]}, "deep"),
        ({"taskrun": {"value": "a"}, "parents": [{"task": {"id": "t"}}]}, '{"x":1}'),
    ],
)
def test_the_output_of_the_current_round(render: Callable[..., str], variables: dict[str, Any], expected: str) -> None:
    outputs = {"a": {"x": 1}, "u": {"v": {"w": "deep"}}}
    assert render("{{ currentEachOutput(outputs) }}", outputs=outputs, **variables) == expected


def test_the_context_holds_all_variables(render: Callable[..., str]) -> None:
    assert render("{% set c = 3 %}{{ printContext() }}", a=1, b={"x": None}) == '{"a":1,"b":{},"c":3}'


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "Integer"), (2**40, "Long"), (1.5, "Double"), ("a", "String"), (True, "Boolean"),
    ],
)  # fmt: skip
def test_class_names(render: Callable[..., str], value: object, name: str) -> None:
    assert render("{{ x | className }}", x=value) == f"java.lang.{name}"
