"""The line from the far side to the engine: events go up, questions are asked and answered."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import Interrupted, NotFound
from core.host.seam import Answer, Place, Question, Up


class Line:
    """Shared by all attempts of an executor. tell: hands a message up."""

    def __init__(self, tell: Callable[[Up], None]) -> None:
        self.tell = tell
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[threading.Event, list[Answer]]] = {}
        self._closed = False

    def ask(self, place: Place, what: str, arguments: Mapping[str, Any]) -> Any:
        """The engine's answer. Raises NotFound with the engine's reason, Interrupted when the engine is closing."""
        number = next(self._numbers)
        arrived, answers = threading.Event(), list[Answer]()
        self._waiting[number] = (arrived, answers)
        self.tell(Question(number, place, what, arguments))
        if self._closed:
            arrived.set()
        arrived.wait()
        self._waiting.pop(number, None)
        if not answers:
            raise Interrupted("the engine is closing")
        if answers[0].error:
            raise NotFound(answers[0].error)
        return answers[0].value

    def answer(self, answer: Answer) -> None:
        """Give a question its answer; one that nobody waits for any more is dropped."""
        waiting = self._waiting.get(answer.question_id)
        if waiting:
            waiting[1].append(answer)
            waiting[0].set()

    def close(self) -> None:
        """Nobody answers any more."""
        self._closed = True
        for arrived, _ in list(self._waiting.values()):
            arrived.set()
