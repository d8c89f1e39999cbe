"""Flow executions of a server: looked at, acted on, followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from core.app.remote.connection import Connection, next_of
from core.app.remote.outputs import WHOLE_PAGE, RemoteOutputs, refused, whole_id
from core.app.remote.overviews import outline_view
from core.app.remote.views import execution_query, execution_view, log_view
from core.errors import Conflict, Invalid, NotFound
from core.host.overviews import FormField, PastRun, TaskOutline
from core.host.services import FlowPlace
from core.host.views import (
    ExecutionChanged,
    ExecutionFilter,
    ExecutionView,
    Happening,
    History,
    LogFilter,
    LogView,
    OutputFilter,
    Page,
    Reason,
    TaskChanged,
    TaskExecutionView,
    TaskLogged,
)  # fmt: skip
from core.model.data import evolve
from core.model.flow import Flow
from core.model.state import ENDED

MAX_LOG_LINES = 10_000
LOOK_SECONDS = 0.3
SETTLED_SECONDS = 3.0
"""How long an execution that waits for a person must not have changed: an engine reads what it was told at once."""


class RemoteExecutions:
    """Implements `core.host.services.Executions`. `run` follows what the server's engine does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outputs = RemoteOutputs(connection, self.resolve)
        self._interrupts = 0
        self._before: dict[str, History] = {}

    @property
    def outputs(self) -> RemoteOutputs:
        return self._outputs

    # -- looking

    def resolve(self, written: str) -> str:
        """The id of the execution that a person means: a whole id, or `last`."""
        if written != "last":
            return whole_id(written)
        newest = self._connection.get("/flow-executions", {"limit": 1})["data"]
        if not newest:
            raise NotFound("there is no execution yet")
        found: str = newest[0]["id"]
        return found

    def get(self, execution_id: str) -> ExecutionView:
        return execution_view(self._connection.get(f"/flow-executions/{self.resolve(execution_id)}"))

    def list(self, which: ExecutionFilter) -> Page[ExecutionView]:
        page = self._connection.get("/flow-executions", execution_query(which))
        return Page(tuple(map(execution_view, page["data"])), page["has_more"], next_of(page))

    def tasks(self, execution_id: str) -> tuple[TaskExecutionView, ...]:
        return tuple(self._outputs.of_execution(self.resolve(execution_id)))[::-1]

    def logs(
        self, execution_id: str, *, task_name: str | None = None, level: str = "TRACE", after: int = 0
    ) -> tuple[LogView, ...]:
        query = {"task_name": task_name, "level": level, "after": after, "limit": MAX_LOG_LINES}
        found = self._connection.get(f"/flow-executions/{self.resolve(execution_id)}/logs", query)
        return tuple(map(log_view, found["data"]))

    def outline(self, execution_id: str) -> tuple[TaskOutline, ...]:
        found = self._connection.get(f"/flow-executions/{self.resolve(execution_id)}/outline")
        return tuple(map(outline_view, found["data"]))

    def form(
        self, flow: Flow, given: Mapping[str, Any] | None = None, *, task: str | None = None
    ) -> tuple[FormField, ...]:
        refused("fill in a form")

    def past_runs(self, flows: Sequence[FlowPlace], limit: int = 20) -> Mapping[FlowPlace, tuple[PastRun, ...]]:
        refused("tell how flows went lately")

    def find_logs(self, execution_id: str, which: LogFilter) -> tuple[LogView, ...]:
        refused("look for log lines")

    def why(self, execution_id: str) -> tuple[Reason, ...]:
        view = self.get(execution_id)
        try:
            found = self._connection.get(f"/flow-executions/{view.id}/why")
        except NotFound:
            return (Reason(f"it is {view.state}, and this server does not tell why"),)
        return tuple(Reason(one["text"], tuple(one["command"])) for one in found["data"])

    # -- acting

    def kill(self, execution_id: str) -> None:
        self._act(execution_id, "cancel")

    def pause(self, execution_id: str) -> None:
        self._act(execution_id, "pause")

    def resume(
        self,
        execution_id: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        task_name: str | None = None,
        value: str | None = None,
        by: str = "",
        files: Mapping[str, Path] | None = None,
    ) -> None:
        if by:
            raise Invalid("a server knows by the API key who resumes", expected="no other name")
        if files:
            refused("send files of this machine")
        self._act(execution_id, "resume", {"inputs": dict(inputs or {}), "task_name": task_name, "value": value})

    def restart(self, execution_id: str) -> None:
        self._act(execution_id, "restart")

    def replay(
        self,
        execution_id: str,
        *,
        from_task: str | None = None,
        value: str | None = None,
        stale: bool = False,
        latest_revision: bool = False,
    ) -> ExecutionView:
        if stale:
            return execution_view(self._act(execution_id, "execute", query={"only_stale": "true"}))
        given = {"from_task": from_task, "value": value, "latest_revision": latest_revision}
        return execution_view(self._act(execution_id, "replay", given))

    def _act(
        self, execution_id: str, action: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        view = self.get(execution_id)
        self._before[view.id] = view.history
        answer: Mapping[str, Any] = self._connection.post(f"/flow-executions/{view.id}/{action}", body, query)
        return answer

    # -- following

    def is_owned(self, execution_id: str) -> bool:
        """An engine of the server works on it, and `run` follows."""
        return False

    def submit(self, execution_id: str) -> None:
        """The server has told its engine already."""

    def interrupt(self) -> None:
        """Once: let the server end what `run` follows; twice: leave it alone."""
        self._interrupts += 1

    def preflight(self, flow: Flow, *, runner: str | None = None, execution_id: str | None = None) -> tuple[str, ...]:
        """The server looks at what is needed before it lets anything go on."""
        return ()

    def run(
        self,
        execution_id: str,
        *,
        follow: Callable[[Happening], None] | None = None,
        runner: str | None = None,
        local_files: Path | None = None,
    ) -> ExecutionView:
        if runner is not None or local_files is not None:
            refused("choose where scripts run, or to read files of this machine")
        self._interrupts = 0
        asked_to_end, since, view = False, monotonic(), self.get(execution_id)
        before_it = self._before.get(view.id)
        began = before_it[-1][1] if before_it else view.created_at
        followed = _Followed(self._connection, self._outputs, view.id, began, follow or (lambda happening: None))
        told = -1
        while self._interrupts < 2:
            told, before = followed.look(), told
            since = since if told == before else monotonic()
            if self._rests(view, monotonic() - since):
                followed.end(view)
                break
            if self._interrupts and not asked_to_end:
                asked_to_end = True
                with suppress(Conflict):  # it has ended meanwhile
                    self.kill(view.id)
            sleep(LOOK_SECONDS)
            view = self.get(view.id)
        return view

    def _rests(self, view: ExecutionView, quiet: float) -> bool:
        """Whether nothing more happens by itself; quiet: seconds in which nothing has.

        Where nothing has happened since it was told to go on, the engine may not have read that yet.
        """
        may_rest = view.state in ENDED or view.state == "PAUSED"
        return may_rest and (view.history != self._before.get(view.id) or quiet > SETTLED_SECONDS)

    # -- what the API has no request for

    def create(
        self,
        flow: Flow,
        inputs: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        files: Mapping[str, Path] | None = None,
    ) -> tuple[ExecutionView, tuple[str, ...]]:
        refused("run a flow of this machine")

    def change_state(self, execution_id: str, task_name: str, state: str, *, value: str | None = None) -> None:
        refused("change a task's state")

    def force_run(self, execution_id: str) -> None:
        refused("run what is held back")

    def purge(self, which: ExecutionFilter) -> int:
        refused("purge executions")


class _Followed:
    """What has happened since the last look, told as a local run tells it. since: nothing older is told."""

    def __init__(
        self,
        connection: Connection,
        outputs: RemoteOutputs,
        execution_id: str,
        since: int,
        tell: Callable[[Happening], None],
    ) -> None:
        self._connection = connection
        self._outputs = outputs
        self._id = execution_id
        self._tell = tell
        self._since = self._updated = since
        self._told: set[tuple[str, int]] = set()
        self._line = 0

    def look(self) -> int:
        """Tell what is new; how much has been told so far."""
        for view in self._changed():
            self._updated = max(self._updated, view.updated_at)
            key = (view.id, len(view.history))
            if key not in self._told and view.history and view.history[-1][1] > self._since:
                self._told.add(key)
                self._tell(TaskChanged(
                    self._id, view.id, view.task_name, view.type, view.state, view.history[-1][1], view.value,
                    view.error, view.note,
                ))  # fmt: skip
        self._tell_lines()
        return len(self._told)

    def end(self, view: ExecutionView) -> None:
        """Tell how it ended."""
        self._tell(ExecutionChanged(view.id, view.state, view.ended_at or view.created_at, view.error))

    def _changed(self) -> list[TaskExecutionView]:
        """Task executions that changed since the last look, or at that very moment; oldest first."""
        found: list[TaskExecutionView] = []
        which: OutputFilter | None = OutputFilter((self._id,), updated_after=self._updated, limit=WHOLE_PAGE)
        while which is not None:
            page = self._outputs.list(which)
            found += page.data
            which = evolve(which, starting_after=page.next) if page.next is not None else None
        return found[::-1]

    def _tell_lines(self) -> None:
        query = {"after": self._line, "limit": MAX_LOG_LINES}
        while lines := self._connection.get(f"/flow-executions/{self._id}/logs", query)["data"]:
            for line in map(log_view, lines):
                if line.at > self._since:
                    self._tell(TaskLogged(self._id, line.task_name or "", line.at, line.level, line.message))
            self._line = query["after"] = lines[-1]["seq"]
