"""With `--server` the commands show of a server what they show of a home."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from core.app import load_settings, open_app, open_deployment
from core.app.remote.executions import RemoteExecutions
from core.host.views import ExecutionView
from tests.waiting import PATIENCE, until

Run = Callable[..., tuple[int, str, str]]
SHOP = """
id: shop
namespace: company.team
labels: {team: sales}
tasks:
  - {id: a, type: debug.Return, format: "hello {{ flow.id }}"}
  - {id: each, type: flow.ForEach, values: '["x","y"]', tasks: [{id: t, type: debug.Return, format: "{{ taskrun.value }}"}]}
  - {id: say, type: log.Log, message: "a line"}
  - {id: large, type: output.OutputValues, values: {text: "LONG", when: "{{ now() }}"}}
""".replace("LONG", "long " * 400)
BAD = """
id: bad
namespace: company.team
tasks:
  - {id: fine, type: debug.Return, format: fine}
  - {id: fails, type: execution.Fail, errorMessage: "no {{ 1 + 1 }}"}
"""
WAITS = """
id: waits
namespace: company.other
tasks:
  - {id: ask, type: flow.Pause, onResume: [{id: by, type: STRING}]}
  - {id: signed, type: debug.Return, format: "by {{ outputs.ask.onResume.by }}"}
"""


@frozen
class Place:
    """A home with a server over it, and the executions in it by their flows."""

    home: Path
    url: str
    ids: dict[str, str]


def started(home: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    """A server of a home, and its URL."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    command = [sys.executable, "-m", "core", "server", "--home", str(home), "--port", "0", "--threads", *options]
    log = home.with_name("server.log")
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, env=environment)
    until = time.monotonic() + PATIENCE
    while (found := re.search(r"http://[\d.]+:\d+", log.read_text("utf-8"))) is None:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < until, log.read_text("utf-8")
        time.sleep(0.05)
    return process, found[0]


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("remote") / "home"
    with open_app(load_settings(home=home, environment={}, inline_limit=1000)) as app:
        ids = {flow_id: app.run(flow).id for flow_id, flow in (("shop", SHOP), ("bad", BAD), ("waits", WAITS))}
    process, url = started(home)
    yield Place(home, url, ids)
    ended(process)


@pytest.fixture
def both(place: Place, call: Run) -> Callable[..., tuple[tuple[int, str, str], tuple[int, str, str]]]:
    """The same words for the home and for the server; what is typed to go on is made alike."""

    def asked(*words: str) -> tuple[tuple[int, str, str], tuple[int, str, str]]:
        named = [re.sub(r"\{(\w+)\}", lambda match: place.ids[match[1]], word) for word in words]
        here, there = ("--home", str(place.home)), ("--server", place.url)
        answers = []
        for where in (here, there):
            code, out, err = call(*named, *where)
            typed = " ".join(where)
            answers.append((code, out.replace(typed, "…"), err.replace(typed, "…")))
        return answers[0], answers[1]

    return asked


@pytest.mark.parametrize(
    "words",
    [
        "outputs list", "outputs list --json --limit 3", "outputs list --status completed --flow shop --task-name t",
        "outputs list --flow-execution-id {bad}", "outputs list --created-after 2020-01-01 --namespace company.*",
        "outputs list --created-before 2020-01-01", "outputs show {shop}/a", "outputs show {shop}/large --json",
        "outputs show {bad}/fails", "outputs show {bad}/fails --json", "outputs get {shop}/large",
        "outputs get {shop}/large values.when", "outputs get {shop}/say", "outputs export",
        "outputs export --flow shop --limit 2", "executions list", "executions list --json --label team:sales",
        "executions list --limit 1", "executions show {shop}", "executions show {shop} --json",
        "executions show {shop} --task-name t --value y", "executions show {shop} --task-name t --json",
        "executions show {bad}", "executions show {waits} --json", "executions logs {shop}",
        "executions logs {shop} --json --task-name say", "executions logs {shop} --level ERROR",
        "eval {shop} outputs.a.value", "eval {shop} outputs.large.values --json", "eval {shop} taskrun.value --task-name t --value x",
        "outputs list --flow-execution-id last --json", "outputs show last/ask",
    ],
)  # fmt: skip
def test_what_is_shown_is_the_same(both: Callable[..., tuple[object, object]], words: str) -> None:
    here, there = both(*words.split())

    assert there == here
    assert isinstance(here, tuple)
    assert here[0] == 0


