"""The near side of the seam, as the contract of executors plays it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

from core.host.executor import Executor
from core.host.seam import (
    Answer,
    EvaluationJob,
    EvaluationResult,
    Member,
    MemberEnded,
    MemberStarted,
    OutputText,
    Place,
    Progress,
    Question,
    TaskJob,
    TaskResult,
    Up,
)

KILLED = "the execution was killed"
SECRET = "open-sesame"
PLACE = Place("default", "company.team", "flow", "execution", "task", "task-execution", "own", "own/task")


@define
class NearSide:
    """Stands for the engine: hears everything, and answers questions with `answer`."""

    executor: Executor = field(init=False)
    heard: list[Up] = field(factory=list)
    answer: Callable[[Question], Answer] = field(default=lambda asked: Answer(asked.question_id, error="not known"))
    _news: threading.Condition = field(factory=threading.Condition)

    def tell(self, message: Up) -> None:
        with self._news:
            self.heard.append(message)
            self._news.notify_all()
        if isinstance(message, Question):
            self.executor.send(self.answer(message))

    def wait(self, wanted: Callable[[list[Up]], Any], seconds: float = 60.0) -> Any:
        """What `wanted` finds in everything heard, as soon as it finds something."""
        with self._news:
            assert self._news.wait_for(lambda: wanted(self.heard), seconds), f"heard only {self.heard}"
            return wanted(self.heard)

    def results(self, attempt: str) -> list[TaskResult]:
        return [one for one in list(self.heard) if isinstance(one, TaskResult) and one.attempt_id == attempt]

    def result(self, attempt: str) -> TaskResult:
        found: TaskResult = self.wait(lambda heard: next(iter(self.results(attempt)), None))
        return found

    def begins(self, count: int) -> None:
        """Wait until so many `testing.Hold` tasks run."""
        self.wait(lambda heard: sum(isinstance(one, Progress) and one.message == "began" for one in heard) >= count)

    def run(self, kind: str, attempt: str = "one", **properties: Any) -> TaskResult:
        self.send(kind, attempt, **properties)
        return self.result(attempt)

    def send(self, kind: str, attempt: str = "one", timeout: str | None = None, **properties: Any) -> None:
        variables: dict[str, Any] = {"inputs": {"n": 3}, "outputs": {"before": OutputText('{"value":"seen"}')}}
        self.executor.send(TaskJob(attempt, 1, PLACE, kind, properties, variables, timeout))

    def send_group(
        self, *members: Member, attempt: str = "one", timeout: str | None = None,
        variables: Mapping[str, Any] | None = None, path: tuple[str, ...] = (), **properties: Any,
    ) -> None:  # fmt: skip
        known = {"taskrun": {"id": "task-execution"}, "outputs": {}, **(variables or {})}
        kind = "flow.WorkingDirectory"
        self.executor.send(TaskJob(attempt, 1, PLACE, kind, properties, known, timeout, members=members, path=path))

    def run_group(self, *members: Member, **more: Any) -> TaskResult:
        self.send_group(*members, **more)
        return self.result("one")

    def told_of_members(self) -> list[tuple[str, str]]:
        """What was told of the members of groups, in order: (name, "began" or the state it ended in)."""
        return [
            (one.task_name, one.result.state if isinstance(one, MemberEnded) else "began")
            for one in list(self.heard) if isinstance(one, (MemberStarted, MemberEnded))
        ]  # fmt: skip

    def member(self, name: str) -> TaskResult:
        return next(one.result for one in self.heard if isinstance(one, MemberEnded) and one.task_name == name)

    def evaluate(self, template: object, *, typed: bool = False) -> EvaluationResult:
        self.executor.send(EvaluationJob(7, PLACE, template, {"inputs": {"n": 3}}, typed))
        found: EvaluationResult = self.wait(
            lambda heard: next((one for one in heard if isinstance(one, EvaluationResult)), None)
        )
        return found
