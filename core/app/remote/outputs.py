"""Task outputs, files and expressions of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from core.app.remote.comparisons import comparison_view
from core.app.remote.connection import Connection, next_of
from core.app.remote.overviews import figures_view, lineage_view, point_view
from core.app.remote.views import output_query, preview_view, task_view
from core.errors import Invalid, NotFound
from core.host.overviews import Completions, Lineage, OutputComparison, OutputFigures, SummaryPoint
from core.host.views import Evaluation, FilePreview, FileView, OutputFilter, Page, TaskExecutionView
from core.model.codec import decode
from core.model.data import evolve

PREVIEW = 1024
"""Bytes of an output that stand for it in a table."""
WHOLE_PAGE = 1000
MAX_POINTS = 500
"""Numbers over time that one answer has."""
PAGING = ("limit", "starting_after", "ending_before", "order")


def refused(what: str) -> NoReturn:
    """For what the API has no request for."""
    raise Invalid(f"a server can't be asked to {what}", hint="without --server this works on the home of this machine")


class RemoteOutputs:
    """Implements `core.host.services.Outputs`. resolve: an execution's id from what a person wrote.

    The outputs that came with the last list are remembered: whoever shows a list asks for them next.
    """

    def __init__(self, connection: Connection, resolve: Callable[[str], str]) -> None:
        self._connection = connection
        self._resolve = resolve
        self._came: dict[str, Any] = {}

    def list(self, which: OutputFilter) -> Page[TaskExecutionView]:
        resolved = tuple(self._resolve(one) for one in which.flow_execution_id)
        query = output_query(evolve(which, flow_execution_id=resolved))
        page = self._connection.get("/task-outputs", query)
        tasks = {task["id"]: task for task in self._connection.get("/task-executions", query)["data"]}
        self._came = {row["id"]: row["output"] for row in page["data"] if not _is_reference(row)}
        # What was added or hidden between the two requests is asked for by its id.
        views = tuple(self._view(row, tasks.get(row["id"])) for row in page["data"])
        return Page(views, page["has_more"], next_of(page))

    def of_execution(self, execution_id: str) -> Iterator[TaskExecutionView]:
        """Every one of an execution, newest first, with previews where a table shows them."""
        which: OutputFilter | None = OutputFilter(flow_execution_id=(execution_id,), limit=WHOLE_PAGE)
        came: dict[str, Any] = {}
        while which is not None:
            page = self.list(which)
            came |= self._came
            yield from map(self._with_preview, page.data)
            which = evolve(which, starting_after=page.next) if page.next is not None else None
        self._came = came

    def get(self, output_id: str) -> TaskExecutionView:
        execution, slash, task = output_id.partition("/")
        if slash:
            return self._of_task(self._resolve(execution), task)
        return self._view(self._connection.get(f"/task-outputs/{whole_id(output_id)}"), None)

    def value(self, output_id: str) -> Any:
        if output_id in self._came:
            return self._came[output_id]
        try:
            return decode(self._connection.text(f"/task-outputs/{output_id}/output"))
        except NotFound:
            self.get(output_id)  # if it is there, it has no output
            return None

    def values(self, ids: Sequence[str]) -> Mapping[str, Any]:
        return {output_id: self._came[output_id] for output_id in ids if output_id in self._came}

    def count(self, which: OutputFilter) -> int:
        query = {**output_query(which), "limit": 1, "count": "true"}
        found: int = self._connection.get("/task-outputs", query)["count"]
        return found

    def lineage(self, output_id: str) -> Lineage:
        return lineage_view(self._connection.get(f"/task-outputs/{self.get(output_id).id}/lineage"))

    def figures(self, which: OutputFilter) -> OutputFigures:
        return figures_view(self._connection.get("/task-outputs/figures", self._filter(which)))

    def summary_over_time(self, which: OutputFilter, path: str, limit: int = 500) -> tuple[SummaryPoint, ...]:
        if not 1 <= limit <= MAX_POINTS:
            raise Invalid(f"the limit {limit} is out of range", expected=f"1 to {MAX_POINTS}")
        found = self._connection.get("/task-outputs/figures", {**self._filter(which), "over_time": path})
        return tuple(map(point_view, found["over_time"]))[-limit:]

    def _filter(self, which: OutputFilter) -> dict[str, Any]:
        """Without what is about pages."""
        resolved = tuple(self._resolve(one) for one in which.flow_execution_id)
        query = output_query(evolve(which, flow_execution_id=resolved))
        return {name: value for name, value in query.items() if name not in PAGING}

    def compare(self, first: str, second: str, *, limit: int = 1000) -> OutputComparison:
        path = f"/flow-executions/{self._resolve(first)}/compare"
        return comparison_view(self._connection.get(path, {"with": self._resolve(second), "limit": limit}))

    def open(self, output_id: str) -> tuple[BinaryIO, int] | None:
        refused("open an output")

    def _of_task(self, execution_id: str, task: str) -> TaskExecutionView:
        found = self.list(OutputFilter(flow_execution_id=(execution_id,), task_name=(task,), limit=1)).data
        if not found:
            raise NotFound(f"no task `{task}` ran in the execution {execution_id}")
        return found[0]

    def _view(self, row: Mapping[str, Any], task: Mapping[str, Any] | None) -> TaskExecutionView:
        return task_view(row, task or self._connection.get(f"/task-executions/{row['id']}"))

    def _with_preview(self, view: TaskExecutionView) -> TaskExecutionView:
        """A table shows the beginning of an output that has no summary."""
        if view.summary or view.error or not view.output_size:
            return view
        return evolve(view, output_preview=self._connection.beginning(f"/task-outputs/{view.id}/output", PREVIEW))


class RemoteFiles:
    """Implements `core.host.services.Files`, as far as files are read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, uri: str) -> BinaryIO:
        return self._connection.open("/files", {"uri": uri})

    def stat(self, uri: str) -> FileView:
        return FileView(uri, self._connection.size("/files", {"uri": uri}))

    def preview(self, uri: str, rows: int = 20) -> FilePreview:
        return preview_view(self._connection.get("/files/preview", {"uri": uri, "rows": rows}))

    def local(self, uri: str) -> AbstractContextManager[Path]:
        refused("lend a file")

    def list(self, uri: str) -> tuple[FileView, ...]:
        refused("list files")

    def put(self, source: Path, namespace: str, name: str) -> FileView:
        refused("store a file")


