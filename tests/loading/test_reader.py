from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.loading.events import LONGEST_IN_PYTHON
from core.loading.positions import compose
from core.loading.reader import MAX_DEPTH, parse_yaml, read


def same(left: Any, right: Any) -> bool:
    """Equal, types included, and not-a-number equal to itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right) or (isinstance(left, float) and math.isnan(left) and math.isnan(right))


def test_maps_lists_and_scalars_become_plain_values() -> None:
    text = "a: 1\nb: [x, yes, ~, 010]\nc:\n  - d: 'yes'\n    e: |\n      two\n      lines\n"

    assert read(text) == {"a": 1, "b": ["x", True, None, 8], "c": [{"d": "yes", "e": "two\nlines\n"}]}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~", "\ufeff"])
def test_an_empty_text_is_null(text: str) -> None:
    assert read(text) is None


def test_keys_are_text_as_they_are_written() -> None:
    assert read("1: a\nyes: b\n~: c\n010: d\n'': e\n") == {"1": "a", "yes": "b", "~": "c", "010": "d", "": "e"}


def test_quotes_keep_text_text() -> None:
    assert read("[\"yes\", '010', '', \"~\", ! 5]") == ["yes", "010", "", "~", "5"]


def test_core_tags_choose_the_type() -> None:
    assert read("[!!str 5, !!int '5', !!float 5, !!bool 'yes', !!null '', !!seq [], !!map {}]") == [
        "5", 5, 5.0, True, None, [], {},
    ]  # fmt: skip


QUESTIONS = {"m": ["what?", "0 0 ? * *"], "n": {"b?c": "d"}}


@pytest.mark.parametrize("before", ["", "\ufeff", "a: &x 1\nb: *x\n"])
def test_a_colon_or_question_mark_inside_a_scalar_between_brackets_belongs_to_it(before: str) -> None:
    text = before + "k: {uri: http://host:80/x?y=z, at: 2020-01-01T00:00:00Z, time: 10:30, n: 010}\nl: [a:b, 'c', yes]\n"
    found = read(text)

    assert found["k"] == {"uri": "http://host:80/x?y=z", "at": "2020-01-01T00:00:00Z", "time": "10:30", "n": 8}
    assert found["l"] == ["a:b", "c", True]
    assert same(found, compose(text).value())
    assert compose(text).content["k"].content["at"].position[1] == 36
    assert read(before + "m: [what?, 0 0 ? * *]\nn: {b?c: d}\n") == {**(read(before) or {}), **QUESTIONS}


def test_what_is_wrong_beside_such_a_colon_is_told_with_its_place() -> None:
    with pytest.raises(Invalid) as caught:
        parse_yaml("k: {uri: http://host")
    assert str(caught.value) == "the map that began in line 1 is not closed (line 1, column 21)\n  expected: `,` or `}`"


def test_a_very_long_text_is_never_read_the_slow_way() -> None:
    long = "k: value\n#" + "x" * LONGEST_IN_PYTHON + "\n"
    assert read(long) == {"k": "value"}
    with pytest.raises(Invalid) as caught:
        parse_yaml(long + "l: [a:b]\n")
    assert str(caught.value) == (
        "a `:` stands inside a text between brackets (line 3, column 6)\n  expected: quotes around the text\n"
        "  to do: without quotes only a shorter file can have it"
    )


def test_an_alias_is_the_value_of_its_anchor() -> None:
    assert read("a: &x [1, 2]\nb: *x\nc: &y 010\nd: *y\n") == {"a": [1, 2], "b": [1, 2], "c": 8, "d": 8}


def test_an_anchor_can_be_set_again() -> None:
    assert read("[&x 1, *x, &x 2, *x]") == [1, 1, 2, 2]


def test_merged_keys_give_way_to_those_of_the_map_and_the_first_source_wins() -> None:
    text = "x: &x {a: 1, b: 1, c: 1}\ny: &y {b: 2, d: 2}\nz: {a: 0, <<: [*y, *x]}\n"

    assert read(text)["z"] == {"a": 0, "b": 2, "d": 2, "c": 1}


def test_a_quoted_merge_sign_is_a_key() -> None:
    assert read("{'<<': 1}") == {"<<": 1}


def test_aliases_that_grow_exponentially_are_refused() -> None:
    text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))

    with pytest.raises(Invalid) as refused:
        parse_yaml(text)

    assert str(refused.value) == "aliases stand for more than 200000 values (line 6, column 10)"


def test_deep_nesting_is_refused_without_a_crash() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None

    with pytest.raises(Invalid) as refused:
        parse_yaml("[" * 100_000)

    assert str(refused.value) == "values are nested deeper than 200 levels (line 1, column 201)"


def test_parse_yaml_names_line_and_column() -> None:
    with pytest.raises(Invalid) as refused:
        parse_yaml("a: 1\na: 2")

    assert str(refused.value) == (
        "Duplicate field 'a': it stands twice in the same map (line 2, column 1)\n  expected: every key once"
    )


plain = st.sampled_from(
    ["1", "010", "yes", "~", "''", "'a b'", '"\\u00e9\\n"', "text", "1e3", ".nan", "2024-01-01", "!!str 5"]
)


@st.composite
def documents(draw: Any) -> str:
    """Flow-style YAML with anchors, aliases and merge keys; an alias only names an anchor that ended before it."""
    anchors: list[str] = []
    maps: list[str] = []

    def node(depth: int) -> str:
        kind = draw(st.sampled_from(["scalar", "list", "map", "alias"] if depth < 4 else ["scalar"]))
        if kind == "alias" and anchors:
            return f"*{draw(st.sampled_from(anchors))} "
        if kind == "list":
            text = "[" + ", ".join(node(depth + 1) for _ in range(draw(st.integers(0, 3)))) + "]"
        elif kind == "map":
            keys = draw(st.lists(st.sampled_from(["a", "1", "yes", "'q r'", "~", "é"]), unique=True, max_size=4))
            source = draw(st.sampled_from(maps)) if maps and draw(st.booleans()) else None
            pairs = [f"{key}: {node(depth + 1)}" for key in keys]
            if source is not None:
                pairs.insert(draw(st.integers(0, len(pairs))), f"<<: *{source} ")
            text = "{" + ", ".join(pairs) + "}"
        else:
            text = draw(plain)
        if draw(st.booleans()) and not text.startswith("!"):
            name = f"n{len(anchors)}"
            anchors.append(name)
            if kind == "map":
                maps.append(name)
            text = f"&{name} {text}"
        return text

    return "{root: " + node(0) + ", more: " + node(0) + "}"


@given(documents())
def test_values_with_and_without_positions_are_the_same(text: str) -> None:
    assert same(compose(text).value(), read(text)), text
