"""Whatever a template says, it gives a result or one of our errors, told without Python's words."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import TailraceError
from core.expressions import Renderer, references
from core.expressions.library import FILTERS, FUNCTIONS, TESTS
from core.expressions.parser import BINDING

VARIABLES: dict[str, Any] = {
    "text": "hello World", "empty": "", "n": 3, "f": 1.5, "yes": True, "none": None, "l": [1, "a", None, [2]],
    "m": {"a": 1, "b": {"c": "x"}}, "when": datetime(2024, 2, 29, 10, tzinfo=UTC), "naive": datetime(2024, 1, 31),
    "day": date(2024, 2, 29), "span": timedelta(hours=1), "dec": Decimal("1.50"), "big": 2**70, "nan": float("nan"),
    "inf": float("inf"), "bytes": b"a\xff", "set": {1, 2}, "json": '{"a":[1]}', "taskrun": {"value": "a"},
}  # fmt: skip
ATOMS = st.sampled_from([
    *VARIABLES, "1", "2.5", "'x'", '"a#{n}b"', "null", "[1, 2]", "{'a': 1}", "9223372036854775807", "'yyyy-MM-dd'",
    "'#,##0.0'", "'DAYS'", "'(a)(b)'", "'$1'", "missing", "m.a", "l[0]", "-1", "100000", "'.a'", "'['",
])  # fmt: skip
MEMBERS = ["length", "size()", "year", "toUpperCase()", "get(0)", "substring(1)", "a", "keySet()", "value", "repeat(3)"]
OPERATORS = [operator for operator in BINDING if operator not in ("is", "|")]


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(inner, max_size=2).map(", ".join)
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("({} | {}({}))".format, inner, st.sampled_from(sorted([*FILTERS, "default"])), arguments),
        st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), arguments),
        st.builds("({} is {})".format, inner, st.sampled_from(sorted([*TESTS, "defined"]))),
        st.builds("({}).{}".format, inner, st.sampled_from(MEMBERS)),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, _more, max_leaves=8)
RENDERER = Renderer(clock=lambda: datetime(2024, 2, 29, tzinfo=UTC), entropy=os.urandom)
QUIET = settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def _told(template: str) -> None:
    message = ""
    try:
        RENDERER.render(template, VARIABLES)
        references(template)
    except TailraceError as error:
        message = str(error)
    assert "Error" not in message
    assert "object at 0x" not in message


@given(EXPRESSIONS)
@QUIET
def test_any_expression(expression: str) -> None:
    _told("{{ " + expression + " }}")


@given(EXPRESSIONS, EXPRESSIONS)
@QUIET
def test_any_statement(first: str, second: str) -> None:
    _told("{% for x in " + first + " %}{{ x }}{% endfor %}{% if " + second + " %}{% set q = " + first + " %}{% endif %}")


@given(st.text(alphabet="{}%#'\"()[]|~.:,?-+= a1\n\\is", max_size=40))
@QUIET
def test_any_text(text: str) -> None:
    _told("{{ " + text)
    _told("{% " + text)
