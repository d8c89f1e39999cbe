"""What is being typed at a place of an expression that may not be finished."""

from __future__ import annotations

import pytest

from core.expressions import completing
from core.expressions.completing import half_of
from core.expressions.library import FILTERS, FUNCTIONS


@pytest.mark.parametrize(
    ("text", "place", "typed", "target"),
    [
        ("", "name", "", ""),
        ("out", "name", "out", ""),
        ("1 + out", "name", "out", ""),
        ("f(a.b, out", "name", "out", ""),
        ("a ? b : ", "name", "", ""),
        ("1..", "name", "", ""),
        ("outputs.", "member", "", "outputs"),
        ("outputs.fe", "member", "fe", "outputs"),
        ("outputs.and", "member", "and", "outputs"),
        ("1 + outputs.a.", "member", "", "outputs.a"),
        ("a[0].b[c.d].", "member", "", "a[0].b[c.d]"),
        ("(a ?? b).", "member", "", "(a ?? b)"),
        ("(a ?? b).c.", "member", "", "(a ?? b).c"),
        ("kv('who').na", "member", "na", "kv('who')"),
        ("a.b(c).d", "member", "d", "a.b(c)"),
        ("x ~ [1, 2].", "member", "", "[1, 2]"),
        ("{'a': outputs.", "member", "", "outputs"),
        ("'text'.", "member", "", "'text'"),
        ('"a #{outputs.f', "member", "f", "outputs"),
        ("{{ a }} and {{ outputs.f", "member", "f", "outputs"),
        ("{% if outputs.f", "member", "f", "outputs"),
        ("outputs['fe", "key", "fe", "outputs"),
        ('outputs.a["', "key", "", "outputs.a"),
        ("outputs[", "key", "", "outputs"),
        ("a | up", "filter", "up", ""),
        ("a | upper | ", "filter", "", ""),
        ("{% filter ", "name", "", ""),
        ("a is ", "test", "", ""),
        ("a is not ev", "test", "ev", ""),
        ("a an", "operator", "an", ""),
        ("a.b ", "operator", "", ""),
        ("a.b", "member", "b", "a"),
        ("12", "nothing", "", ""),
        ("1.", "nothing", "", ""),
        ("'te", "nothing", "", ""),
        ('"text #{a} te', "nothing", "", ""),
        ("{{ a }} text", "nothing", "", ""),
        ("{# {{ a", "nothing", "", ""),
        ("{# a #}{{ b", "name", "b", ""),
        ("{% fo", "nothing", "", ""),
        ("[1, 2", "nothing", "", ""),
        (")).", "nothing", "", ""),
        ("a & b", "nothing", "", ""),
        ("99999999999999999999 + a", "nothing", "", ""),
        ('"#{' * 6_000, "nothing", "", ""),
        ("{{" + "a." * 150_000, "nothing", "", ""),
    ],
    ids=lambda text: text[:30],
)
def test_half_an_expression_tells_what_is_wanted(text: str, place: str, typed: str, target: str) -> None:
    half = half_of(text, len(text))
    assert (half.place, half.typed, half.target) == (place, typed, target)
    assert half.start == len(text) - len(typed)


def test_what_stands_behind_the_cursor_does_not_count() -> None:
    half = half_of("outputs.fetch.uri | upper", 10)
    assert (half.place, half.start, half.typed, half.target) == ("member", 8, "fe", "outputs")


@pytest.mark.parametrize(
    ("text", "names", "target"),
    [
        ("{% set a = outputs.b %}{{ a.", {"a"}, "(outputs.b)"),
        ("{% for a in outputs.b %}{{ a.c.", {"a", "loop"}, "((outputs.b) | first).c"),
        ("{% for a in b %}{% for c in a.d %}{{ c.", {"a", "c", "loop"}, "((((b) | first).d) | first)"),
        ("{% for a in b %}{{ loop.", {"a", "loop"}, "loop"),
        ("{% set a = a.b %}{{ a.", {"a"}, "(a.b)"),
    ],
)
def test_names_of_statements_stand_for_what_they_hold(text: str, names: set[str], target: str) -> None:
    half = half_of(text, len(text))
    assert set(half.local) == names
    assert half.target == target


def test_signatures_tell_what_may_be_left_out() -> None:
    filters, functions = dict(completing.filters()), dict(completing.functions({}))
    assert filters["date"] == "(format?, timeZone?, existingFormat?, locale?)"
    assert filters["chunk"] == "(size)"
    assert functions["range"] == "(start, end, increment?)"
    assert functions["max"] == "(…)"
    assert set(filters) == {"default", *FILTERS}
    assert set(functions) == set(FUNCTIONS)