def test_pages_go_on_in_both_alike(place: Place, call: Run) -> None:
    def walk(*where: str) -> list[str]:
        found, after = [], None
        while True:
            more = ("--starting-after", after) if after else ()
            page = json.loads(call("outputs", "list", "--json", "--limit", "2", *more, *where)[1])
            found += [row["id"] for row in page["data"]]
            after = page["next"]
            if not page["has_more"]:
                return found

    assert walk("--server", place.url) == walk("--home", str(place.home))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("executions show 01a20000-0000-7000-8000-000000000000",
         "error: there is no execution `01a20000-0000-7000-8000-000000000000`\n"),
        ("outputs show 01a2", "error: `01a2` is not a whole id\n"
         "  expected: all 36 characters of it: a server knows no shorter form\n"),
        ("outputs show {shop}/nobody", "error: no task `nobody` ran in the execution {shop}\n"),
        ("executions purge --all", "error: a server can't be asked to purge executions\n"
         "  to do: without --server this works on the home of this machine\n"),
        ("executions change-state {bad} fine FAILED", "error: a server can't be asked to change a task's state\n"
         "  to do: without --server this works on the home of this machine\n"),
        ("executions replay {shop} --runner process", "error: `--runner` is about a run on this machine\n"
         "  expected: either --runner or --server\n"),
        ("executions list --home x", "error: `--home` is about this machine\n"
         "  expected: either --home or --server\n"),
    ],
)  # fmt: skip
def test_what_a_server_can_not_give_is_told(place: Place, call: Run, words: str, told: str) -> None:
    named = [word.format(**place.ids) for word in words.split()]

    code, out, err = call(*named, "--server", place.url)

    assert (code, out, err) == (2, "", told.format(**place.ids))


def test_the_environment_may_name_the_server(place: Place, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    there = call("executions", "list", "--server", place.url)
    monkeypatch.setenv("TAILRACE_SERVER", place.url)

    assert call("executions", "list") == there
    assert call("executions", "list", "--home", str(place.home / "other"))[1] != there[1]


def test_an_execution_that_waits_goes_on_and_is_followed(tmp_path: Path, place: Place, call: Run) -> None:
    there = ("--server", place.url)
    code, out, err = call("executions", "resume", place.ids["waits"], "-i", "by=Ada", *there)

    assert code == 0
    assert out.startswith(f"{place.ids['waits']}  SUCCESS  ")
    assert "\nsigned  SUCCESS  " in out
    assert [line.split()[1:3] for line in err.splitlines()][-1] == ["signed", "SUCCESS"]
    again = call("executions", "resume", place.ids["waits"], *there)
    assert again == (
        1, "", f"error: the execution {place.ids['waits']} can't be resumed: it is SUCCESS\n",
    )  # fmt: skip


def test_a_failed_execution_is_restarted_and_its_exit_code_is_that_of_a_run(place: Place, call: Run) -> None:
    code, out, err = call("executions", "restart", place.ids["bad"], "--quiet", "--server", place.url)

    assert (code, out) == (1, f"{place.ids['bad']}\n")
    assert err == "error: the execution is FAILED\n"


@pytest.mark.parametrize("fast", [False, True])
def test_a_replay_is_a_new_execution(
    place: Place, call: Run, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """fast: it has ended before it is looked at for the first time."""
    replay = RemoteExecutions.replay

    def ended(self: RemoteExecutions, *args: Any, **given: Any) -> ExecutionView:
        view = replay(self, *args, **given)
        until(lambda: self.get(view.id).state == "SUCCESS")
        return view

    if fast:
        monkeypatch.setattr(RemoteExecutions, "replay", ended)
    there = ("--server", place.url)
    code, out, err = call("executions", "replay", place.ids["shop"], "--from", "say", "--json", *there)
    new = json.loads(out)

    assert (code, new["state"], new["original_id"]) == (0, "SUCCESS", place.ids["shop"])
    assert err.splitlines()[0] == f"{new['id']} replays {place.ids['shop']}"
    told = {tuple(line.split()[1:3]) for line in err.splitlines()[1:]}
    assert {("say", "SUCCESS"), ("say", "INFO"), ("large", "SUCCESS")} <= told
    assert ("a", "SUCCESS") not in told
    killed = call("executions", "kill", new["id"], *there)
    assert killed[2] == f"error: the execution {new['id']} has already ended: SUCCESS\n"


def test_a_key_opens_its_organization_and_nothing_else(tmp_path: Path, call: Run) -> None:
    home = tmp_path / "home"
    with open_deployment(load_settings(home=home, environment={})) as deployment:
        deployment.keys.create_organization("acme")
        _, secret = deployment.keys.create("acme", "cli", "viewer")
        theirs = deployment.services("acme").run(BAD)
        deployment.services("default").run(SHOP)
    process, url = started(home)
    try:
        listed = call("executions", "list", "--json", "--server", url, "--api-key", secret)
        shown = call("outputs", "show", f"{theirs.id}/fine", "--json", "--server", url, "--api-key", secret)
        refused = call("executions", "kill", theirs.id, "--server", url, "--api-key", secret)
        unknown = call("executions", "list", "--server", url, "--api-key", "tr_nobody")
    finally:
        ended(process)

    assert [row["id"] for row in json.loads(listed[1])["data"]] == [theirs.id]
    assert json.loads(shown[1])["organization_id"] == "acme"
    assert (refused[0], unknown[0]) == (2, 2)
    assert unknown[2].endswith("\n  to do: give a key with --api-key\n")
    assert secret not in refused[2] + unknown[2]


def test_a_server_that_is_gone_is_told(call: Run) -> None:
    assert call("executions", "list", "--server", "http://127.0.0.1:1") == (
        3, "",
        "error: http://127.0.0.1:1: the server does not answer: connection refused\n"
        "  expected: a server that runs there\n",
    )  # fmt: skip
