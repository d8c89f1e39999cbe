"""What comes up from the far side, as messages for the planner: whose attempt it is, and what it says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from core.engine.acting import Acting
from core.engine.clock import monotonic
from core.engine.results import placed
from core.engine.work import Told, Work
from core.host.seam import (
    EvaluationResult,
    LogLine,
    MemberEnded,
    MemberStarted,
    Metric,
    Progress,
    Question,
    TaskResult,
    Up,
)  # fmt: skip
from core.model.messages import KillRequested, TaskKey
from core.model.messages import MemberEnded as MemberIsOver
from core.model.messages import MemberStarted as MemberBegan

Word = LogLine | Metric | Progress
WORDS = (LogLine, Metric, Progress)
MANY_WORDS = 10_000
"""More are not kept waiting: who says them waits instead."""


class Hearing:
    """owned: what the engine works on, by id. questions: asked by tasks, to be answered after the commit."""

    def __init__(self, acting: Acting, owned: Mapping[str, Work]) -> None:
        self._acting = acting
        self._owned = owned
        self._words: deque[Word] = deque()
        self.questions: deque[Question] = deque()

    def said(self, word: Word) -> bool:
        """Words of a task wait for the next turn; whether too many do. Called from any thread."""
        self._words.append(word)
        return len(self._words) > MANY_WORDS

    def hear(self, messages: list[Up | Told | None], told: deque[Told]) -> None:
        """Add what follows from messages; None is an interrupt.

        Words are taken after the messages: what a task said before its result is heard before it.
        """
        if self._words:
            early = [word for word in self._heard_words() if not self._hear(word)]
            self._words.extendleft(reversed(early))
        for message in messages:
            self._receive(message, told)

    def _receive(self, message: Up | Told | None, told: deque[Told]) -> None:
        if isinstance(message, TaskResult):
            found = self._attempt(message.attempt_id)
            if found:
                told.append(found[0].ended(found[1], message))
        elif isinstance(message, EvaluationResult):
            told.extend(self._acting.answered(message, self._owned))
        elif isinstance(message, Question):
            self.questions.append(message)
        elif isinstance(message, (MemberStarted, MemberEnded)):
            self._member(message, told)
        elif isinstance(message, Told):
            if self._owned.get(message.work.live.identity.id) is message.work:
                told.extend(self._acting.heard(message))
        else:
            told.extend(Told(work, KillRequested()) for work in self._owned.values())

    def _member(self, message: MemberStarted | MemberEnded, told: deque[Told]) -> None:
        """One of a group's members began or is over."""
        found = self._attempt(message.attempt_id)
        if found is None:
            return
        work, group = found
        if isinstance(message, MemberStarted):
            told.append(Told(work, MemberBegan(group, message.task_name)))
            return
        result = message.result
        error = placed(work.live.flow, message.task_name, result.error) if result.error else ""
        over = MemberIsOver(group, message.task_name, result.state, error)
        told.append(Told(work, over, result=result))

    def _attempt(self, attempt_id: str) -> tuple[Work, TaskKey] | None:
        """Whose attempt it is; None for one that is over: its late words are dropped."""
        for work in self._owned.values():
            key = work.live.attempts.get(attempt_id)
            if key is not None:
                return work, key
        return None

    def _heard_words(self) -> Iterator[Word]:
        """Those that wait now: a task that goes on talking would keep the turn from ever ending."""
        for _ in range(len(self._words)):
            yield self._words.popleft()

    def _hear(self, word: Word) -> bool:
        """What a running task says; the late words of one that is over are dropped. False when it is too early."""
        found = self._attempt(word.attempt_id)
        if found is None:
            return True
        work, key = found
        if word.task_name:
            key = work.live.member(key, word.task_name)
            if key not in work.live.identities:
                return False
        work.hear(key, word, monotonic())
        return True
