"""Records summed up for people: a part of the records of the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.host.overviews import Lineage, OutputFigures, PastRun, SummaryPoint, TaskOutline
from core.host.views import LogFilter, LogView, OutputFilter
from core.records.database import Database
from core.records.figures import figures, past_runs, summary_over_time
from core.records.log_lines import log_lines
from core.records.outline import outline
from core.records.read_links import lineage


class OverviewRecords:
    """Part of `SqlProduct`."""

    _db: Database

    def find_logs(self, organization: str, execution_id: str, which: LogFilter) -> tuple[LogView, ...]:
        return log_lines(self._db, organization, execution_id, which)

    def outline(self, organization: str, execution_id: str) -> tuple[TaskOutline, ...]:
        return outline(self._db, organization, execution_id)

    def lineage(self, organization: str, output_id: str) -> Lineage:
        return lineage(self._db, organization, output_id)

    def past_runs(
        self, organization: str, flows: Sequence[tuple[str, str]], limit: int
    ) -> Mapping[tuple[str, str], tuple[PastRun, ...]]:
        return past_runs(self._db, organization, flows, limit)

    def figures(self, organization: str, which: OutputFilter) -> OutputFigures:
        return figures(self._db, organization, which)

    def summary_over_time(
        self, organization: str, which: OutputFilter, path: str, limit: int
    ) -> tuple[SummaryPoint, ...]:
        return summary_over_time(self._db, organization, which, path, limit)
