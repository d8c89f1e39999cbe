"""One execution: its head, what can be done with it, and the overview."""

from __future__ import annotations

import re
from time import monotonic, sleep

import pytest

from core.host.product import AuditFilter
from core.host.views import ExecutionView, History
from core.sdk import NotFound
from tests.waiting import PATIENCE

from .conftest import Site
from .running import GOOD, SHAPES, text_of, until, waiting

NOWHERE = "01979d8a-2f6b-7c1e-9a43-5d0c6c2f8b11"


@pytest.fixture(scope="module")
def failed(site: Site) -> ExecutionView:
    """Of SHAPES."""
    return site.run(SHAPES)


@pytest.fixture(scope="module")
def good(site: Site) -> ExecutionView:
    return site.run(GOOD)


# -- the head


@pytest.mark.parametrize("tab", ["", "/gantt", "/graph", "/logs", "/source", "/outputs"])
def test_each_tab_has_its_address_and_the_same_head(site: Site, failed: ExecutionView, tab: str) -> None:
    page = site.get(f"/executions/{failed.id}{tab}")
    assert re.search(rf'href="/executions/{failed.id}{tab}" aria-current="page"', page)
    head = page.partition('<div id="head"')[2].partition("</nav>")[0]
    assert '<span class="state failed">failed</span>' in head
    assert "team: sales" in head


@pytest.mark.parametrize("tab", ["", "/gantt", "/graph", "/logs", "/source", "/logs/file", "/replay", "/resume"])
def test_an_execution_that_is_not_there(site: Site, tab: str) -> None:
    with site.client() as client:
        for id in (NOWHERE, "x"):
            assert client.get(f"/executions/{id}{tab}").status_code == 404


def test_what_can_be_done_follows_the_state(site: Site, failed: ExecutionView, good: ExecutionView) -> None:
    def buttons(view: ExecutionView) -> list[str]:
        return re.findall(r'id="do-([a-z-]+)"', site.get(f"/executions/{view.id}"))

    assert buttons(failed) == ["restart", "replay"]
    assert buttons(good) == ["replay"]
    paused = waiting(site)
    assert buttons(paused) == ["kill"]
    assert f'href="/executions/{paused.id}/resume"' in site.get(f"/executions/{paused.id}")
    site.app.executions.kill(paused.id)


def test_only_what_goes_on_is_followed(site: Site, good: ExecutionView) -> None:
    paused = waiting(site)
    assert "data-live" not in site.get(f"/executions/{good.id}")
    live = f'data-live="/api/v1/events?flow_execution_id={paused.id}"'
    assert live in site.get(f"/executions/{paused.id}")
    site.app.executions.kill(paused.id)


# -- the overview


def test_what_failed_comes_first_with_why_and_where(site: Site, failed: ExecutionView) -> None:
    page = site.get(f"/executions/{failed.id}")
    line = SHAPES.split("\n").index("  - id: broken") + 1
    assert page.index("What failed") < page.index("Tasks</h2>")
    assert '<pre class="error">no &lt;script&gt; for AT</pre>' in page
    assert f'href="/executions/{failed.id}/source#L{line}"' in page
    assert f'href="/executions/{failed.id}/logs?task_name=broken"' in page
    assert page.count('<article class="sheet failure">') == 1


def test_the_properties_of_the_failed_attempt_are_as_they_were_rendered(site: Site, failed: ExecutionView) -> None:
    page = site.get(f"/executions/{failed.id}")
    properties = page.partition("Its properties, as they were rendered")[2].partition("</details></article>")[0]
    assert "no &lt;script&gt; for AT" in properties


def test_inputs_and_outputs_are_shown_as_values(site: Site, good: ExecutionView, failed: ExecutionView) -> None:
    outputs = text_of(site.get(f"/executions/{good.id}").partition("Outputs of the flow")[2].partition("Tasks")[0])
    assert "answer" in outputs
    assert "42" in outputs
    assert "country" in text_of(site.get(f"/executions/{failed.id}").partition(">Inputs<")[2])


def test_what_waits_says_what_it_waits_for(site: Site) -> None:
    paused = waiting(site)
    page = site.get(f"/executions/{paused.id}")
    assert "<li>approve waits for a person, who gives reason (STRING), amount (INT)</li>" in page
    site.app.executions.kill(paused.id)


