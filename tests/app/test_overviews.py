"""What ran, what depends on what, and what lists amount to, of flows that the engine itself ran."""

from __future__ import annotations

import pytest

from core.app import App
from core.errors import NotFound
from core.host.overviews import ReadLink
from core.host.views import OutputFilter

FLOW = """
id: prices
namespace: company.team
inputs: [{id: factor, type: INT, defaults: 2}]
tasks:
  - {id: base, type: output.OutputValues, values: {price: "{{ inputs.factor * 5 }}"}}
  - id: each
    type: flow.ForEach
    values: "{{ [outputs.base.values.price, 'b/c'] }}"
    tasks:
      - {id: shown, type: debug.Return, format: "{{ taskrun.value }} of {{ outputs.base.values.price }}"}
      - {id: again, type: debug.Return, format: "{{ outputs.shown[taskrun.value].value }}"}
  - {id: sometimes, type: debug.Return, runIf: "{{ outputs.base.values.price == 'x' }}", format: never}
outputs: [{id: price, type: STRING, value: "{{ outputs.base.values.price }}"}]
"""


@pytest.fixture
def execution(app: App) -> str:
    view = app.run(FLOW)
    assert view.state == "SUCCESS", view.error
    return view.id


def test_the_outline_names_each_task_once(app: App, execution: str) -> None:
    found = app.executions.outline(execution)
    assert [(one.task_name, one.parent, one.count, one.states) for one in found] == [
        ("base", None, 1, {"SUCCESS": 1}), ("each", None, 1, {"SUCCESS": 1}), ("shown", "each", 2, {"SUCCESS": 2}),
        ("again", "each", 2, {"SUCCESS": 2}), ("sometimes", None, 1, {"SKIPPED": 1}),
    ]  # fmt: skip
    views = app.executions.tasks(execution)
    for one in found:
        mine = [view for view in views if view.task_name == one.task_name]
        assert one.id == mine[-1].id
        assert one.ended_at == max(view.ended_at or 0 for view in mine)
        assert one.output_size == sum(view.output_size or 0 for view in mine)
        starts = [at for view in mine for state, at in view.history if state == "RUNNING"]
        assert one.started_at == (min(starts) if starts else None)
    assert app.executions.outline("last") == found
    with pytest.raises(NotFound):
        app.executions.outline("ffff")


def test_links_go_through_the_flow(app: App, execution: str) -> None:
    ids = {(view.task_name, view.value): view.id for view in app.executions.tasks(execution)}

    def link(what: str, name: str = "", value: str | None = None, purpose: str = "properties") -> ReadLink:
        return ReadLink(what, ids.get((name, value)), name, value, purpose)

    base = app.outputs.lineage("last/base")
    assert base.sources == (link("inputs.factor"),)
    price = "outputs.base.values"
    assert set(base.readers) == {
        link(price, "each", purpose="values"), link(price, "sometimes", purpose="runIf"),
        link(price, "shown", "10"), link(price, "shown", "b/c"), link(price, purpose="outputs"),
    }  # fmt: skip
    again = app.outputs.lineage(ids["again", "b/c"])
    assert [one for one in again.sources if one.task_execution_id] == [link("outputs.shown.b/c", "shown", "b/c")]
    shown = app.outputs.lineage(ids["shown", "b/c"])
    assert shown.readers == (link("outputs.shown.b/c", "again", "b/c"),)
    each = app.outputs.lineage("last/each")
    assert each.sources == (link(price, "base", purpose="values"),)
    with pytest.raises(NotFound):
        app.outputs.lineage("ffff")


def test_lists_are_searched_and_summed_up(app: App, execution: str) -> None:
    found = app.outputs.list(OutputFilter(flow_execution_id=("last",), search="B/C OF")).data
    assert [(view.task_name, view.value) for view in found] == [("again", "b/c"), ("shown", "b/c")]
    figures = app.outputs.figures(OutputFilter(flow_execution_id=("last",)))
    assert (figures.examined, figures.whole, sum(one.count for one in figures.per_day)) == (7, True, 7)
    assert {one.task_name for one in figures.durations} == {"base", "each", "shown", "again"}
    assert app.outputs.summary_over_time(OutputFilter(), "nope") == ()
    (run,) = app.executions.past_runs([("company.team", "prices")])["company.team", "prices"]
    view = app.executions.get(execution)
    assert (run.id, run.state, run.seconds) == (view.id, "SUCCESS", view.duration)
