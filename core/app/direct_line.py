"""A line to the engine's answers, for what is evaluated without an engine."""

from __future__ import annotations

from core.engine.answers import Answers
from core.host.seam import Question
from core.work.line import Line


def direct_line(answers: Answers) -> Line:
    """A line whose questions are answered at once, in the thread that asks."""

    def tell(message: object) -> None:
        if isinstance(message, Question):
            line.answer(answers.answer(message, None))

    line = Line(tell)
    return line
