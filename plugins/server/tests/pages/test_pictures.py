"""A flow as a picture, and its source in colour: without a server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import pytest

from core.model.nodes import children_of
from core.sdk import Choice, Dag, Each, Node, Parallel, Policy, Step, Work
from core.sdk import Sequence as SequenceNode
from tailrace_server.drawing.graph import graph_svg, worst
from tailrace_server.drawing.highlight import source_html
from tailrace_server.drawing.layout import Block, picture


def step(id: str, node: Node | None = None) -> Step:
    return Step(id, "debug.Return", node or Work())


def boxes(block: Block, x: float = 0, y: float = 0) -> list[tuple[str, float, float, float, float]]:
    """(task, left, top, right, bottom) of each task in a picture."""
    own = [(block.step.id, x, y, x + block.width, y + block.height)] if block.step else []
    return own + [one for left, top, part in block.parts for one in boxes(part, x + left, y + top)]


def test_no_box_lies_over_another_and_groups_hold_theirs() -> None:
    tasks = [
        step("a"),
        step("wide", Parallel(tuple(step(f"side_by_side_number_{n}") for n in range(12)))),
        step("loop", Each("{{ x }}", (step("b"), step("c")), policy=Policy((step("e"),), (step("f"),)))),
        step("switch", Choice("x", {"one": (step("g"),), "two": (step("h"), step("i"))}, (step("j"),))),
        step("dag", Dag(tuple(step(f"d{n}") for n in range(6)), {
            "d1": ("d0",), "d2": ("d0",), "d3": ("d1", "d2"), "d4": ("d0",), "d5": ("d4", "d3"),
        })),
    ]  # fmt: skip
    root = picture(tasks, (step("wrong"),), (step("tidy"),), (step("later"),))
    found = boxes(root)
    assert len(found) == len(list(all_steps(tasks))) + 3
    for name, left, top, right, bottom in found:
        assert min(left, top) >= 0, name
        assert (right <= root.width, bottom <= root.height) == (True, True), name
        for other, left2, top2, right2, bottom2 in found:
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            inside = left <= left2 and right2 <= right and top <= top2 and bottom2 <= bottom
            around = left2 <= left and right <= right2 and top2 <= top and bottom <= bottom2
            assert name == other or apart or inside or around, (name, other)


def all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    for one in steps:
        yield one
        yield from all_steps(children_of(one.node))


def test_tasks_of_a_dag_stand_below_what_they_wait_for() -> None:
    after = {"b": ("a",), "c": ("b",), "d": ("a", "c")}
    root = picture([step("dag", Dag(tuple(map(step, "dcba")), after))], (), (), ())
    tops = {name: top for name, _, top, _, _ in boxes(root)}
    assert tops["a"] < tops["b"] < tops["c"] < tops["d"]


def test_names_in_the_graph_are_text() -> None:
    class Pictured:
        id = "<b>"
        root = SequenceNode((Step('<script>"', "x&y", Work(), description="]]>"),))
        after_execution: tuple[Step, ...] = ()

    svg = str(graph_svg(Pictured(), link=lambda one: 'javascript"'))
    ElementTree.fromstring(svg)
    assert "<script>" not in svg


@pytest.mark.parametrize(
    ("states", "expected"),
    [({"SUCCESS": 5, "FAILED": 1}, "FAILED"), ({"SUCCESS": 5, "RUNNING": 1}, "RUNNING"), ({"SKIPPED": 2}, "SKIPPED"), ({}, "")],
)
def test_a_loop_is_shown_in_its_worst_state(states: dict[str, int], expected: str) -> None:
    assert worst(states) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("id: one # two", '<span class="y-key">id</span>: one <span class="y-comment"># two</span>'),
        ('a: "x {{ y }}"', '<span class="y-key">a</span>: <span class="y-text">&#34;x <span class="y-expression">{{ y }}</span>&#34;</span>'),
        ("- {n: 3, t: true}", '- {<span class="y-key">n</span>: <span class="y-number">3</span>, <span class="y-key">t</span>: <span class="y-number">true</span>}'),
        ("url: http://x/#a", '<span class="y-key">url</span>: http://x/#a'),
        ("<script>", "&lt;script&gt;"),
        ("a" * 3000, "a" * 3000),
    ],
)  # fmt: skip
def test_words_of_a_source_are_told_apart(line: str, expected: str) -> None:
    html = str(source_html(line))
    shown = re.search(r'aria-label="Line 1"></a>(.*?)\n</span>', html, re.DOTALL)
    assert shown is not None
    assert shown[1] == expected


def test_a_text_of_several_lines_is_one_text() -> None:
    html = str(source_html("script: |\n  id: x # no\n  {{ y }}\nnext: 1\n"))
    assert "  id: x # no\n" in html
    assert html.count("y-key") == 2
    assert '<span class="y-expression">{{ y }}</span>' in html


def test_a_dag_of_very_many_lines_shows_those_that_matter() -> None:
    names = [f"t{number}" for number in range(40)]
    after = {name: tuple(names[:number]) for number, name in enumerate(names)}
    (_, _, dag), *_ = picture([step("dag", Dag(tuple(map(step, reversed(names))), after))], (), (), ()).parts
    (_, _, inside), *_ = dag.parts
    assert len(inside.edges) == 39
    tops = {name: top for name, _, top, _, _ in boxes(dag)}
    assert sorted(names, key=lambda name: tops[name]) == names