class RemoteEvaluator:
    """Implements `core.host.services.Evaluator`."""

    def __init__(self, connection: Connection, resolve: Callable[[str], str]) -> None:
        self._connection = connection
        self._resolve = resolve

    def evaluate(
        self, execution_id: str, expression: str, *, task_name: str | None = None, value: str | None = None
    ) -> Evaluation:
        asked = {
            "flow_execution_id": self._resolve(execution_id), "expression": expression, "task_name": task_name,
            "value": value,
        }  # fmt: skip
        found = self._connection.post("/eval", asked)
        return Evaluation(found["text"], found["value"], found["type"])

    def complete(
        self, execution_id: str, text: str, cursor: int, *, task_name: str | None = None, value: str | None = None
    ) -> Completions:
        refused("complete expressions")


def whole_id(text: str) -> str:
    """An id as the API takes it. Raises Invalid for the beginning of one."""
    if len(text) != 36 or "/" in text:
        raise Invalid(f"`{text}` is not a whole id", expected="all 36 characters of it: a server knows no shorter form")
    return text


def _is_reference(row: Mapping[str, Any]) -> bool:
    """Whether an output is too large for a list, so that its place is told instead."""
    output = row["output"]
    return (
        isinstance(output, dict)
        and output.keys() == {"size", "sha256", "media_type", "href"}
        and str(output["href"]).endswith(f"/task-outputs/{row['id']}/output")
    )