def test_a_loop_is_one_row(site: Site, failed: ExecutionView) -> None:
    tasks = text_of(site.get(f"/executions/{failed.id}").partition("<h2 id=\"tasks\">")[2].partition("</table>")[0])
    assert re.search(r"inside 120 times debug.Return +success", tasks)
    assert tasks.count("inside") == 1


# -- doing


def test_a_wrong_token_does_nothing(site: Site, good: ExecutionView) -> None:
    with site.client() as client:
        client.get("/executions")
        answer = client.post(f"/executions/{good.id}/replay", data={"csrf": "wrong"})
    assert answer.status_code == 403


def test_replay_makes_a_new_execution_that_runs(site: Site, good: ExecutionView) -> None:
    answer = site.post(f"/executions/{good.id}/replay")
    new = answer.headers["location"].rpartition("/")[2]
    view = until(site, site.app.executions.get(new), "SUCCESS")
    assert (answer.status_code, view.original_id) == (303, good.id)
    (row,) = site.app.changes.audit(AuditFilter(subject=(new,))).data
    assert (row.actor, row.action, row.before) == ("local", "flow_execution.replay", {"original_id": good.id})


def test_replay_from_a_task_keeps_what_ran_before(site: Site, good: ExecutionView) -> None:
    page = site.get(f"/executions/{good.id}/replay?from_task=two")
    assert '<option value="two" selected>two</option>' in page
    new = site.post(f"/executions/{good.id}/replay", from_task="two").headers["location"].rpartition("/")[2]
    until(site, site.app.executions.get(new), "SUCCESS")
    ran = {task.task_name: task.ended_at for task in site.app.executions.tasks(new)}
    before = {task.task_name: task.ended_at for task in site.app.executions.tasks(good.id)}
    assert (ran["one"] == before["one"], ran["two"] == before["two"]) == (True, False)
    assert site.get(f"/executions/{new}/gantt").count("taken over") == 1


def test_a_replay_that_can_not_be_is_told_in_its_form(site: Site, failed: ExecutionView) -> None:
    answer = site.post(f"/executions/{failed.id}/replay", from_task="inside")
    assert answer.status_code == 422
    assert "`inside` ran for more than one value; expected: the value of the loop" in answer.text
    assert '<option value="inside" selected>' in answer.text


def test_restart_goes_on_in_the_execution(site: Site) -> None:
    view = site.run(SHAPES.replace("id: shapes", "id: restarted"))
    answer = site.post(f"/executions/{view.id}/restart")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/executions/{view.id}")
    ended = until(site, view, "FAILED")
    assert "RESTARTED" in [state for state, _ in until_history(site, ended)]


def until_history(site: Site, view: ExecutionView) -> History:
    """Its states, once it was restarted."""
    end = monotonic() + PATIENCE
    while len(found := site.app.executions.get(view.id).history) <= 3 and monotonic() < end:
        sleep(0.02)
    return found


def test_kill_ends_it_with_an_audit_row(site: Site) -> None:
    paused = waiting(site)
    site.post(f"/executions/{paused.id}/kill")
    until(site, paused, "KILLED")
    (row,) = site.app.changes.audit(AuditFilter(subject=(paused.id,))).data
    assert (row.action, row.before) == ("flow_execution.cancel", {"state": "PAUSED"})


def test_what_its_state_does_not_allow_is_a_page(site: Site, good: ExecutionView) -> None:
    answer = site.post(f"/executions/{good.id}/kill")
    assert answer.status_code == 409
    assert "has already ended: SUCCESS" in answer.text


def test_resume_asks_for_the_inputs_of_the_task(site: Site) -> None:
    paused = waiting(site)
    page = site.get(f"/executions/{paused.id}/resume")
    assert re.search(r'name="input.reason"', page)
    assert re.search(r'name="input.amount" value="5"', page)
    wrong = site.post(f"/executions/{paused.id}/resume", task_name="approve", **{
        "input.reason": "<i>kept</i>", "input.amount": "many", "begun.amount": "5",
    })  # fmt: skip
    assert wrong.status_code == 422
    assert 'value="&lt;i&gt;kept&lt;/i&gt;"' in wrong.text
    assert re.search(r'id="input-amount-problem">[^<]+<', wrong.text)
    site.post(f"/executions/{paused.id}/resume", task_name="approve", **{
        "input.reason": "because", "input.amount": "7", "begun.amount": "5",
    })  # fmt: skip
    until(site, paused, "SUCCESS")
    after = next(task for task in site.app.executions.tasks(paused.id) if task.task_name == "after")
    assert site.app.outputs.value(after.id) == {"value": "because 7"}


