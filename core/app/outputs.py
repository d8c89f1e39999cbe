"""Task outputs: what came out, across executions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any, BinaryIO

from core.errors import Invalid, NotFound
from core.host.overviews import Lineage, OutputComparison, OutputFigures, SummaryPoint
from core.host.records import RecordStore
from core.host.views import ExecutionView, OutputFilter, Page, TaskExecutionView
from core.model.codec import decode
from core.model.data import evolve
from core.sdk.storage import StorageBackend, storage_path

WHOLE_ID = 36
"""Characters."""


class OutputService:
    """Implements `core.host.services.Outputs`. resolve: an execution's id from what a person wrote."""

    def __init__(
        self, organization: str, records: RecordStore, storage: StorageBackend, resolve: Callable[[str], str]
    ) -> None:
        self._organization = organization
        self._records = records
        self._storage = storage
        self._resolve = resolve

    def list(self, which: OutputFilter) -> Page[TaskExecutionView]:
        return self._records.outputs(self._organization, self._resolved(which))

    def count(self, which: OutputFilter) -> int:
        return self._records.product.count_outputs(self._organization, self._resolved(which))

    def lineage(self, output_id: str) -> Lineage:
        return self._records.product.lineage(self._organization, self.get(output_id).id)

    def figures(self, which: OutputFilter) -> OutputFigures:
        return self._records.product.figures(self._organization, self._resolved(which))

    def summary_over_time(self, which: OutputFilter, path: str, limit: int = 500) -> tuple[SummaryPoint, ...]:
        return self._records.product.summary_over_time(self._organization, self._resolved(which), path, limit)

    def _resolved(self, which: OutputFilter) -> OutputFilter:
        """What a person wrote as whole ids; a whole id that nothing has simply has no outputs."""
        if all(len(one) == WHOLE_ID for one in which.flow_execution_id):
            return which
        whole = (one if len(one) == WHOLE_ID else self._resolve(one) for one in which.flow_execution_id)
        return evolve(which, flow_execution_id=tuple(whole))

    def get(self, output_id: str) -> TaskExecutionView:
        execution, slash, task = output_id.partition("/")
        if slash:
            return self._of_task(self._resolve(execution), task)
        found = self._records.find_task_executions(self._organization, output_id)
        if len(found) > 1:
            raise Invalid(f"`{output_id}` is the beginning of more than one output's id", expected="more of the id")
        view = self._records.task_execution(self._organization, found[0]) if found else None
        if view is None:
            raise NotFound(f"there is no task output `{output_id}`", hint="`outputs list` shows the newest ones")
        return view

    def value(self, output_id: str) -> Any:
        opened = self.open(output_id)
        if opened is None:
            return None
        with opened[0] as body:
            return decode(body.read().decode("utf-8", "surrogatepass"))

    def values(self, ids: Sequence[str]) -> Mapping[str, Any]:
        bodies = self._records.product.bodies(self._organization, ids)
        return {output_id: decode(text) for output_id, (text, _, _) in bodies.items() if text is not None}

    def open(self, output_id: str) -> tuple[BinaryIO, int] | None:
        stored = self._records.output(self._organization, self.get(output_id).id)
        if stored is None:
            return None
        if stored.text is not None:
            return BytesIO(stored.text.encode("utf-8", "surrogatepass")), stored.size
        return self._storage.open(self._organization, storage_path(stored.uri or "")), stored.size

    def compare(self, first: str, second: str, *, limit: int = 1000) -> OutputComparison:
        from core.app.comparison import compare_executions  # noqa: PLC0415 - what it needs no other command loads

        views = (self._execution(self._resolve(first)), self._execution(self._resolve(second)))
        return compare_executions(self._organization, self._records, self._storage, *views, limit=limit)

    def _execution(self, execution_id: str) -> ExecutionView:
        view = self._records.execution(self._organization, execution_id)
        if view is None:
            raise NotFound(f"there is no execution {execution_id}", hint="`executions list` shows the newest ones")
        return view

    def _of_task(self, execution_id: str, task: str) -> TaskExecutionView:
        views = self._records.task_executions(self._organization, execution_id)
        named = [view for view in views if view.task_name == task]
        if not named:
            names = ", ".join(dict.fromkeys(view.task_name for view in views)) or "none"
            raise NotFound(f"no task `{task}` ran in the execution {execution_id}", expected=f"one of: {names}")
        return named[-1]
