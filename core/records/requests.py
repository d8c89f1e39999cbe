"""Applies what tasks want written, inside the transaction that records their results."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from core.host.records import Unit
from core.host.requests import (
    DeleteKv,
    DeleteNamespaceFile,
    ForgetFiles,
    KeepResult,
    LogSpan,
    PurgeExecutions,
    PurgeLogs,
    PutNamespaceFile,
    Request,
    Resume,
    SetKv,
    SetLabels,
    SetVariables,
    SwitchTrigger,
    UnsetVariables,
)  # fmt: skip
from core.model.state import ENDED
from core.model.variables import merged_json, without_json
from core.records.database import Database

EXECUTION_TABLES = ("task_executions", "evaluations", "reads", "inbox", "labels", "file_uses", "logs", "metrics")
TASK_TABLES = ("task_output_bodies", "tags", "summary_values")


def apply(database: Database, unit: Unit, request: Request) -> None:
    """Write one request. `Exit` is not for the store: the decision that it led to says what is to be written."""
    write = _WRITERS.get(type(request))
    if write is not None:
        write(database, unit, request)


def _set_kv(database: Database, unit: Unit, request: SetKv) -> None:
    database.write("set_kv", (
        unit.execution.organization_id, request.namespace, request.key, request.value_json, request.description,
        request.expires_at, unit.at, unit.at, request.overwrite,
    ))  # fmt: skip


def _delete_kv(database: Database, unit: Unit, request: DeleteKv) -> None:
    statement = "delete_expired_kv" if request.expired_only else "delete_kv"
    until = (unit.at,) if request.expired_only else ()
    for key in request.keys:
        database.write(statement, (unit.execution.organization_id, request.namespace, key, *until))


def _set_labels(database: Database, unit: Unit, request: SetLabels) -> None:
    for key, value in request.labels.items():
        database.write("set_label", (unit.execution.organization_id, unit.execution.id, key, value))


def _set_variables(database: Database, unit: Unit, request: SetVariables) -> None:
    _change_variables(database, unit, request.before_json, lambda text: merged_json(text, request.values_json))


def _unset_variables(database: Database, unit: Unit, request: UnsetVariables) -> None:
    _change_variables(database, unit, request.before_json, lambda text: without_json(text, request.names))


def _change_variables(database: Database, unit: Unit, before: str, change: Callable[[str], str]) -> None:
    recorded = database.write("variables_of", (unit.execution.id,)).fetchone()[0]
    database.write("set_variables", (change(recorded or before), unit.execution.id))


def _resume(database: Database, unit: Unit, request: Resume) -> None:
    payload = f'{{"inputs":{request.inputs_json}}}'
    database.write("resume_execution", (payload, unit.at, unit.execution.organization_id, request.execution_id))
    database.forget_seen()


def _put_namespace_file(database: Database, unit: Unit, request: PutNamespaceFile) -> None:
    database.write("save_namespace_file", (
        unit.execution.organization_id, request.namespace, request.path, request.uri, request.size, request.sha256,
        unit.at,
    ))  # fmt: skip


def _delete_namespace_file(database: Database, unit: Unit, request: DeleteNamespaceFile) -> None:
    values = (unit.execution.organization_id, request.namespace, request.path)
    database.write("delete_namespace_file", values)


def _forget_files(database: Database, unit: Unit, request: ForgetFiles) -> None:
    for uri in request.uris:
        database.write("forget_file", (unit.execution.organization_id, uri))
        database.write("delete_file", (unit.execution.organization_id, uri))


def _switch_trigger(database: Database, unit: Unit, request: SwitchTrigger) -> None:
    database.write("switch_trigger", (
        unit.execution.organization_id, request.namespace, request.flow_id, request.trigger_id,
        int(not request.enabled),
    ))  # fmt: skip


def _keep_result(database: Database, unit: Unit, request: KeepResult) -> None:
    organization = unit.execution.organization_id
    database.write("forget_results", (organization, unit.at))
    database.write("keep_result", (organization, request.key, request.result_json, unit.at, request.until))


def _purge_executions(database: Database, unit: Unit, request: PurgeExecutions) -> None:
    organization = unit.execution.organization_id
    for execution_id in request.ids:
        if execution_id == unit.execution.id:
            continue  # it has ended, and a task that runs after its end asks for this
        row = database.write("state_of", (organization, execution_id)).fetchone()
        if row is not None and row[0] in ENDED:
            for uri in purge(database, organization, execution_id, request):
                database.write("doom_file", (organization, uri))


def _purge_logs(database: Database, unit: Unit, request: PurgeLogs) -> None:
    database.write("delete_logs", span_values(unit.execution.organization_id, request.which))


def span_values(organization: str, which: LogSpan) -> tuple[Any, ...]:
    """The parameters of `delete_logs` and `count_logs`."""
    levels = json.dumps(list(which.levels)) if which.levels else None
    return (
        organization, which.before, which.after, levels, which.execution_id, which.namespace, which.flow_id,
        which.namespace + ".", which.namespace + "/",
    )  # fmt: skip


def purge(database: Database, organization: str, execution_id: str, what: PurgeExecutions) -> list[str]:
    """Delete the rows of an execution, or some of them; the URIs of files that no row names any more."""
    free = _purge_files(database, organization, execution_id, whole=what.executions) if what.files else []
    kept = set() if what.logs else {"logs"}
    kept |= set() if what.metrics else {"metrics"}
    if what.executions:
        inner = "(SELECT id FROM task_executions WHERE flow_execution_id = ?)"
        for table in TASK_TABLES:
            database.execute(f"DELETE FROM {table} WHERE task_execution_id IN {inner}", (execution_id,))
        doomed = [table for table in EXECUTION_TABLES if table not in kept and (what.files or table != "file_uses")]
    else:
        doomed = [table for table in ("logs", "metrics") if table not in kept]
    for table in doomed:
        database.execute(f"DELETE FROM {table} WHERE flow_execution_id = ?", (execution_id,))
    if what.executions:
        database.execute("DELETE FROM flow_executions WHERE id = ?", (execution_id,))
        database.write("forget_task_spans", ())
        database.write("forget_execution_spans", ())
    return free


def _purge_files(database: Database, organization: str, execution_id: str, *, whole: bool) -> list[str]:
    """whole: with the bodies of outputs, which an execution that stays still needs."""
    statement = "files_of" if whole else "own_files"
    uris = [uri for (uri,) in database.write(statement, (organization, execution_id)).fetchall()]
    free = []
    for uri in uris:
        database.write("unuse_file", (organization, execution_id, uri))
        if database.write("file_used", (organization, uri)).fetchone() is None:
            database.write("delete_file", (organization, uri))
            free.append(uri)
    return free


_WRITERS: dict[type, Callable[[Database, Unit, Any], None]] = {
    SetKv: _set_kv,
    DeleteKv: _delete_kv,
    SetLabels: _set_labels,
    SetVariables: _set_variables,
    UnsetVariables: _unset_variables,
    Resume: _resume,
    PutNamespaceFile: _put_namespace_file,
    DeleteNamespaceFile: _delete_namespace_file,
    ForgetFiles: _forget_files,
    PurgeExecutions: _purge_executions,
    PurgeLogs: _purge_logs,
    KeepResult: _keep_result,
    SwitchTrigger: _switch_trigger,
}
