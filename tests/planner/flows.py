"""Flows for the planner's tests, and worlds in which they run."""

from __future__ import annotations

from typing import Any

from core.model.decisions import Evaluate
from core.model.flow import Flow
from core.model.messages import Evaluated, RestartRequested, TaskKey
from core.model.nodes import Node, Policy, Sequence, Step, Work
from tests.planner.simulator import World


def work(task_id: str, **settings: Any) -> Step:
    return Step(task_id, "any", Work(), **settings)


def task(task_id: str, node: Node, **settings: Any) -> Step:
    return Step(task_id, "any", node, **settings)


def world(
    *steps: Step, fails: str = "", answers: dict[str, Any] | None = None, policy: Policy | None = None, **flow: Any
) -> World:
    """A flow whose tasks succeed but those named in `fails`, and whose templates give what `answers` says."""
    known = answers or {}

    def answer(effect: Evaluate) -> Evaluated:
        template = effect.template
        if isinstance(template, str) and template in known:
            return Evaluated(effect.key, known[template])
        return Evaluated(effect.key, known.get("*", template))

    def outcome(key: TaskKey) -> str:
        return "FAILED" if key.task_id in fails.split() else "SUCCESS"

    root = Sequence(steps, policy or Policy())
    return World(Flow("flow", "tests", root, **flow), lambda many: many[0], outcome, answer, check=True)


def played(*steps: Step, **settings: Any) -> World:
    made = world(*steps, **settings)
    made.start()
    return made.play()


def again(run: World, what: str = "failed", *keys: TaskKey, stale: tuple[TaskKey, ...] = (), state: str = "") -> Any:
    """Restart, with everything going well from now on."""
    run.outcome = lambda key: "SUCCESS"
    run.todo.clear()
    run.timers.clear()
    return run.tell(RestartRequested(what, keys, state), rows=run.past(stale))
