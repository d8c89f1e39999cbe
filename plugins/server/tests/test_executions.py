"""Flow executions over HTTP: started, looked at, and asked to go on or to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.waiting import PATIENCE

from .conftest import Api, installed, serving

CHAIN = """
id: chain
namespace: company.team
inputs:
  - {id: n, type: INT, defaults: 3}
  - {id: note, type: STRING, required: false}
tasks:
  - {id: first, type: debug.Return, format: "{{ inputs.n }}"}
  - {id: second, type: debug.Return, format: "from {{ outputs.first.value }}"}
  - {id: aside, type: debug.Return, format: "aside"}
outputs:
  - {id: result, type: STRING, value: "{{ outputs.second.value }}"}
"""
WAITS = """
id: waits
namespace: company.team
tasks:
  - id: ask
    type: flow.Pause
    onResume:
      - {id: fine, type: BOOLEAN}
  - {id: told, type: debug.Return, format: "{{ outputs.ask.onResume.fine }}"}
"""
BREAKS = """
id: breaks
namespace: company.team
tasks:
  - {id: before, type: debug.Return, format: "kept"}
  - {id: wrong, type: execution.Fail, errorMessage: "no luck"}
"""
SLEEPS = """
id: sleeps
namespace: company.other
tasks:
  - {id: long, type: flow.Sleep, duration: PT1H}
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """With an engine in threads."""
    with installed(tmp_path_factory.mktemp("home")) as deployment:
        for source in (CHAIN, WAITS, BREAKS, SLEEPS):
            deployment.services("default").flows.push(source)
        engine = deployment.engine(workers=4, processes=False)
        engine.start()
        try:
            with serving(deployment, engine=engine) as api:
                yield api
        finally:
            engine.close()


@pytest.fixture(scope="module")
def client(api: Api) -> httpx.Client:
    return api.client()


def start(client: httpx.Client, flow_id: str, *, wait: int = 20, namespace: str = "company.team", **more: Any) -> Any:
    answer = client.post(
        "/flow-executions", params={"wait": wait}, json={"namespace": namespace, "flow_id": flow_id, **more}
    )
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/flow-executions/{answer.json()['id']}"
    return answer.json()


def error(answer: httpx.Response) -> tuple[int, str, str]:
    told = answer.json()["error"]
    return answer.status_code, told["code"], told["message"]


def task(client: httpx.Client, execution: Any, name: str) -> Any:
    found = client.get("/task-outputs", params={"flow_execution_id": execution["id"], "task_name": name}).json()["data"]
    assert len(found) == 1
    return found[0]


def test_a_flow_is_started_and_the_answer_waits_for_its_end(client: httpx.Client) -> None:
    done = start(client, "chain", inputs={"n": "5"}, labels={"team": "sales"})
    assert (done["state"], done["status"], done["inputs"]) == ("SUCCESS", "completed", {"n": 5, "note": None})
    assert (done["outputs"], done["warnings"], done["labels"]["team"]) == ({"result": "from 5"}, [], "sales")
    assert [entered["state"] for entered in done["history"]] == ["CREATED", "RUNNING", "SUCCESS"]


