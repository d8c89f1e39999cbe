"""Answers to questions that range over an organization: its keys, executions and logs. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.engine.clock import now
from core.host.records import RecordStore
from core.host.requests import LogSpan
from core.host.seam import Place
from core.host.views import ExecutionFilter
from core.loading import parse_yaml

LINES = 1000
Arguments = Mapping[str, Any]


class Surveys:
    """What each question may be told is said at its method."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._methods: dict[str, Callable[[Place, Arguments], Any]] = {
            "kept_result": self.kept_result,
            "kv_expired": self.kv_expired,
            "kv_keys": self.kv_keys,
            "execution_counts": self.execution_counts,
            "execution_ids": self.execution_ids,
            "execution_weight": self.execution_weight,
            "execution_state": self.execution_state,
            "own_files": self.own_files,
            "file_namespaces": self.file_namespaces,
            "trigger_ids": self.trigger_ids,
            "log_lines": self.log_lines,
            "log_count": self.log_count,
        }

    def find(self, what: str) -> Callable[[Place, Arguments], Any] | None:
        """Who answers a question; None when nobody here does."""
        return self._methods.get(what)

    def kept_result(self, place: Place, asked: Arguments) -> str | None:
        """key → the JSON of what a task gave, None when nothing is kept."""
        return self._records.kept_result(place.organization_id, asked["key"], now())

    def kv_expired(self, place: Place, asked: Arguments) -> bool:
        """namespace, key → whether its value has expired."""
        return self._records.kv_expired(place.organization_id, asked["namespace"], asked["key"], now())

    def kv_keys(self, place: Place, asked: Arguments) -> list[Any]:
        """namespaces (`a.*` with those below, none for all), prefix → [[namespace, key, whether it has expired]]."""
        found = self._records.kv_keys(place.organization_id, asked["namespaces"], now())
        return [list(entry) for entry in found if entry[1].startswith(asked["prefix"])]

    def execution_counts(self, place: Place, asked: Arguments) -> list[Any]:
        """The fields of an ExecutionFilter → [[namespace, flow, how many]]."""
        found = self._records.count_executions(place.organization_id, _filter(asked))
        return [list(row) for row in found]

    def execution_ids(self, place: Place, asked: Arguments) -> list[Any]:
        """The fields of an ExecutionFilter → [ids, what `starting_after` takes to go on or None]."""
        page = self._records.executions(place.organization_id, _filter(asked))
        return [[view.id for view in page.data], page.next]

    def execution_weight(self, place: Place, asked: Arguments) -> list[int]:
        """ids → how many log lines, metrics and files they have."""
        return list(self._records.weight_of(place.organization_id, asked["ids"]))

    def execution_state(self, place: Place, asked: Arguments) -> list[str] | None:
        """id → its state, namespace and flow, None when there is no such execution."""
        view = self._records.execution(place.organization_id, asked["id"])
        return [view.state, view.namespace, view.flow_id] if view else None

    def own_files(self, place: Place, asked: Arguments) -> list[str]:
        """The files that the asking execution uses, bodies of outputs left out."""
        return list(self._records.own_files(place.organization_id, place.flow_execution_id))

    def file_namespaces(self, place: Place, asked: Arguments) -> list[str]:
        """The namespaces that have files."""
        return list(self._records.file_namespaces(place.organization_id))

    def trigger_ids(self, place: Place, asked: Arguments) -> list[str] | None:
        """namespace, flow_id → the ids of its triggers, None when there is no such flow.

        Of the asking execution's flow as it runs, of others as they were stored last.
        """
        organization, revision = place.organization_id, None
        if (asked["namespace"], asked["flow_id"]) == (place.namespace, place.flow_id):
            own = self._records.execution(organization, place.flow_execution_id)
            revision = own.flow_revision if own else None
        flow = self._records.flow(organization, asked["namespace"], asked["flow_id"], revision)
        return None if flow is None else _trigger_ids(flow.source)

    def log_lines(self, place: Place, asked: Arguments) -> list[Any]:
        """id, levels, after (a seq) → at most 1000 lines as [seq, at, level, task, attempt, message]."""
        found = self._records.logs(
            place.organization_id, asked["id"], None, asked["levels"], asked["after"], LINES
        )
        return [[one.seq, one.at, one.level, one.task_name, one.attempt, one.message] for one in found]

    def log_count(self, place: Place, asked: Arguments) -> int:
        """The fields of a LogSpan → how many lines there are."""
        return self._records.count_logs(place.organization_id, LogSpan(**{**asked, "levels": tuple(asked["levels"])}))


def _trigger_ids(source: str) -> list[str]:
    written = parse_yaml(source)
    triggers = written.get("triggers") if isinstance(written, dict) else None
    return [str(one["id"]) for one in triggers or () if isinstance(one, dict) and "id" in one]


def _filter(asked: Arguments) -> ExecutionFilter:
    given: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in asked.items()}
    return ExecutionFilter(**given)