def test_a_viewer_sees_no_buttons_and_may_do_nothing(own_site: Site) -> None:
    view = own_site.run(GOOD)
    with own_site.client(own_site.key("viewer")) as client:
        assert "do-replay" not in client.get(f"/executions/{view.id}").text
        assert client.get(f"/executions/{view.id}/replay").status_code == 403
        assert client.post(f"/executions/{view.id}/replay").status_code == 403


def test_another_organization_sees_none_of_it(own_site: Site) -> None:
    view = own_site.run(GOOD)
    own_site.deployment.keys.create_organization("acme")
    with own_site.client(own_site.key("admin", "acme")) as client:
        for tab in ("", "/gantt", "/graph", "/logs", "/logs/file", "/source", "/replay", "/resume"):
            assert client.get(f"/executions/{view.id}{tab}").status_code == 404
        for action in ("kill", "pause", "restart", "force-run", "stale", "replay", "resume"):
            assert client.post(f"/executions/{view.id}/{action}").status_code == 404


def test_what_is_stale_can_be_run_alone(site: Site) -> None:
    view = site.run(GOOD.replace("id: good", "id: corrected").replace("first <b>line</b>", "{{ outputs.one.value }}"))
    one = next(task for task in site.app.executions.tasks(view.id) if task.task_name == "one")
    site.app.changes.correct(one.id, one.version, by="local", output={"value": "43"}, reason="wrong")
    assert re.findall(r'id="do-([a-z-]+)"', site.get(f"/executions/{view.id}")) == ["stale", "replay"]
    new = site.post(f"/executions/{view.id}/stale").headers["location"].rpartition("/")[2]
    until(site, site.app.executions.get(new), "SUCCESS")
    assert [line.message for line in site.app.executions.logs(new, task_name="two")][:1] == ["43"]
    assert site.app.executions.get(new).outputs == {"answer": 43}


def test_pausing_holds_what_comes_next_until_it_is_resumed(site: Site) -> None:
    view = until(site, site.begin(
        "id: held\nnamespace: company.team\ntasks:\n  - id: first\n    type: scripts.shell.Commands\n"
        "    taskRunner: {type: runner.Process}\n    commands: [\"sleep 2\"]\n"
        "  - {id: second, type: debug.Return, format: x}\n"
    ), "RUNNING")  # fmt: skip
    assert 'id="do-pause"' in site.get(f"/executions/{view.id}")
    assert site.post(f"/executions/{view.id}/pause").status_code == 303
    until(site, view, "PAUSED")
    assert "Nothing new begins until it is resumed." in site.get(f"/executions/{view.id}/resume")
    assert site.post(f"/executions/{view.id}/resume").status_code == 303
    until(site, view, "SUCCESS")


def test_one_of_several_that_wait_is_chosen(site: Site) -> None:
    flow = (
        "id: several\nnamespace: company.team\ntasks:\n  - id: each\n    type: flow.ForEach\n    values: [a, b]\n"
        "    concurrencyLimit: 2\n    tasks: [{id: approve, type: flow.Pause, onResume: [{id: why, type: STRING}]}]\n"
    )
    view = until(site, site.begin(flow), "PAUSED")
    page = site.get(f"/executions/{view.id}/resume")
    assert re.findall(r">(approve \[\w\])<", page) == ["approve [a]", "approve [b]"]
    page = site.get(f"/executions/{view.id}/resume?task_name=approve&value=b")
    assert 'name="value" value="b"' in page
    answer = site.post(f"/executions/{view.id}/resume", task_name="approve", value="b", **{"input.why": "so"})
    assert answer.status_code == 303
    until(site, view, "PAUSED", "RUNNING")
    site.app.executions.kill(view.id)


def test_a_flow_whose_plugin_is_gone_is_still_told(
    site: Site, good: ExecutionView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise NotFound("there is no type `debug.Return`")

    monkeypatch.setattr(type(site.app.flows), "parsed", gone)
    assert "there is no type `debug.Return`" in site.get(f"/executions/{good.id}/graph")
    assert "Outputs of the flow" in site.get(f"/executions/{good.id}")
    assert "debug.Return" in site.get(f"/executions/{good.id}/source")
