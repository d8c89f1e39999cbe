"""What a new owner does again: every effect that was committed and may not have been performed."""

from __future__ import annotations

from collections.abc import Callable

from core.engine.acting import KILLED, Acting
from core.engine.clock import now
from core.engine.work import Told, Work
from core.host.seam import TaskResult
from core.model.decisions import Effect, Evaluate, RunTask, StopTask
from core.model.messages import Evaluated, JobRestarted, TaskKey
from core.model.nodes import Group
from core.planner import pending

MOST_TAKEOVERS = 3
WORN_OUT = f"{MOST_TAKEOVERS} engines that worked on it ended before anything more was decided"


class Recovering:
    """What is pending of executions that were just claimed.

    perform: do what an earlier owner may have done. tell: into the engine's own inbox. is_to_end: whether a message is
    there that stops all that runs.
    """

    def __init__(
        self,
        acting: Acting,
        perform: Callable[[Work, Effect], None],
        tell: Callable[[TaskResult | Told], None],
        is_to_end: Callable[[Work], bool],
    ) -> None:
        self._acting = acting
        self._perform = perform
        self._tell = tell
        self._is_to_end = is_to_end

    def go_on(self, work: Work, takeovers: int) -> None:
        """takeovers: how many engines lost it since its last decision. What may have ended them is not begun once more:
        attempts, once what is left of them is ended, and evaluations fail with that reason.
        """
        worn_out = takeovers >= MOST_TAKEOVERS
        effects = self._pending(work)
        to_end = any(isinstance(one, RunTask) for one in effects) and self._is_to_end(work)
        for effect in effects:
            if isinstance(effect, StopTask):
                self._stop(work, effect.key, worn_out=worn_out)
            elif isinstance(effect, RunTask) and to_end:
                self._leave(work, effect.key)
            elif isinstance(effect, RunTask) and worn_out:
                self._give_up(work, effect.key, at_once=takeovers > MOST_TAKEOVERS)
            elif isinstance(effect, RunTask):
                self._run(work, effect.key)
            elif isinstance(effect, Evaluate) and worn_out and effect.key not in work.live.evaluations:
                self._tell(Told(work, Evaluated(effect.key, None, WORN_OUT)))
            else:
                self._perform(work, effect)

    def end(self, work: Work, takeovers: int) -> None:
        """Of an execution that is only to end: nothing else is done again."""
        for effect in self._pending(work):
            if isinstance(effect, StopTask):
                self._stop(work, effect.key, worn_out=takeovers >= MOST_TAKEOVERS)
            elif isinstance(effect, RunTask):
                self._leave(work, effect.key)

    def _pending(self, work: Work) -> tuple[Effect, ...]:
        return pending(work.live.facts(now()))

    def _leave(self, work: Work, key: TaskKey) -> None:
        """The message that stops it is read in the next turn."""
        work.left.add(work.live.identities[key].attempt_id)

    def _stop(self, work: Work, key: TaskKey, *, worn_out: bool) -> None:
        """What was told to stop may run on without the engine that ran it."""
        if worn_out:
            self._result(work, key, "KILLED", KILLED)
        else:
            self._acting.end_left(work, key)

    def _give_up(self, work: Work, key: TaskKey, *, at_once: bool) -> None:
        """at_once: to end what is left of it has ended an engine as well."""
        if at_once:
            self._result(work, key, "FAILED", WORN_OUT)
            return
        work.failed[work.live.identities[key].attempt_id] = WORN_OUT
        self._acting.end_left(work, key)

    def _run(self, work: Work, key: TaskKey) -> None:
        live = work.live
        if isinstance(live.steps[key.task_id].node, Group):
            self._tell(Told(work, JobRestarted(key)))
        self._acting.run_again(work, key)

    def _result(self, work: Work, key: TaskKey, state: str, error: str) -> None:
        at = now()
        self._tell(TaskResult(work.live.identities[key].attempt_id, state, at, at, error=error))
