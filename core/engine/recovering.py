"""What a new owner does again: every effect that was committed and may not have been performed."""

from __future__ import annotations

from collections.abc import Callable

from core.engine.acting import KILLED
from core.engine.clock import now
from core.engine.work import Told, Work
from core.host.seam import TaskResult
from core.model.decisions import Effect, Evaluate, RunTask, StopTask
from core.model.messages import Evaluated, JobRestarted
from core.model.nodes import Group
from core.planner import pending

MOST_TAKEOVERS = 3
WORN_OUT = f"{MOST_TAKEOVERS} engines that worked on it ended before anything more was decided"


def recover(
    work: Work, takeovers: int, perform: Callable[[Work, Effect], None], tell: Callable[[TaskResult | Told], None]
) -> None:
    """Perform what is pending of an execution that was just claimed.

    takeovers: how many engines lost it since its last decision. What may have ended them is not begun once more:
    attempts and evaluations fail with that reason. What was told to stop has stopped with the engine that ran it.
    tell: into the engine's own inbox.
    """
    worn_out = takeovers >= MOST_TAKEOVERS
    live = work.live
    for effect in pending(live.facts(now())):
        if isinstance(effect, RunTask):
            if worn_out:
                at = now()
                tell(TaskResult(live.identities[effect.key].attempt_id, "FAILED", at, at, error=WORN_OUT))
                continue
            if isinstance(live.steps[effect.key.task_id].node, Group):
                tell(Told(work, JobRestarted(effect.key)))
        elif isinstance(effect, StopTask):
            at = now()
            tell(TaskResult(live.identities[effect.key].attempt_id, "KILLED", at, at, error=KILLED))
            continue
        elif isinstance(effect, Evaluate) and worn_out and effect.key not in live.evaluations:
            tell(Told(work, Evaluated(effect.key, None, WORN_OUT)))
            continue
        perform(work, effect)
