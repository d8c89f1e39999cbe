"""Lists of outputs against a model that looks at every row: a part of `RecordStoreContract`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from core.errors import Invalid, NotFound
from core.host.product import Correction
from core.host.records import RecordStore
from core.host.seam import Read
from core.host.views import ExecutionFilter, OutputFilter, SummaryCondition, TaskExecutionView
from core.model.data import evolve
from core.testing.record_product import body_of
from core.testing.record_story import ACME, OTHER, Story

NAMESPACES = ("a", "a.b", "a.b.c", "ab")
TASKS = ("load", "clean", "report")
STATES = ("SUCCESS", "SUCCESS", "WARNING", "FAILED", "SKIPPED", "")
USERS = ("key-1", "key-2")
SUMMARIES: tuple[dict[str, Any], ...] = (
    {}, {"rows": 1}, {"rows": 20, "ok": True}, {"rows": 1.5, "kind": "csv"}, {"kind": "20", "at": {"x": {"y": 3}}},
    {"rows": "many", "ok": False, "list": [1]}, {"rows": 2**70, "kind": ""},
)  # fmt: skip
TAGS: tuple[dict[str, str], ...] = ({}, {"team": "x"}, {"team": "y:z", "seen": ""}, {"seen": "x"})
PATHS = ("rows", "kind", "ok", "at.x.y", "list", "nope")
VALUES = ("1", "1.5", "20", "csv", "true", "false", "many", "", "-3e2", "3", "1e400")
_MISSING = object()


def fill(store: RecordStore, draw: Random, executions: int = 8) -> None:
    """Executions of two organizations whose rows differ in all that lists ask for; their clocks do not agree."""
    product = store.product
    for number in range(executions):
        organization = OTHER if draw.random() < 0.2 else ACME
        flow_id, at = draw.choice("fg"), draw.randrange(1, 50) * 100
        story = Story(
            store, f"e{number}", organization=organization, namespace=draw.choice(NAMESPACES), flow_id=flow_id, at=at,
            labels=draw.choice(TAGS),
        )  # fmt: skip
        states = [draw.choice(STATES) for _ in range(draw.randrange(0, 10))]
        made = [f"e{number}-{_one(story, draw, turn, state)}" for turn, state in enumerate(states)]
        if all(states):
            story.finish(draw.choice(("SUCCESS", "FAILED")))
        for one in made:
            at = draw.randrange(50, 80) * 100
            view = store.task_execution(organization, one)
            if view is not None and view.ended_at is not None and all(states) and draw.random() < 0.3:
                correction = Correction(body_of(at), summary=draw.choice(SUMMARIES), tags=draw.choice(TAGS))
                product.correct_output(organization, one, correction, version=1, by=draw.choice(USERS), at=at)
            elif draw.random() < 0.3:
                product.tag_outputs(organization, [one], draw.choice(TAGS), (), by=draw.choice(USERS), at=at)
            if draw.random() < 0.2:
                product.set_output_deleted(organization, one, True, by="key-1", at=at)


def _one(story: Story, draw: Random, turn: int, state: str) -> str:
    """A task of an execution; its name and turn."""
    name = draw.choice(TASKS)
    key = story.open(name, (), turn)
    if state:
        reads = (Read(f"outputs.{other}", other) for other in draw.sample(TASKS, draw.randrange(0, 2)))
        story.end(key, turn, state, summary=draw.choice(SUMMARIES), reads=tuple(reads))
    return f"{name}-turn-{turn}" if turn else name


def drawn_filter(draw: Random) -> OutputFilter:
    """Some conditions out of all there are."""
    given: dict[str, Any] = {}
    choices: dict[str, Callable[[], Any]] = {
        "flow_execution_id": lambda: _some(draw, [f"e{number}" for number in range(9)]),
        "flow_id": lambda: _some(draw, "fgh"),
        "namespace": lambda: _some(draw, [*NAMESPACES, "a.*", "a.b.*", "nope.*", "nope"]),
        "task_name": lambda: _some(draw, [*TASKS, "nope"]),
        "status": lambda: _some(draw, ["queued", "running", "completed", "failed", "deleted", "stale"]),
        "state": lambda: _some(draw, ["SUCCESS", "WARNING", "FAILED", "RUNNING", "SKIPPED"]),
        "tag": lambda: _some(draw, ["team", "team:x", "team:y:z", "seen", "seen:", "nope"]),
        "tag_all": lambda: _some(draw, ["team", "team:x", "seen", "seen:"]),
        "modified_by": lambda: _some(draw, [*USERS, "system", "nope"]),
        "summary": lambda: tuple(_summary(draw) for _ in range(draw.choice((1, 1, 2)))),
        "created_after": lambda: draw.randrange(5500), "created_before": lambda: draw.randrange(5500),
        "updated_after": lambda: draw.randrange(8500), "updated_before": lambda: draw.randrange(8500),
        "search": lambda: draw.choice(("LOA", "ep", "1", "t[", "nope")),
    }  # fmt: skip
    for name in draw.sample(sorted(choices), draw.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        given[name] = choices[name]()
    return OutputFilter(**given)


def _some(draw: Random, values: Any) -> tuple[str, ...]:
    return tuple(draw.choices(list(values), k=draw.choice((1, 1, 2, 3))))


def _summary(draw: Random) -> SummaryCondition:
    operator: Any = draw.choice(("=", "=", "!=", ">", ">=", "<", "<="))
    value = draw.choice(VALUES if operator in ("=", "!=") else [one for one in VALUES if _number(one) is not None])
    return SummaryCondition(draw.choice(PATHS), operator, value)


def fits(view: TaskExecutionView, which: OutputFilter) -> bool:
    """What the filter means, for one row."""
    return all((
        not which.flow_execution_id or view.flow_execution_id in which.flow_execution_id,
        not which.flow_id or view.flow_id in which.flow_id,
        not which.namespace or any(_within(view.namespace, one) for one in which.namespace),
        not which.task_name or view.task_name in which.task_name,
        not which.state or view.state in which.state,
        view.status in which.status if which.status else view.status != "deleted",
        "deleted" in which.status or view.deleted_at is None,
        not which.tag or any(_tagged(view, one) for one in which.tag),
        all(_tagged(view, one) for one in which.tag_all),
        not which.modified_by or view.modified_by in which.modified_by,
        _between(view.created_at, which.created_after, which.created_before),
        _between(view.updated_at, which.updated_after, which.updated_before),
        all(_summed(view, one) for one in which.summary),
        any(which.search.lower() in (text or "").lower() for text in _searched(view)),
    ))  # fmt: skip


def _searched(view: TaskExecutionView) -> tuple[str | None, ...]:
    return (view.task_name, view.value, view.output_preview)


def _within(namespace: str, wanted: str) -> bool:
    base = wanted.removesuffix(".*")
    return namespace == base or (wanted != base and namespace.startswith(base + "."))


def _tagged(view: TaskExecutionView, wanted: str) -> bool:
    key, colon, value = wanted.partition(":")
    return key in view.tags and (not colon or view.tags[key] == value)


def _between(at: int, after: int | None, before: int | None) -> bool:
    return (after is None or at >= after) and (before is None or at < before)


def _number(text: str) -> float | None:
    if text in ("true", "false"):
        return float(text == "true")
    try:
        return float(text) if float(text) != float("inf") else None
    except ValueError:
        return None


def _summed(view: TaskExecutionView, wanted: SummaryCondition) -> bool:
    found: Any = view.summary
    for name in wanted.path.split("."):
        found = found.get(name, _MISSING) if isinstance(found, dict) else _MISSING
    if not isinstance(found, (str, int, float)):
        return False
    number = _number(wanted.value)
    if isinstance(found, str):
        same = found == wanted.value
        return same if wanted.operator == "=" else wanted.operator == "!=" and not same
    value = float(found)
    if number is None:
        return wanted.operator == "!="
    return {
        "=": value == number, "!=": value != number, ">": value > number, ">=": value >= number, "<": value < number,
        "<=": value <= number,
    }[wanted.operator]  # fmt: skip


def walk(store: RecordStore, which: OutputFilter, *, forward: bool = False) -> Iterator[tuple[str, ...]]:
    """The ids of each page, to the end; `forward`: from the page that the filter names to the newest row."""
    while True:
        page = store.outputs(ACME, which)
        assert page.has_more == (page.next is not None)
        assert len(page.data) <= which.limit
        yield tuple(view.id for view in page.data)
        if page.next is None:
            return
        which = evolve(which, ending_before=page.next) if forward else evolve(which, starting_after=page.next)


def _everything(store: RecordStore) -> list[TaskExecutionView]:
    """Every row of ACME, newest first, in the order of a list that leaves nothing out."""
    statuses = ("queued", "running", "completed", "failed", "deleted", "stale")
    return list(store.outputs(ACME, OutputFilter(status=statuses, limit=1000)).data)


class ListRules:
    """Filters mean what they say, and pages show each row once."""

    @pytest.mark.parametrize("seed", range(8))
    def test_filters_mean_what_they_say_of_each_row(self, store: RecordStore, seed: int) -> None:
        draw = Random(seed)
        fill(store, draw)
        rows = _everything(store)
        by_execution = {view.id for name in range(8) for view in store.task_executions(ACME, f"e{name}")}
        assert {view.id for view in rows} == by_execution
        for _ in range(60):
            which = evolve(drawn_filter(draw), limit=draw.choice((1, 2, 5, 1000)))
            expected = [view.id for view in rows if fits(view, which)]
            assert [one for page in walk(store, which) for one in page] == expected, which
            assert store.product.count_outputs(ACME, which) == len(expected), which

    @pytest.mark.parametrize("seed", range(4))
    def test_a_walk_forward_shows_the_same_rows_from_the_other_end(self, store: RecordStore, seed: int) -> None:
        draw = Random(seed)
        fill(store, draw)
        rows = _everything(store)
        for _ in range(30):
            start = draw.randrange(len(rows))
            which = evolve(drawn_filter(draw), limit=draw.choice((1, 3, 1000)), ending_before=rows[start].id)
            expected = [view.id for view in rows[:start] if fits(view, which)]
            seen: tuple[str, ...] = ()
            for page in walk(store, which, forward=True):
                seen = (*page, *seen)
            assert list(seen) == expected, which

    @pytest.mark.parametrize("seed", range(4))
    def test_the_oldest_first_is_the_same_list_the_other_way_round(self, store: RecordStore, seed: int) -> None:
        draw = Random(seed)
        fill(store, draw)
        rows = _everything(store)[::-1]
        for _ in range(30):
            which = evolve(drawn_filter(draw), limit=draw.choice((1, 3, 1000)), oldest_first=True)
            expected = [view.id for view in rows if fits(view, which)]
            assert [one for page in walk(store, which) for one in page] == expected, which
            start = draw.randrange(len(rows))
            expected = [view.id for view in rows[:start] if fits(view, which)]
            seen: tuple[str, ...] = ()
            for page in walk(store, evolve(which, ending_before=rows[start].id), forward=True):
                seen = (*page, *seen)
            assert list(seen) == expected, which

    def test_following_forward_misses_nothing_while_rows_are_added(self, store: RecordStore) -> None:
        story = Story(store)
        last = story.run("t0")
        added, seen = [last], [last]
        for number in range(1, 12):
            added.append(story.run(f"t{number}"))
            if number % 3 == 0:
                page = store.outputs(ACME, OutputFilter(limit=2, ending_before=seen[-1]))
                seen += [view.id for view in page.data][::-1]
        for page_ids in walk(store, OutputFilter(limit=2, ending_before=seen[-1]), forward=True):
            seen += page_ids[::-1]
        assert seen == added

    def test_a_walk_shows_what_was_there_at_its_first_page_once(self, store: RecordStore) -> None:
        story = Story(store)
        before = [story.run(f"t{number}") for number in range(9)][::-1]
        seen: list[str] = []
        for page in walk(store, OutputFilter(limit=2, task_name=tuple(f"t{number}" for number in range(30)))):
            seen += page
            story.run(f"t{10 + len(seen)}")
        assert seen == before

    def test_a_brief_list_has_what_came_out(self, store: RecordStore) -> None:
        fill(store, Random(7))
        whole = store.outputs(ACME, OutputFilter(limit=1000)).data
        brief = store.outputs(ACME, OutputFilter(limit=1000, brief=True)).data
        assert [one.id for one in brief] == [one.id for one in whole] != []
        for one, other in zip(brief, whole, strict=True):
            differs = {name for name, value in vars(one).items() if value != vars(other)[name]}
            assert differs <= {"history", "attempts", "note", "output_preview", "turn"}
            assert (one.history, one.attempts, one.output_preview) == ((), (), None)

    def test_a_page_goes_one_way(self, store: RecordStore) -> None:
        story = Story(store)
        one = story.run("a")
        with pytest.raises(Invalid) as both:
            store.outputs(ACME, OutputFilter(starting_after=one, ending_before=one))
        assert str(both.value) == "a page is either after one row or before another\n  expected: one of the two"
        with pytest.raises(NotFound) as missing:
            store.outputs(OTHER, OutputFilter(ending_before=one))
        assert str(missing.value) == "`e1-a` is not the id of a row to end before"

    def test_only_numbers_are_larger_or_smaller(self, store: RecordStore) -> None:
        which = OutputFilter(summary=(SummaryCondition("rows", ">", "many"),))
        with pytest.raises(Invalid) as caught:
            store.outputs(ACME, which)
        assert str(caught.value) == (
            "`rows` can't be compared by `>` with `many`\n  expected: a number\n"
            "  to do: texts are compared by `=` and `!=`"
        )

    def test_the_first_scalars_of_a_summary_can_be_asked_for(self, store: RecordStore) -> None:
        story = Story(store)
        story.run("a", 1, summary={"long": "x" * 201, **{f"n{number}": number for number in range(40)}})

        def found(path: str) -> bool:
            condition = SummaryCondition(path, "!=", "?")
            return bool(store.outputs(ACME, OutputFilter(summary=(condition,))).data)

        assert [found("long"), found("n0"), found("n31"), found("n32")] == [False, True, True, False]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Wien", "á"), ("WIEN\u2028", ""), ("ÁRVÍZ", "á"), ("árvíz*", ""), ("[x]?", "b"), ("*", "c"), ("\\d", "d"),
            ("^a|b$", "e"), ("Größe", "f"), ('"n":1', "f"), ("LOOP", "áb"), ("ᾳ", "g"), ("%", "h"), ("_", "h"),
            ("a.b", ""), ("x" * 200, ""),
        ],
        ids=str,
    )  # fmt: skip
    def test_any_text_is_searched_for_in_any_case_of_letters(
        self, store: RecordStore, text: str, expected: str
    ) -> None:
        story = Story(store)
        story.run("in-loop-1", "Wien", path=("Árvíz",))
        story.run("In-Loop-2", 1, path=("[X]?",))
        for number, value in enumerate(("a*b", r"\D", "^A|b$", {"GRÖßE": "x", "n": 1}, "ᾼ", "%_")):
            story.run(f"t{number}", value)
        names = dict(zip("ábcdefgh", ("in-loop-1", "In-Loop-2", "t0", "t1", "t2", "t3", "t4", "t5"), strict=True))
        found = store.outputs(ACME, OutputFilter(search=text)).data
        assert [view.task_name for view in found][::-1] == [names[one] for one in expected]
        assert store.product.count_outputs(ACME, OutputFilter(search=text)) == len(expected)

    def test_a_text_that_is_searched_for_is_short(self, store: RecordStore) -> None:
        with pytest.raises(Invalid) as caught:
            store.outputs(ACME, OutputFilter(search="x" * 201))
        assert str(caught.value) == "the text to search for is too long\n  expected: at most 200 characters"

    @pytest.mark.parametrize("limit", [1, 3, 50])
    def test_executions_are_walked_both_ways(self, store: RecordStore, limit: int) -> None:
        stories = [
            Story(store, f"e{number}", labels={"n": str(number % 2)}, at=9000 - 100 * number) for number in range(9)
        ]
        for story in stories[::3]:
            story.finish()
        filters: tuple[dict[str, Any], ...] = (
            {}, {"label": ("n:1",)}, {"label": ("n",)}, {"status": ("completed",)}, {"status": ("stale",)},
            {"namespace": ("company.*",), "flow_id": ("flow",)}, {"created_after": 8400, "created_before": 8800},
        )  # fmt: skip
        expected = ("876543210", "7531", "876543210", "630", "", "876543210", "6543")
        for given, names in zip(filters, expected, strict=True):
            seen: list[str] = []
            which = ExecutionFilter(limit=limit, **given)
            while True:
                page = store.executions(ACME, which)
                seen += [view.id for view in page.data]
                if page.next is None:
                    break
                which = evolve(which, starting_after=page.next)
            assert seen == [f"e{one}" for one in names], given
        forward = store.executions(ACME, ExecutionFilter(limit=3, ending_before="e4"))
        assert ([view.id for view in forward.data], forward.next) == (["e7", "e6", "e5"], "e7")
