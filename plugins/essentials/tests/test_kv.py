from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.sdk import Invalid, TaskFailed
from core.testing import run_flow, run_task, temporary_app
from core.testing.plain_context import PlainContext
from tailrace_essentials.kv import Delete, Get, GetKeys, KeyBehavior, PurgeKV, Set


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app(secrets={"TOKEN": "s3cr3t-token"}) as made:
        yield made


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path, variables={"n": 5, "text": "5"})


def flow(*tasks: str) -> str:
    return "id: keys\nnamespace: company.team\ntasks:\n" + "".join(f"  - {{{task}}}\n" for task in tasks)


@pytest.mark.parametrize(
    ("value", "kind", "recorded"),
    [
        ("{{ n }}", None, 5),
        ("{{ text }}", None, "5"),
        ("n is {{ n }}", None, "n is 5"),
        ([1, "{{ n }}"], None, [1, 5]),
        ({"a": "{{ n }}"}, None, {"a": 5}),
        (None, None, None),
        ("{{ text }}", "NUMBER", 5),
        ("5.5", "NUMBER", 5.5),
        ("TRUE", "BOOLEAN", True),
        ("yes", "BOOLEAN", False),
        ("{{ n }}", "STRING", 5),
        (1.5, "STRING", 1.5),
        (True, "STRING", True),
        (5, "JSON", 5),
        ("2024-02-29T10:00:00Z", "DATETIME", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2024-02-29T10:00:00Z", "DATE", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2024-02-29", "DATE", date(2024, 2, 29)),
        ("PT1H", "DURATION", timedelta(hours=1)),
        ('{"a": [1]}', "JSON", {"a": [1]}),
    ],
)
def test_set_keeps_types_and_converts_texts(ctx: PlainContext, value: Any, kind: Any, recorded: object) -> None:
    Set(key="k", value=value, kv_type=kind).run(ctx)
    found = ctx.kv.values["tests", "k"]
    assert (type(found), found) == (type(recorded), recorded)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("NUMBER", "a number"), ("JSON", "JSON text"), ("DATETIME", "a date as in ISO 8601"), ("DATE", "a date as in ISO 8601")],
)
def test_a_text_that_is_no_such_value_is_told(ctx: PlainContext, kind: Any, expected: str) -> None:
    with pytest.raises(Invalid) as caught:
        Set(key="k", value="abc", kv_type=kind).run(ctx)
    assert str(caught.value) == f"$.value: `abc` can't be a value of type {kind}\n  expected: {expected}"


def test_set_leaves_a_key_alone_that_is_not_to_be_overwritten(ctx: PlainContext) -> None:
    ctx.kv.values["tests", "k"] = 1
    with pytest.raises(TaskFailed) as caught:
        Set(key="k", value=2, overwrite=False).run(ctx)
    assert str(caught.value) == (
        "Cannot set value for key 'k'. Key already exists and `overwrite` is set to `false`."
    )
    assert ctx.kv.values["tests", "k"] == 1


def test_a_key_has_a_form() -> None:
    run = run_task(Set(key="a b", value=1))
    assert (run.state, run.error) == (
        "FAILED", "`a b` can't be a key\n  expected: letters, digits, `.`, `_` and `-`, a letter or digit first",
    )  # fmt: skip


def test_get_tells_missing_from_null_and_from_expired(ctx: PlainContext) -> None:
    ctx.kv.values["tests", "null"] = None
    ctx.kv.gone.add(("tests", "old"))
    assert Get(key="null", error_on_missing=True).run(ctx).value is None
    assert Get(key="nope").run(ctx).value is None
    with pytest.raises(TaskFailed) as caught:
        Get(key="nope", error_on_missing=True).run(ctx)
    assert str(caught.value) == (
        "No value found for key 'nope' in namespace 'tests' and `errorOnMissing` is set to true"
    )
    with pytest.raises(TaskFailed) as caught:
        Get(key="old").run(ctx)
    assert str(caught.value) == "The requested value has expired"


def test_keys_are_listed_by_prefix_without_expired_ones(ctx: PlainContext) -> None:
    ctx.kv.values.update({("tests", "b1"): 1, ("tests", "a1"): 1, ("other", "a2"): 1, ("tests", "a0"): 1})
    ctx.kv.gone.add(("tests", "a9"))
    assert GetKeys(prefix="a").run(ctx).keys == ["a0", "a1"]
    assert GetKeys().run(ctx).keys == ["a0", "a1", "b1"]
    assert GetKeys(namespace="other").run(ctx).keys == ["a2"]


def test_delete_says_whether_there_was_one(ctx: PlainContext) -> None:
    ctx.kv.values["tests", "k"] = 1
    assert Delete(key="k").run(ctx).deleted is True
    assert Delete(key="k").run(ctx).deleted is False
    assert ctx.kv.values == {}
    with pytest.raises(TaskFailed) as caught:
        Delete(key="k", error_on_missing=True).run(ctx)
    assert str(caught.value) == "No value found for key 'k' in namespace 'tests' and `errorOnMissing` is set to true"


def test_purge_removes_what_has_expired(ctx: PlainContext) -> None:
    ctx.kv.values["tests", "a"] = 1
    ctx.kv.gone |= {("tests", "b"), ("tests.sub", "c"), ("other", "d")}
    assert PurgeKV(namespaces=["tests"]).run(ctx).size == 2
    assert ctx.kv.gone == {("other", "d")}
    assert PurgeKV(namespace_pattern="oth*", key_pattern="x*").run(ctx).size == 0
    assert PurgeKV(namespace_pattern="oth*").run(ctx).size == 1
    assert ctx.kv.values == {("tests", "a"): 1}


