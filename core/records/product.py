"""Task outputs as a product: what people and outside workers change of them, each change with its row in the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.errors import Conflict, NotFound
from core.host.product import Correction, NewOutput, Once, OutputBody
from core.host.views import OutputFilter, TaskExecutionView
from core.model.codec import decode, encode
from core.model.messages import TaskKey
from core.model.state import ENDED
from core.records.database import Database
from core.records.lineage import dependents
from core.records.lists import output_listing, pairs_of
from core.records.overviews import OverviewRecords
from core.records.product_access import AccessRecords, write_audit
from core.records.rows import task_view
from core.records.texts import marks, path_text, scalars

SMALL = 1000
"""Characters of an output that the audit shows; of a larger one it names size and digest."""


class _Output(NamedTuple):
    """A task output that is to be changed."""

    id: str
    seq: int
    execution_id: str
    version: int
    summary_json: str | None
    size: int | None
    sha256: str | None
    ended_at: int | None
    deleted_at: int | None
    body: str | None
    engine_id: str | None


class SqlProduct(AccessRecords, OverviewRecords):
    """Implements `core.host.product.ProductRecords`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- reading

    def count_outputs(self, organization: str, which: OutputFilter) -> int:
        return output_listing(self._db, organization, which).count()

    def bodies(self, organization: str, ids: Sequence[str]) -> Mapping[str, tuple[str | None, str | None, int]]:
        if not ids:
            return {}
        # The organization is compared here: SQLite would rather look through all of its rows than for a dozen ids.
        sql = ("SELECT te.id, te.organization_id, b.body, te.output_uri, te.output_size FROM task_executions te "
               "LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id "
               f"WHERE te.id IN ({marks(ids)}) AND te.output_size IS NOT NULL")  # fmt: skip
        rows = self._db.select(sql, tuple(ids))
        return {one: (text, uri, size) for one, owner, text, uri, size in rows if owner == organization}

    def external_outputs(self, organization: str, execution_id: str) -> tuple[TaskExecutionView, ...]:
        rows = self._db.read_maps("external_of", (organization, execution_id))
        tags = pairs_of(self._db, "tags", "task_execution_id", [row["id"] for row in rows])
        return tuple(task_view(row, tags[row["id"]]) for row in rows)

    # -- changing what came out

    def correct_output(
        self, organization: str, output_id: str, correction: Correction, *, version: int, by: str, at: int
    ) -> tuple[str, ...]:
        with self._db.writing():
            found = self._output(organization, output_id)
            _may_be_corrected(found, version)
            before = self._shown(found, correction)
            self._correct(organization, found, correction, at)
            self._db.write("output_changed", (by, at, output_id))
            stale: list[str] = []
            if correction.body is not None:  # nobody reads summary and tags
                self._db.write("output_fresh", (output_id,))
                stale = dependents(self._db, found.execution_id, output_id)
            for one in stale:
                self._db.write("set_stale", (at, at, one))
            after = self._shown(self._output(organization, output_id), correction)
            if correction.reason:
                after["reason"] = correction.reason
            if stale:
                after["stale"] = len(stale)
            write_audit(self._db, organization, by, "task_output.correct", output_id, before, after, at)
        return tuple(stale)

    def tag_outputs(
        self, organization: str, ids: Sequence[str], add: Mapping[str, str], remove: Sequence[str], *, by: str, at: int
    ) -> None:
        wanted = tuple(dict.fromkeys(ids))
        with self._db.writing():
            outputs = [self._find(organization, one) for one in wanted]
            missing = [one for one, found in zip(wanted, outputs, strict=True) if found is None]
            if missing:
                raise NotFound("there is no task output " + ", ".join(f"`{one}`" for one in missing))
            for found in outputs:
                if found is not None:
                    self._tag(organization, found, add, remove, by, at)

    def _tag(
        self, organization: str, found: _Output, add: Mapping[str, str], remove: Sequence[str], by: str, at: int
    ) -> None:
        before = self._tags(found.id)
        for key in remove:
            self._db.write("remove_tag", (found.id, key))
        self._set_tags(organization, found.id, found.seq, add)
        self._db.write("output_changed", (by, at, found.id))
        after = {"version": found.version + 1, "tags": self._tags(found.id)}
        before_ = {"version": found.version, "tags": before}
        write_audit(self._db, organization, by, "task_output.tag", found.id, before_, after, at)

    def set_output_deleted(self, organization: str, output_id: str, deleted: bool, *, by: str, at: int) -> None:
        with self._db.writing():
            self._output(organization, output_id)
            if deleted:
                changed = self._db.write("delete_output", (at, at, output_id)).rowcount
            else:
                changed = self._db.write("restore_output", (at, output_id)).rowcount
            if changed:
                action = "task_output.delete" if deleted else "task_output.restore"
                write_audit(
                    self._db, organization, by, action, output_id, {"deleted": not deleted}, {"deleted": deleted}, at
                )

    # -- outputs of outside workers

    def add_output(self, organization: str, new: NewOutput, *, once: Once | None, by: str, at: int) -> str:
        with self._db.writing():
            made = self._made_before(organization, once)
            if made is not None:
                return made
            row = self._db.write("execution_to_change", (organization, new.flow_execution_id)).fetchone()
            if row is None or row[4] is not None:
                raise NotFound(f"there is no execution `{new.flow_execution_id}`")
            if self._db.write("is_task_of_engine", (new.flow_execution_id, new.task_name)).fetchone():
                raise Conflict(
                    f"`{new.task_name}` is a task of the flow {row[0]}.{row[1]}, which gives its output itself",
                    hint="give the output another task_name, or correct the one that is there",
                )
            self._insert(organization, new, row, by)
            if once is not None:
                self._db.write("do_once", (organization, once.key, once.digest, encode(new.id), at))
            shown = {"flow_execution_id": new.flow_execution_id, "task_name": new.task_name, "state": new.state}
            write_audit(self._db, organization, by, "task_output.add", new.id, None, shown, at)
        return new.id

    def _made_before(self, organization: str, once: Once | None) -> str | None:
        """What the same request made; raises Conflict when it was another one."""
        row = None if once is None else self._db.write("done_once", (organization, once.key)).fetchone()
        if once is None or row is None:
            return None
        if row[0] != once.digest:
            raise Conflict(
                f"another request was made with the key `{once.key}`", hint="use a new key for each new request"
            )
        return str(decode(row[1]))

    def _insert(self, organization: str, new: NewOutput, execution: tuple[Any, ...], by: str) -> None:
        namespace, flow_id, revision, _, _ = execution
        path = path_text(TaskKey(new.task_name, (new.value,) if new.value is not None else ()))
        turn = self._db.write("next_external_turn", (new.flow_execution_id, new.task_name, path)).fetchone()[0]
        history = json.dumps([["CREATED", new.at], [new.state, new.at]], separators=(",", ":"))
        body = new.body
        columns = (body.size, body.sha256, body.uri, body.preview) if body else (None,) * 4
        (seq,) = self._db.write("insert_external", (
            new.id, organization, new.flow_execution_id, namespace, flow_id, revision, new.task_name, path, turn,
            new.value, new.state, history, new.error or None, encode(new.summary) if new.summary else None, *columns,
            by, new.at, new.at, new.at,
        )).fetchone()  # fmt: skip
        if body is not None:
            self._keep_body(organization, new.id, new.flow_execution_id, body, new.at)
        self._set_summary(organization, new.id, new.summary)
        self._set_tags(organization, new.id, seq, new.tags)

    # -- executions

    def set_execution_deleted(self, organization: str, execution_id: str, deleted: bool, *, by: str, at: int) -> None:
        with self._db.writing():
            row = self._db.write("execution_to_change", (organization, execution_id)).fetchone()
            if row is None:
                raise NotFound(f"there is no execution `{execution_id}`")
            if deleted is (row[4] is not None):
                return
            if row[3] not in ENDED:
                raise Conflict(f"the execution {execution_id} has not ended", hint="kill it first")
            self._db.write("delete_execution", (at if deleted else None, execution_id))
            if deleted:
                self._db.write("delete_outputs_of", (at, at, organization, execution_id))
            else:
                self._db.write("restore_outputs_of", (at, organization, execution_id))
            action = "flow_execution.delete" if deleted else "flow_execution.restore"
            write_audit(
                self._db, organization, by, action, execution_id, {"deleted": not deleted}, {"deleted": deleted}, at
            )

    # -- parts of a change, inside its transaction

    def _find(self, organization: str, output_id: str) -> _Output | None:
        row = self._db.write("output_to_change", (organization, output_id)).fetchone()
        return None if row is None else _Output(output_id, *row)

    def _output(self, organization: str, output_id: str) -> _Output:
        found = self._find(organization, output_id)
        if found is None:
            raise NotFound(f"there is no task output `{output_id}`")
        return found

    def _correct(self, organization: str, found: _Output, correction: Correction, at: int) -> None:
        body = correction.body
        if body is not None:
            self._db.write("correct_output", (body.size, body.sha256, body.uri, body.preview, found.id))
            self._keep_body(organization, found.id, found.execution_id, body, at)
        if correction.summary is not None:
            text = encode(correction.summary) if correction.summary else None
            self._db.write("correct_summary", (text, found.id))
            self._db.write("forget_summary", (found.id,))
            self._set_summary(organization, found.id, correction.summary)
        if correction.tags is not None:
            self._db.write("forget_tags", (found.id,))
            self._set_tags(organization, found.id, found.seq, correction.tags)

    def _keep_body(self, organization: str, output_id: str, execution_id: str, body: OutputBody, at: int) -> None:
        self._db.write("forget_body", (output_id,))
        if body.text is not None:
            self._db.write("insert_body", (output_id, organization, body.text))
        for uri, size, sha256 in body.files:
            self._db.write("insert_file", (organization, uri, size, sha256, at))
            self._db.write("use_file", (organization, execution_id, uri))

    def _set_summary(self, organization: str, output_id: str, summary: Mapping[str, Any]) -> None:
        for path, text, number in scalars(summary):
            self._db.write("insert_summary_value", (organization, output_id, path, text, number))

    def _set_tags(self, organization: str, output_id: str, seq: int, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            self._db.write("set_tag", (organization, output_id, key, value, seq))

    def _tags(self, output_id: str) -> dict[str, str]:
        return dict(self._db.write("tags_of", (output_id,)).fetchall())

    def _shown(self, found: _Output, correction: Correction) -> dict[str, Any]:
        """What the audit tells of the parts that a correction changes."""
        shown: dict[str, Any] = {"version": found.version}
        if correction.body is not None:
            small = found.body is not None and len(found.body) <= SMALL
            shown["output"] = decode(found.body) if small and found.body is not None else (
                None if found.size is None else {"size": found.size, "sha256": found.sha256}
            )  # fmt: skip
        if correction.summary is not None:
            shown["summary"] = decode(found.summary_json) if found.summary_json else {}
        if correction.tags is not None:
            shown["tags"] = self._tags(found.id)
        return shown


def _may_be_corrected(found: _Output, version: int) -> None:
    if found.version != version:
        raise Conflict(
            f"the task output {found.id} has the version {found.version}, not {version}",
            hint="read it again: somebody changed it",
        )
    if found.deleted_at is not None:
        raise Conflict(f"the task output {found.id} is deleted", hint="restore it first")
    if found.ended_at is None:
        raise Conflict(f"the task execution {found.id} has not ended")
    if found.engine_id is not None:  # it keeps at hand what its tasks gave
        raise Conflict(f"an engine works on the execution {found.execution_id}", hint="wait for its end, or pause it")
