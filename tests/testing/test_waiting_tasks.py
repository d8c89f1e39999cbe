"""Tasks that give their thread back with `ctx.wait`, and are called again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.app import App
from core.host.views import ExecutionFilter
from core.sdk import RunContext, RunnableTask, TaskOutput, WaitRequest, prop
from core.testing import run_flow, run_task, temporary_app
from tests.waiting import until

CALLS: list[tuple[str, object, int]] = []


class Polled(RunnableTask, type="test.Polled"):
    """Looks again and again."""

    rounds: int = prop("How often it waits.")
    span: timedelta = prop("How long each time.")

    class Output(TaskOutput):
        rounds: int = prop("How often it waited.")
        uri: str = prop("A file of its first round.")

    def run(self, ctx: RunContext) -> Output | WaitRequest:
        known = dict(ctx.waited or {})
        done = int(str(known.get("done", 0)))
        CALLS.append((ctx.attempt_id, ctx.waited and dict(ctx.waited), threading.active_count()))
        if done == 0:
            (ctx.working_dir / "first").write_text("first", "utf-8")
            known["uri"] = ctx.storage.put(ctx.working_dir / "first", "first.txt").uri
            ctx.kv.set("seen", "yes")
        if done < self.rounds:
            return ctx.wait(for_=self.span, state={**known, "done": done + 1})
        return self.Output(rounds=done, uri=str(known["uri"]))


class Until(RunnableTask, type="test.Until"):
    """Waits until a moment that has passed."""

    def run(self, ctx: RunContext) -> WaitRequest | None:
        return None if ctx.waited is not None else ctx.wait(until=datetime(2020, 1, 1, tzinfo=UTC))


class Wrong(RunnableTask, type="test.Wrong"):
    """Waits for nothing."""

    def run(self, ctx: RunContext) -> WaitRequest:
        return ctx.wait()


FLOW = """
id: waiting
namespace: company.team
tasks:
  - {id: poll, type: test.Polled, rounds: 2, span: PT0.05S}
  - {id: read, type: debug.Return, format: "{{ read(outputs.poll.uri) }} {{ kv('seen') }}"}
"""


@pytest.fixture
def app() -> Iterator[App]:
    CALLS.clear()
    with temporary_app(Polled, Until, Wrong, workers=2) as made:
        yield made


def one(properties: str) -> str:
    return f"id: waiting\nnamespace: company.team\ntasks:\n  - {{id: only, {properties}}}\n"


def until_it_waits(app: App) -> None:
    """Until it is recorded that a task waits."""
    until(lambda: any(
        "waits until" in reason.text
        for execution in app.executions.list(ExecutionFilter()).data
        for reason in app.executions.why(execution.id)
    ))  # fmt: skip


def test_a_task_that_waits_is_called_again_with_its_state(app: App) -> None:
    run = run_flow(FLOW, app=app)

    attempts, states, _ = zip(*CALLS, strict=True)
    uri = run.tasks["poll"].output["uri"]
    assert (run.state, run.tasks["poll"].attempts, len(set(attempts))) == ("SUCCESS", 1, 1)
    assert states == (None, {"uri": uri, "done": 1}, {"uri": uri, "done": 2})
    assert run.tasks["read"].output == {"value": "first yes"}


def test_tasks_that_wait_take_no_workers(app: App) -> None:
    children = "".join(f"      - {{id: p{n}, type: test.Polled, rounds: 1, span: PT2S}}\n" for n in range(12))
    flow = f"id: waiting\nnamespace: company.team\ntasks:\n  - id: all\n    type: flow.Parallel\n    tasks:\n{children}"

    run = run_flow(flow, app=app)

    assert (run.state, len(CALLS)) == ("SUCCESS", 24)
    assert [state for _, state, _ in CALLS[:12]] == [None] * 12, "all twelve wait before the first is called again"


def test_a_moment_that_has_passed_is_no_wait(app: App) -> None:
    assert run_flow(one("type: test.Until"), app=app).state == "SUCCESS"


def test_waiting_for_nothing_fails_the_task(app: App) -> None:
    run = run_flow(one("type: test.Wrong"), app=app)

    assert run.tasks["only"].error == (
        "a task that waits says until when or for how long\n  expected: `until` or `for_`, one of them"
    )


def test_the_time_limit_counts_from_the_first_call(app: App) -> None:
    run = run_flow(one("type: test.Polled, rounds: 1, span: PT30S, timeout: PT0.3S"), app=app)

    assert (run.tasks["only"].state, run.tasks["only"].error) == ("FAILED", "Timeout: the task took longer than 0.3 s")


def test_a_retry_begins_without_the_state_of_the_attempt_before(app: App) -> None:
    retry = "retry: {type: constant, interval: PT0.01S, maxAttempts: 2}"
    run = run_flow(one(f"type: test.Polled, rounds: 1, span: PT30S, timeout: PT0.2S, {retry}"), app=app)

    assert run.tasks["only"].attempts == 2
    assert [state is None for _, state, _ in CALLS] == [True, True]


def test_a_kill_ends_a_task_that_waits(app: App) -> None:
    def kill() -> None:
        until_it_waits(app)
        app.executions.interrupt()

    killer = threading.Thread(target=kill)
    killer.start()
    run = run_flow(one("type: test.Polled, rounds: 1, span: PT30S"), app=app)
    killer.join()

    assert (run.state, run.tasks["only"].state, len(CALLS)) == ("KILLED", "KILLED", 1)


def test_another_owner_goes_on_with_the_state_of_one_that_is_gone(app: App) -> None:
    def leave() -> None:
        until_it_waits(app)
        app.executions.interrupt()
        app.executions.interrupt()

    leaver = threading.Thread(target=leave)
    leaver.start()
    left = run_flow(FLOW.replace("PT0.05S", "PT5S"), app=app)
    leaver.join()
    ended = app.executions.run(left.id)

    assert (left.state, ended.state) == ("RUNNING", "SUCCESS")
    assert len({attempt for attempt, _, _ in CALLS}) == 1
    assert [state and state["done"] for _, state, _ in CALLS] == [None, 1, 2]  # type: ignore[index]


def test_a_member_of_a_working_directory_waits_where_it_is(app: App) -> None:
    flow = "id: waiting\nnamespace: company.team\ntasks:\n  - id: dir\n    type: flow.WorkingDirectory\n    tasks:\n"
    run = run_flow(flow + "      - {id: poll, type: test.Polled, rounds: 2, span: PT0.05S}\n", app=app)

    assert (run.state, run.tasks["poll"].output["rounds"]) == ("SUCCESS", 2)


def test_run_task_waits_where_it_is() -> None:
    assert run_task(Polled(rounds=2, span=timedelta(milliseconds=10))).output["rounds"] == 2