def test_purge_of_all_that_match(ctx: PlainContext) -> None:
    ctx.kv.values.update({("tests", "tmp_1"): 1, ("tests", "keep"): 1, ("tests.sub", "tmp_2"): 1})
    purge = PurgeKV(
        namespaces=["tests"], key_pattern="tmp_*", include_child_namespaces=False,
        behavior=KeyBehavior(expired_only=False),
    )  # fmt: skip
    assert purge.run(ctx).size == 1
    assert sorted(ctx.kv.values) == [("tests", "keep"), ("tests.sub", "tmp_2")]


@pytest.mark.parametrize(("behavior", "left"), [
    (KeyBehavior(type_="version"), {("other", "a")}),
    (KeyBehavior(type_="version", keep_amount=1), {("tests", "a"), ("other", "a")}),
    (KeyBehavior(type_="version", before=datetime(2100, 1, 1, tzinfo=UTC)), {("tests", "a"), ("other", "a")}),
])  # fmt: skip
def test_of_the_versions_of_a_key_the_newest_is_there(
    ctx: PlainContext, behavior: KeyBehavior, left: set[tuple[str, str]]
) -> None:
    ctx.kv.values.update({("tests", "a"): 1, ("other", "a"): 2})
    assert PurgeKV(namespaces=["tests"], behavior=behavior).run(ctx).size == 2 - len(left)
    assert ctx.kv.values.keys() == left


@pytest.mark.parametrize(("given", "message"), [
    ({"keep_amount": 1}, "`before` and `keepAmount` are about versions\n  expected: type: version"),
    ({"type_": "version", "keep_amount": 0}, "`keepAmount` is less than 1\n  expected: a number of versions to keep"),
    ({"type_": "version", "keep_amount": 2, "before": datetime(2100, 1, 1, tzinfo=UTC)},
     "`before` and `keepAmount` are both given\n  expected: one of them"),
])  # fmt: skip
def test_which_versions_go_is_said_in_one_way(given: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        KeyBehavior(**given)
    assert str(caught.value) == message


def test_purge_takes_names_or_a_pattern(ctx: PlainContext) -> None:
    with pytest.raises(Invalid) as caught:
        PurgeKV(namespaces=["a"], namespace_pattern="b*").run(ctx)
    assert str(caught.value) == "`namespaces` and `namespacePattern` are both given\n  expected: one of them"


# In flows


def test_what_one_task_sets_the_next_reads(app: App) -> None:
    run = run_flow(
        flow(
            'id: set, type: io.kestra.plugin.core.kv.Set, key: k, value: "{{ 1 + 1 }}"',
            "id: again, type: kv.Set, key: k, value: 3, overwrite: false",
        ),
        app=app,
    )
    assert (run.state, run.tasks["again"].error) == (
        "FAILED", "Cannot set value for key 'k'. Key already exists and `overwrite` is set to `false`.",
    )  # fmt: skip
    run = run_flow(
        flow(
            "id: get, type: kv.Get, key: k",
            'id: shown, type: debug.Return, format: "{{ kv(\'k\') + 1 }}"',
            "id: keys, type: kv.GetKeys",
            "id: delete, type: kv.Delete, key: k",
            "id: gone, type: kv.Get, key: k",
        ),
        app=app,
    )
    found = {name: task.output for name, task in run.tasks.items()}
    assert found == {
        "get": {"value": 2}, "shown": {"value": "3"}, "keys": {"keys": ["k"]}, "delete": {"deleted": True},
        "gone": {"value": None},
    }  # fmt: skip


def test_a_value_with_a_time_is_gone_when_it_is_over(app: App) -> None:
    tasks = (
        "id: set, type: kv.Set, key: short, value: 1, ttl: PT0.05S, kvDescription: for a moment",
        "id: sleep, type: flow.Sleep, duration: PT0.1S",
        "id: shown, type: debug.Return, format: \"{{ kv('short', errorOnMissing=false) ?? 'gone' }}\"",
        "id: keys, type: kv.GetKeys",
        "id: get, type: kv.Get, key: short",
    )
    run = run_flow(flow(*tasks), app=app)
    assert run.tasks["shown"].output == {"value": "gone"}
    assert run.tasks["keys"].output == {"keys": []}
    assert (run.state, run.tasks["get"].error) == ("FAILED", "The requested value has expired")
    run = run_flow(flow("id: purge, type: kv.PurgeKV", "id: get, type: kv.Get, key: short"), app=app)
    assert (run.tasks["purge"].output, run.tasks["get"].output) == ({"size": 1}, {"value": None})


def test_a_key_of_the_flows_own_namespace_is_looked_for_in_its_parents_too(app: App) -> None:
    app.kv.set("company", "k", "above")
    run = run_flow(
        flow("id: own, type: kv.Get, key: k", "id: named, type: kv.Get, key: k, namespace: company.team"), app=app
    )
    assert (run.tasks["own"].output, run.tasks["named"].output) == ({"value": "above"}, {"value": None})


def test_a_secret_is_recorded_by_name_and_read_as_its_value(app: App) -> None:
    run = run_flow(
        flow(
            "id: set, type: kv.Set, key: header, value: \"Bearer {{ secret('TOKEN') }}\"",
            "id: right, type: debug.Return, format: \"{{ kv('header') | length }}\"",
            "id: get, type: kv.Get, key: header",
        ),
        app=app,
    )
    assert (run.state, run.tasks["right"].output) == ("SUCCESS", {"value": str(len("Bearer s3cr3t-token"))})
    assert run.tasks["get"].output == {"value": "Bearer s3cr3t-token"}
    assert str(app.kv.get("company.team", "header").value) == "Bearer ••••"
    assert b"s3cr3t-token" not in b"".join(path.read_bytes() for path in app.settings.home.glob("records.db*"))
