"""Which revision of a flow an execution is of."""

from __future__ import annotations

import pytest

from core.app import App
from core.errors import NotFound

HEAD = "id: flow\nnamespace: company.team\ntasks:\n"


def flow(format: str) -> str:
    return f"{HEAD}  - {{id: say, type: debug.Return, format: {format}}}\n"


def revisions(app: App) -> list[int]:
    return [view.revision for view in app.flows.revisions("company.team", "flow")]


def test_a_stored_revision_is_started_as_it_is(app: App) -> None:
    app.flows.push(flow("one"))
    app.flows.push(flow("two"))
    created, _ = app.executions.create(app.flows.parsed("company.team", "flow", 1), {})

    assert created.flow_revision == 1
    assert revisions(app) == [2, 1]
    assert app.executions.run(created.id).flow_revision == 1
    assert app.outputs.value(f"{created.id}/say")["value"] == "one"


@pytest.mark.parametrize("revision", [3, 10**30, -(10**30)])
def test_a_revision_that_was_never_stored_is_not_found(app: App, revision: int) -> None:
    app.flows.push(flow("one"))

    with pytest.raises(NotFound, match=f"there is no flow company.team.flow with revision {revision}"):
        app.flows.get("company.team", "flow", revision)


def test_a_flow_that_was_only_read_is_stored_with_its_first_execution(app: App) -> None:
    created, _ = app.executions.create(app.flows.read(flow("one")), {})
    again, _ = app.executions.create(app.flows.read(flow("one")), {})

    assert (created.flow_revision, again.flow_revision) == (1, 1)
    assert revisions(app) == [1]
