"""The job of a group: its members run one after another in one directory, each with a result of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC
from functools import partial
from typing import Any

from core.errors import Interrupted, TailraceError, TaskFailed
from core.expressions import Instant
from core.host.requests import Exit
from core.host.seam import (
    LogLine,
    LoopOutputs,
    Member,
    MemberEnded,
    MemberStarted,
    Metric,
    OutputReference,
    OutputText,
    Place,
    Progress,
    Shipped,
    TaskJob,
    TaskResult,
    Up,
)
from core.model.data import evolve
from core.model.truth import truthy
from core.registry.convert import build
from core.work.attempt import Attempt, rejected
from core.work.building import rendered
from core.work.context import AttemptContext
from core.work.line import Line
from core.work.shared_directory import DirectoryOptions, SharedDirectory
from core.work.timers import CallOff, Watch, later
from core.work.tools import Tools

_OWN = frozenset({"inputFiles", "outputFiles", "namespaceFiles", "cache"})
_GOES_ON = frozenset({"SUCCESS", "WARNING", "SKIPPED"})


class GroupAttempt(Attempt):
    """Runs the job of a group. grace: seconds a member has to end once its time is over; then the group itself is
    stopped. watch: has it stopped so.
    """

    def __init__(
        self, job: TaskJob, tools: Tools, context: AttemptContext, line: Line, grace: float, watch: Watch
    ) -> None:
        super().__init__(job, tools, context)
        self._line = line
        self._grace = grace
        self._watch = watch
        self._outputs: dict[str, Shipped] = dict(job.variables.get("outputs", {}))

    def _work(self) -> dict[str, Any] | None:
        self.context.begin_anew()
        directory = SharedDirectory(self._options(), self._job, self._tools, self.context)
        directory.fill()
        failed = self._failed_member()
        if self.context.stop_requested:
            raise Interrupted(self.context.stop_reason)
        output = directory.keep(failed=bool(failed))
        if failed:
            raise TaskFailed(f"the task `{failed}` failed", output=output)
        return output

    def _options(self) -> DirectoryOptions:
        own = {name: value for name, value in self._job.properties.items() if name in _OWN}
        values = rendered(DirectoryOptions, own, self.context.render)
        self._hash = self._properties_hash(values)
        return build(DirectoryOptions, values, self._tools.registry)

    def end_left(self) -> None:
        """Of whichever member: which one ran is not known here. What goes wrong is raised once all were asked."""
        with ExitStack() as asked:
            for member in reversed(self._job.members or ()):
                asked.callback(self._end_left_of, member)

    def _end_left_of(self, member: Member) -> None:
        job = self._member_job(member)
        context = AttemptContext(job, self._tools, _MemberLine(self._line, self._job.attempt_id), group=self.context)
        try:
            Attempt(job, self._tools, context).end_left()
        finally:
            context.clean_up()

    # -- members

    def _failed_member(self) -> str:
        """Run the members; the name of the one that ended this with its failure, or ""."""
        for member in self._job.members or ():
            if self.context.stop_requested:
                break
            result = self._member(member)
            if result.exit:  # the execution is to end: what stands behind is not begun
                self.context.request(Exit(result.exit))
                break
            if result.state not in _GOES_ON and not (result.state == "FAILED" and member.allow_failure):
                return member.task_name
            self._remember(member, result)
        return ""

    def _remember(self, member: Member, result: TaskResult) -> None:
        """What a member that did not stop the group means for it, and for those behind."""
        if result.state in ("WARNING", "FAILED") and not member.allow_warning:
            self.context.warning = f"the task `{member.task_name}` ended with a warning"
        output = _shipped(result)
        name, path = member.task_name, self._job.path
        if output is not None and path:
            before = self._outputs.get(name)
            known = before.known if isinstance(before, LoopOutputs) else {}
            self._outputs[name] = LoopOutputs(name, {**known, path: output})
        elif output is not None:
            self._outputs[name] = output

    def _member(self, member: Member) -> TaskResult:
        """Run one member, and tell of it."""
        group, name = self._job.attempt_id, member.task_name
        job = self._member_job(member)
        line = _MemberLine(self._line, group, name)
        context = AttemptContext(job, self._tools, line, group=self.context)
        attempt = Attempt(job, self._tools, context)
        try:
            runs = member.run_if is None or truthy(context.render(member.run_if))
        except TailraceError as error:
            error.where = error.where or "$.runIf"
            result = attempt.refused(error)
        else:
            result = self._run(name, attempt) if runs else rejected(job, self._tools, "SKIPPED", "")
        result = evolve(result, attempt_id=group)
        self._line.tell(MemberEnded(group, name, result))
        return result

    def _run(self, name: str, attempt: Attempt) -> TaskResult:
        group, context = self.context, attempt.context
        self._line.tell(MemberStarted(self._job.attempt_id, name, self._tools.now()))
        with group.on_stop(lambda: context.stop(group.stop_reason)):
            return attempt.run_in_time(partial(self._watch_member, name, context))

    def _watch_member(self, name: str, context: AttemptContext, seconds: float, reason: str) -> CallOff:
        """A member has a time limit: it is stopped after that, and the group when it does not end then."""
        member = later(seconds, context.stop, reason)
        group = self._watch(seconds + self._grace, f"the task `{name}` does not stop. {reason}")
        return lambda: (member(), group())

    # -- what a member is told

    def _member_job(self, member: Member) -> TaskJob:
        """attempt_id: a name of its own, by which a container that outlived its engine is found again."""
        return TaskJob(
            f"{self._job.attempt_id}-{member.task_name}", 1, self._place(member), member.type, member.properties,
            self._variables(member), member.timeout, member.log_level, cache=member.cache,
            log_to_file=member.log_to_file,
        )  # fmt: skip

    def _place(self, member: Member) -> Place:
        place = self._job.place
        return evolve(
            place,
            task_name=member.task_name,
            task_execution_id=member.task_execution_id,
            storage_prefix=place.storage_prefix and f"{place.storage_prefix}/.members/{member.task_name}",
        )

    def _variables(self, member: Member) -> Mapping[str, Any]:
        """A member sees the loops and groups around its group as the group itself does (reference, section 6.6)."""
        variables = self._job.variables
        group = variables.get("taskrun", {})
        taskrun = {
            **{name: group[name] for name in ("value", "iteration", "items") if name in group},
            "id": member.task_execution_id,
            "startDate": Instant.fromtimestamp(self._tools.now() / 1_000_000, UTC),
            "attemptsCount": 0,
            "parentId": self._job.place.task_execution_id,
        }
        return {
            **variables,
            "task": {"id": member.task_name, "type": member.type},
            "taskrun": taskrun,
            "workerTaskrun": group,
            "outputs": dict(self._outputs),
        }


class _MemberLine(Line):
    """The group's line, as one member speaks on it: what it says bears its name; without one the group speaks."""

    def __init__(self, line: Line, attempt_id: str, task_name: str = "") -> None:
        super().__init__(self._tell)
        self._below = line
        self._named = {"attempt_id": attempt_id, "task_name": task_name}

    def ask(self, place: Place, what: str, arguments: Mapping[str, Any]) -> Any:
        return self._below.ask(place, what, arguments)

    def _tell(self, message: Up) -> None:
        spoken = isinstance(message, (LogLine, Metric, Progress))
        self._below.tell(evolve(message, **self._named) if spoken else message)


def _shipped(result: TaskResult) -> OutputText | OutputReference | None:
    """A member's output, as jobs carry it."""
    if result.output is not None:
        return OutputText(result.output)
    return OutputReference(result.output_uri, result.size or 0) if result.output_uri else None
