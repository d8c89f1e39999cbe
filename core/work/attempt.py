"""One attempt from its job to its result: render, convert, run, record."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import Any

from core.errors import Interrupted, Invalid, TailraceError, TaskFailed
from core.host.seam import TaskJob, TaskResult
from core.model.codec import encode, json_writer, normalise
from core.model.data import evolve, quick
from core.model.digest import digest
from core.model.durations import parse_duration
from core.model.flow import TaskCache
from core.registry.convert import build
from core.sdk.properties import to_plain
from core.sdk.tasks import RunnableTask
from core.sdk.wishes import WaitRequest
from core.work.building import as_far_as_known, rendered, runnable
from core.work.context import AttemptContext
from core.work.timers import Watch
from core.work.tools import Tools

KILLED = "the execution was killed"
PREVIEW = 300
LONG_PROPERTY = 10_000
"""Characters of a rendered property that are kept of an attempt that failed."""
_CANONICAL = json_writer(sort_keys=True, allow_nan=True, default=str)


@quick
class _Recorded:
    text: str | None = None
    uri: str | None = None
    size: int | None = None
    sha256: str | None = None
    preview: str | None = None


class Attempt:
    """Runs one job. `context` is there from the start, so that it can be stopped from other threads.

    gives_back: a task that waits gives its thread back, and its job comes again; else it waits here.
    """

    def __init__(
        self, job: TaskJob, tools: Tools, context: AttemptContext, *, gives_back: bool = False
    ) -> None:
        self._job = job
        self._tools = tools
        self.context = context
        self._started = tools.now()
        self._gives_back = gives_back
        self._latest: int | None = None
        self._hash = ""
        self._rendered: Mapping[str, Any] = {}
        self._type: type[RunnableTask] | None = None

    def timeout(self) -> float | None:
        """Seconds the attempt may take, None for no limit. Raises Invalid, ExpressionError."""
        if self._job.timeout is None:
            return None
        text = self.context.render(self._job.timeout)
        try:
            seconds = parse_duration(text).total_seconds()
        except Invalid as error:
            error.where = "$.timeout"
            raise
        if seconds < 0:
            raise Invalid(f"`{text}` is less than no time", where="$.timeout", expected="a duration such as PT30S")
        return seconds

    def run_in_time(self, watch: Watch) -> TaskResult:
        """Do the work within its time limit. watch: has the attempt stopped when that is over."""
        try:
            seconds = self.timeout()
        except TailraceError as error:
            return self.refused(error)
        if seconds is None:
            return self.run()
        reason = f"Timeout: the task took longer than {seconds:g} s"
        if self._job.waited:
            self._again()
        self._latest = self._started + int(seconds * 1_000_000)
        left = (self._latest - self._tools.now()) / 1_000_000
        if self._job.waited and left <= 0:
            self.context.stop(reason)
            return self.refused(Interrupted(reason))
        call_off = watch(max(left, 0), reason)
        try:
            return self.run()
        finally:
            call_off()

    def end_left(self) -> None:
        """End what an engine that died left running of this attempt; nothing is begun. Raises what the task raises."""
        cls = runnable(self._tools.registry, self._job.type)
        if cls.stop_left is not RunnableTask.stop_left:
            values = as_far_as_known(cls, self._job.properties, self.context.render)
            task: RunnableTask = build(cls, values, self._tools.registry, expressions=True)
            task.stop_left(self.context)

    def refused(self, error: TailraceError) -> TaskResult:
        """The result of an attempt that can't begin."""
        message = self.context.redactor.hide(str(error))
        self.context.log.error(message)
        result = self._with_log(rejected(self._job, self._tools, "FAILED", message))
        self.context.clean_up()
        return result

    def run(self) -> TaskResult:
        """Do the work. Never raises: whatever happens becomes the result."""
        try:
            return self._with_log(self._ended())
        except BaseException as error:  # noqa: BLE001 # a plugin's own mistake (sys.exit too) ends only its attempt
            return self._with_log(self._broken(error))
        finally:
            self.context.clean_up()

    def _with_log(self, result: TaskResult) -> TaskResult:
        """The result, with the file of its log lines (`logToFile`)."""
        file = self.context.log_file
        uri = file.stored(self.context.storage.put) if file is not None else ""
        if not uri:
            return result
        stored = self.context.storage.stored[uri]
        return evolve(result, log_uri=uri, files=(*result.files, (uri, stored.size, stored.sha256)))

    def _ended(self) -> TaskResult:
        if self._job.cache is not None:
            return self._cached(self._job.cache)
        return self._worked()

    def _cached(self, cache: TaskCache) -> TaskResult:
        """What was kept of an earlier attempt, or the result of the work, to be kept."""
        results = import_module("core.work.cache").ResultCache(self._job, cache, self._tools, self.context)
        found: TaskResult = results.found() or results.keep(self._worked())
        return found

    def _worked(self) -> TaskResult:
        try:
            if self._job.waited:
                self._again()
            output = self._work()
            while isinstance(output, WaitRequest):
                waits = self._waits(output)
                if waits is not None:
                    return waits
                output = self._work()
            return self._succeeded(output)
        except TailraceError as error:
            return self._failed(error)

    def _again(self) -> None:
        """It is called again: it began earlier, and has a state."""
        began, self.context.waited = import_module("core.work.waiting").kept(self._job, self.context.redactor.get)
        self._started = began or self._started

    def _waits(self, asked: WaitRequest) -> TaskResult | None:
        """What is told of an attempt that gives its thread back; None when it has waited here."""
        waiting, context, now = import_module("core.work.waiting"), self.context, self._tools.now()
        due = waiting.due_at(asked, now, self._latest if self._gives_back else None)  # here a stop ends the wait
        if context.stop_requested:
            raise Interrupted(context.stop_reason)
        if not self._gives_back:
            waiting.wait_here(due - now, context)
            if context.stop_requested:
                raise Interrupted(context.stop_reason)
            context.waited = asked.state
            return None
        state = waiting.kept_json(self._job, self._started, context, asked.state)
        return TaskResult(
            self._job.attempt_id, "RUNNING", self._started, now, reads=context.reads(), files=context.files(),
            requests=context.requests, due_at=max(due, 1), wait_state=state,
        )  # fmt: skip

    def _work(self) -> Any:
        return self._task().run(self.context)

    def _task(self) -> RunnableTask:
        cls = self._type = runnable(self._tools.registry, self._job.type)
        values = rendered(cls, self._job.properties, self.context.render)
        self._hash = self._properties_hash(values)
        return build(cls, values, self._tools.registry)

    def _properties_hash(self, rendered: Mapping[str, Any]) -> str:
        self._rendered = rendered
        identity = [self._job.type, self._tools.plugin_version(self._job.type), rendered]
        return digest(_CANONICAL(identity).encode())

    # -- results

    def _succeeded(self, output: Any) -> TaskResult:
        context = self.context
        if context.stop_requested:
            return self._failed(Interrupted(context.stop_reason))
        return self._result("SUCCESS" if context.warning is None else "WARNING", output, context.warning or "")

    def _failed(self, error: TailraceError) -> TaskResult:
        context = self.context
        if context.stop_requested and context.stop_reason == KILLED:
            return self._result("KILLED", None, KILLED)
        message = context.stop_reason if context.stop_requested else context.redactor.hide(str(error))
        context.log.error(message)
        return self._result("FAILED", error.output if isinstance(error, TaskFailed) else None, message)

    def _broken(self, error: BaseException) -> TaskResult:
        import traceback  # noqa: PLC0415 # slow to import, and only needed here

        self.context.log.debug("".join(traceback.format_exception(error)))
        return self._failed(
            TaskFailed(
                f"the task type {self._job.type} has an error of its own: {type(error).__name__}: {error}",
                hint="tell its author; the log at level DEBUG says where it happened",
            )
        )

    def _result(self, state: str, output: Any, error: str) -> TaskResult:
        context = self.context
        plain = to_plain(output)
        recorded = _Recorded()
        summary: Mapping[str, Any] = {}
        try:
            recorded, summary = self._recorded(plain), self._summary(plain)
        except TailraceError as problem:
            state, error = "FAILED", context.redactor.hide(str(problem))
            context.log.error(error)
        return TaskResult(
            attempt_id=self._job.attempt_id,
            state=state,
            started_at=self._started,
            ended_at=self._tools.now(),
            output=recorded.text,
            output_uri=recorded.uri,
            size=recorded.size,
            sha256=recorded.sha256,
            preview=recorded.preview,
            summary=summary,
            error=error,
            note=context.note,
            properties_hash=self._hash,
            reads=context.reads(),
            files=context.files(),
            requests=context.requests,
            properties=self._shown_properties() if state == "FAILED" else "",
        )

    def _shown_properties(self) -> str:
        """The rendered properties for people who look for the reason of a failure; "" when there are none."""
        shown = {name: self._shown(value) for name, value in self._rendered.items()}
        return encode(shown) if shown else ""

    def _shown(self, value: Any) -> Any:
        covered = self.context.redactor.cover(value)
        try:
            text = encode(covered)
        except TailraceError:
            text = covered = str(covered)
        return covered if len(text) <= LONG_PROPERTY else f"{text[:LONG_PROPERTY]}… ({len(text)} characters)"

    def _recorded(self, plain: Any) -> _Recorded:
        """The output as the record keeps it: inline, or as a file when it is large."""
        if plain is None:
            return _Recorded()
        text = encode(self.context.redactor.mark(plain))
        data = text.encode("utf-8", "surrogatepass")
        sha256, preview = digest(data), text[:PREVIEW]
        if len(data) <= self._tools.inline_limit:
            return _Recorded(text, None, len(data), sha256, preview)
        stored = self.context.storage.put(BytesIO(data), "output.json")
        return _Recorded(None, stored.uri, len(data), sha256, preview)

    def _summary(self, plain: Any) -> Mapping[str, Any]:
        if self._type is None or not isinstance(plain, Mapping):
            return {}
        try:
            made = self._type.summary(plain)
            summary = {name: value for name, value in made.items() if value is not None}
            if not all(type(name) is type(value) is str for name, value in summary.items()):  # they stay as they are
                summary = normalise(summary)
        except BaseException as error:  # noqa: BLE001 # the work is done: a plugin's mistake costs only the summary
            self.context.log.warn(f"no summary could be made of the output: {type(error).__name__}: {error}")
            return {}
        shown: Mapping[str, Any] = self.context.redactor.cover(summary)
        return shown


def rejected(job: TaskJob, tools: Tools, state: str, error: str) -> TaskResult:
    """The result of a job that could not even begin, or did not end in time."""
    return TaskResult(job.attempt_id, state, tools.now(), tools.now(), error=error)
