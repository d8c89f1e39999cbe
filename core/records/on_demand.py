"""What most runs have no use for: lists and the product. Their modules are imported when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from core.host.views import ExecutionFilter, ExecutionView, OutputFilter, Page, TaskExecutionView
from core.records.database import Database

if TYPE_CHECKING:
    from core.host.product import ProductRecords
    from core.records.lists import Lists


class OnDemandReads:
    """Part of `SqlRecords`."""

    _db: Database

    @cached_property
    def product(self) -> ProductRecords:
        from core.records.product import SqlProduct  # noqa: PLC0415 - see above

        return SqlProduct(self._db)

    @cached_property
    def _lists(self) -> Lists:
        from core.records.lists import Lists  # noqa: PLC0415 - see above

        return Lists(self._db)

    def outputs(self, organization: str, which: OutputFilter) -> Page[TaskExecutionView]:
        return self._lists.outputs(organization, which)

    def executions(self, organization: str, which: ExecutionFilter) -> Page[ExecutionView]:
        return self._lists.executions(organization, which)

    def count_executions(self, organization: str, which: ExecutionFilter) -> tuple[tuple[str, str, int], ...]:
        return self._lists.count_executions(organization, which)
