"""jq programs that are paths give what jq gives, with the numbers as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jq  # type: ignore[import-not-found]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ExpressionError
from core.expressions import Renderer
from core.expressions.jq_paths import path_of


@pytest.mark.parametrize(
    ("program", "path"),
    [
        (".", ()), (" . ", ()), (".a", ("a",)), (".a.b_1", ("a", "b_1")), (".a[0]", ("a", 0)), (".[]", (None,)),
        (".a[-1].b", ("a", -1, "b")), ('."a-b"', ("a-b",)), ('.["a b"][]', ("a b", None)), (".a.[1]", ("a", 1)),
        ("a", None), (".a | .b", None), (".a?", None), ("..", None), (".a[1:2]", None), ('."\\u00e9"', None),
        (".a,.b", None), ("", None), (".a b", None), (".é", None), (".a[.b]", None),
    ],
)  # fmt: skip
def test_which_programs_are_paths(program: str, path: object) -> None:
    assert path_of(program) == path


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2.0 | jq('.')", "[2.0]"), ("{'a': 1.0} | jq('.a')", "[1.0]"), ("big | jq('.')", f"[{2**70}]"),
        ("dec | jq('.')", "[1.50]"), ("m | jq('.')", '[{"a":[1,null]}]'), ("m | jq('.[]')", "[[1,null]]"),
        ("m | jq('.') | first | keys", '["a"]'), ("[when, span] | jq('.[]')", '["2024-02-29T10:00:00Z",5400.0]'),
        ("m | jq('.a.[5]')", "[null]"), ("m | jq('.z.y[3]')", "[null]"), ("null | jq('.a')", ""), ("nan | jq('.')", '["NaN"]'),
        ("""'[{"a":1.0},{"a":null}]' | jq('.[].a')""", "[1.0,null]"),
    ],
)  # fmt: skip
def test_paths_keep_values_as_they_are(render: Callable[..., str], expression: str, expected: str) -> None:
    variables = {
        "big": 2**70, "dec": Decimal("1.50"), "m": {"a": [1, None], "b": None}, "nan": float("nan"),
        "when": datetime(2024, 2, 29, 10, tzinfo=UTC), "span": timedelta(minutes=90),
    }  # fmt: skip
    assert render("{{ " + expression + " }}", **variables) == expected


def test_what_a_path_can_not_enter_is_told_by_jq(message: Callable[..., str]) -> None:
    assert message("{{ {'a': 1} | jq('.a.b') }}").splitlines()[0] == 'jq: Cannot index number with string ("b")'
    assert message("{{ 5 | jq('.[]') }}").splitlines()[0] == "jq: Cannot iterate over number (5)"


_LEAVES = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text("ab", max_size=2)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)


_VALUES = _containers(st.recursive(_LEAVES, _containers, max_leaves=8))
_STEPS = st.lists(st.sampled_from([".a", ".b", '["c"]', "[0]", "[-1]", "[]"]), max_size=3)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


@given(_VALUES, _STEPS)
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_path_finds_what_jq_finds(value: Any, steps: list[str]) -> None:
    program = "." + "".join(steps).removeprefix(".")
    wanted: object = "refused"
    with suppress(ValueError):
        wanted = jq.compile(program).input_text(json.dumps(_without_nulls(value))).all()
    found: object = "refused"
    with suppress(ExpressionError):
        found = Renderer().render_typed("{{ x | jq('" + program + "') }}", {"x": value})
    assert found == wanted