def test_an_execution_is_shown_with_the_task_outputs_that_are_asked_for(client: httpx.Client) -> None:
    done = start(client, "chain")
    path = f"/flow-executions/{done['id']}"
    assert client.get(path).json()["id"] == done["id"]
    assert "task_outputs" not in client.get(path).json()
    shown = client.get(path, params={"include": "task_outputs"}).json()["task_outputs"]
    assert [(one["task_name"], one["output"]) for one in shown] == [
        ("first", {"value": "3"}), ("second", {"value": "from 3"}), ("aside", {"value": "aside"}),
    ]  # fmt: skip
    some = client.get(path, params={"include": "task_outputs", "task_name": "aside", "status": "completed"}).json()
    assert [one["task_name"] for one in some["task_outputs"]] == ["aside"]
    wrong = client.get(path, params={"task_name": "aside"})
    assert error(wrong) == (422, "invalid", "`task_name` and `status` choose among task outputs")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"namespace": "company.team", "flow_id": "none"}, (404, "missing", "there is no flow company.team.none")),
        ({"namespace": "company.team", "flow_id": "chain", "revision": 9},
         (404, "missing", "there is no flow company.team.chain with revision 9")),
        ({"namespace": "company.team", "flow_id": "chain", "inputs": {"n": "many"}},
         (422, "invalid", "Invalid input for `n`, expected INT, but received `many`")),
        ({"namespace": "company.team"}, (422, "invalid", "the body is not what it should be")),
    ],
)  # fmt: skip
def test_what_can_not_be_started_is_refused(
    client: httpx.Client, given: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    answer = client.post("/flow-executions", json=given)
    status, code, message = error(answer)
    assert (status, code) == expected[:2]
    assert message.splitlines()[0].startswith(expected[2].split(",")[0])


def test_a_path_of_the_servers_machine_is_no_file_input(client: httpx.Client, api: Api, tmp_path: Path) -> None:
    api.deployment.services("default").flows.push(
        "id: reads\nnamespace: company.team\ninputs: [{id: file, type: FILE}]\n"
        "tasks: [{id: a, type: debug.Return, format: \"{{ read(inputs.file) }}\"}]"
    )
    secret = tmp_path / "secret.txt"
    secret.write_text("of the machine")
    given = {"namespace": "company.team", "flow_id": "reads", "inputs": {"file": str(secret)}}
    message = "Invalid input for `file`, a path of this machine can't be read from elsewhere"
    assert error(client.post("/flow-executions", json=given)) == (422, "invalid", message)


def test_lists_are_filtered_and_walked(client: httpx.Client) -> None:
    made = [start(client, "chain", labels={"walk": "yes"})["id"] for _ in range(5)]
    which = {"label": "walk:yes", "flow_id": "chain", "namespace": "company.*", "state": "SUCCESS", "limit": 2}
    seen: list[str] = []
    page = client.get("/flow-executions", params=which).json()
    while True:
        seen += [one["id"] for one in page["data"]]
        if page["next"] is None:
            break
        page = client.get(page["next"].removeprefix("/api/v1")).json()
    assert seen == made[::-1]
    newer = client.get("/flow-executions", params={**which, "ending_before": made[0]}).json()
    assert [one["id"] for one in newer["data"]] == [made[2], made[1]]
    assert client.get("/flow-executions", params={"label": "walk:no"}).json() == {
        "data": [], "has_more": False, "next": None,
    }  # fmt: skip


def test_a_person_lets_a_paused_execution_go_on(client: httpx.Client) -> None:
    waiting = start(client, "waits")
    assert waiting["state"] == "PAUSED"
    path = f"/flow-executions/{waiting['id']}"
    (reason,) = client.get(f"{path}/why").json()["data"]
    assert ("ask" in reason["text"], reason["command"][:2]) == (True, ["executions", "resume"])
    wrong = client.post(f"{path}/resume", json={"inputs": {"fine": 7}})
    assert wrong.status_code == 422
    assert client.post(f"{path}/resume", json={"inputs": {"fine": True}}).status_code == 200
    assert ended(client, waiting["id"])["state"] == "SUCCESS"
    assert task(client, waiting, "told")["output"] == {"value": "true"}
    again = client.post(f"{path}/resume", json={})
    assert error(again) == (409, "conflict", f"the execution {waiting['id']} can't be resumed: it is SUCCESS")


def ended(client: httpx.Client, execution_id: str) -> Any:
    """Follow its log to the end."""
    with client.stream("GET", f"/flow-executions/{execution_id}/logs", params={"follow": "true"}) as answer:
        assert "event: end" in "".join(answer.iter_text())
    return client.get(f"/flow-executions/{execution_id}").json()


def test_an_execution_is_cancelled(client: httpx.Client) -> None:
    long = start(client, "sleeps", namespace="company.other", wait=0)
    assert client.post(f"/flow-executions/{long['id']}/cancel").status_code == 200
    assert ended(client, long["id"])["state"] == "KILLED"
    (row,) = client.get("/audit", params={"subject": long["id"], "action": "flow_execution.cancel"}).json()["data"]
    assert row["before"]["state"] in ("CREATED", "RUNNING")
    again = client.post(f"/flow-executions/{long['id']}/cancel")
    assert error(again) == (409, "conflict", f"the execution {long['id']} has already ended: KILLED")


def test_a_failed_execution_goes_on_in_itself(client: httpx.Client) -> None:
    broken = start(client, "breaks")
    assert (broken["state"], task(client, broken, "wrong")["error"]) == ("FAILED", "no luck")
    answer = client.post(f"/flow-executions/{broken['id']}/restart")
    assert answer.status_code == 200
    until = monotonic() + PATIENCE
    states: list[str] = []
    while states.count("FAILED") < 2 and monotonic() < until:  # the engine reads its inbox a moment later
        wrong = ended(client, broken["id"])
        states = [entered["state"] for entered in wrong["history"]]
    assert states == ["CREATED", "RUNNING", "FAILED", "RESTARTED", "RUNNING", "FAILED"]
    shown = client.get(f"/task-executions/{task(client, broken, 'wrong')['id']}").json()
    assert [(one["n"], one["state"]) for one in shown["attempts"]] == [(1, "FAILED"), (2, "FAILED")]


def test_an_execution_is_replayed_from_a_task(client: httpx.Client) -> None:
    first = start(client, "chain", inputs={"n": 7})
    answer = client.post(f"/flow-executions/{first['id']}/replay", params={"wait": 20}, json={"from_task": "second"})
    again = answer.json()
    assert (answer.status_code, again["state"], again["original_id"]) == (201, "SUCCESS", first["id"])
    kept = client.get(f"/task-executions/{task(client, again, 'first')['id']}").json()
    assert kept["copied_from"] == task(client, first, "first")["id"]


def test_only_what_is_stale_runs_again_after_a_correction(client: httpx.Client) -> None:
    first = start(client, "chain")
    nothing = client.post(f"/flow-executions/{first['id']}/execute", params={"only_stale": "true"})
    assert error(nothing) == (409, "conflict", f"nothing of the execution {first['id']} is stale")
    path = f"/task-outputs/{task(client, first, 'first')['id']}"
    tag = client.get(path).headers["etag"]
    corrected = client.patch(path, headers={"If-Match": tag}, json={"output": {"value": "40"}, "reason": "a typo"})
    assert corrected.json()["made_stale"] == [task(client, first, "second")["id"]]
    answer = client.post(f"/flow-executions/{first['id']}/execute", params={"only_stale": "true", "wait": 20})
    again = answer.json()
    assert (answer.status_code, again["state"], again["outputs"]) == (201, "SUCCESS", {"result": "from 40"})
    attempts = {name: len(client.get(f"/task-executions/{task(client, again, name)['id']}").json()["attempts"])
                for name in ("first", "second", "aside")}  # fmt: skip
    assert attempts == {"first": 1, "second": 2, "aside": 1}


def test_an_execution_is_hidden_with_its_outputs_and_comes_back(client: httpx.Client) -> None:
    done = start(client, "chain")
    path = f"/flow-executions/{done['id']}"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get("/task-outputs", params={"flow_execution_id": done["id"]}).json() == {
        "data": [], "has_more": False, "next": None,
    }  # fmt: skip
    back = client.post(f"{path}/restore")
    assert (back.status_code, back.json()["id"]) == (200, done["id"])
    assert len(client.get("/task-outputs", params={"flow_execution_id": done["id"]}).json()["data"]) == 3


def test_task_executions_show_how_tasks_ran(client: httpx.Client) -> None:
    done = start(client, "chain")
    page = client.get("/task-executions", params={"flow_execution_id": done["id"]}).json()
    assert [(one["task_name"], one["type"], one["state"]) for one in page["data"]] == [
        ("aside", "debug.Return", "SUCCESS"), ("second", "debug.Return", "SUCCESS"), ("first", "debug.Return", "SUCCESS"),
    ]  # fmt: skip
    one = client.get(f"/task-executions/{page['data'][0]['id']}").json()
    assert one == page["data"][0]
    assert [entered["state"] for entered in one["history"]] == ["CREATED", "RUNNING", "SUCCESS"]
    assert one["attempts"][0]["duration"] >= 0


def test_logs_are_read_in_pages_and_followed_to_the_end(client: httpx.Client) -> None:
    done = start(client, "chain")
    path = f"/flow-executions/{done['id']}/logs"
    page = client.get(path, params={"limit": 2}).json()
    assert ([line["message"] for line in page["data"]], page["has_more"]) == (["3", "from 3"], True)
    rest = client.get(path, params={"after": page["next"]}).json()
    assert ([line["message"] for line in rest["data"]], rest["next"]) == (["aside"], None)
    own = client.get(f"/task-executions/{task(client, done, 'second')['id']}/logs").json()
    assert [line["message"] for line in own["data"]] == ["from 3"]
    with client.stream("GET", path, params={"follow": "true"}, headers={"Last-Event-ID": "2"}) as answer:
        text = "".join(answer.iter_text())
    assert text.startswith("retry: 2000\n\nid: 3\nevent: log\ndata: {\"seq\":3,")
    assert text.endswith("id: 3\nevent: end\ndata: {}\n\n")


def test_expressions_are_evaluated_in_the_recorded_context(client: httpx.Client) -> None:
    done = start(client, "chain", inputs={"n": 4})
    asked = {"flow_execution_id": done["id"], "expression": "outputs.first.value ~ inputs.n"}
    assert client.post("/eval", json=asked).json() == {"text": "44", "value": "44", "type": "text"}
    secret = client.post("/eval", json={**asked, "expression": "secret('TOKEN')"})
    assert (secret.status_code, secret.json()["error"]["code"]) == (403, "forbidden")
    wrong = client.post("/eval", json={**asked, "expression": "outputs.frist.value"})
    assert wrong.status_code == 422
    assert "first" in wrong.text


def test_a_task_execution_in_loops_is_evaluated_in_its_own_context(client: httpx.Client) -> None:
    source = (
        "id: loops\nnamespace: company.team\ntasks:\n  - id: outer\n    type: flow.ForEach\n    values: [1, 2]\n    tasks:\n"
        "      - id: inner\n        type: flow.ForEach\n        values: [x, y]\n"
        "        tasks: [{id: leaf, type: debug.Return, format: '{{ taskrun.value }}'}]\n"
    )
    assert client.put("/flows/company.team/loops", json={"source": source}).status_code == 200
    done = start(client, "loops")
    leaves = client.get("/task-executions", params={"flow_execution_id": done["id"], "task_name": "leaf"}).json()["data"]
    seen = []
    for leaf in leaves:
        asked = {"task_execution_id": leaf["id"], "expression": "parents[0].taskrun.value ~ taskrun.value"}
        seen.append(client.post("/eval", json=asked).json()["value"])
    assert sorted(seen) == ["1x", "1y", "2x", "2y"]


def test_events_come_in_order_and_can_be_resumed(client: httpx.Client) -> None:
    done = start(client, "chain")
    which = {"flow_execution_id": done["id"]}

    def events(last: str, wanted: int) -> list[tuple[str, str, str]]:
        found: list[str] = []
        with client.stream("GET", "/events", params=which, headers={"Last-Event-ID": last}) as answer:
            for line in answer.iter_lines():
                found += [line] if line.startswith(("id:", "data:")) else []
                if len(found) == 2 * wanted:
                    break
        told = [httpx.Response(200, text=line.removeprefix("data: ")).json() for line in found[1::2]]
        return [(number.removeprefix("id: "), one["kind"], one["state"])
                for number, one in zip(found[::2], told, strict=True)]  # fmt: skip

    first = events("0", 8)
    assert [(kind, state) for _, kind, state in first] == [
        ("flow_execution", "CREATED"), ("flow_execution", "RUNNING"),
        ("task_execution", "RUNNING"), ("task_execution", "SUCCESS"),
        ("task_execution", "RUNNING"), ("task_execution", "SUCCESS"),
        ("task_execution", "RUNNING"), ("task_execution", "SUCCESS"),
    ]  # fmt: skip
    assert events(first[3][0], 4) == first[4:]
