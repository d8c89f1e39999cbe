"""Executions as they are created: new ones, children of a Call, and those derived from others with copies of rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.errors import NotFound
from core.host.records import NewExecution, ParentLink
from core.model.data import data, evolve
from core.model.digest import digest
from core.model.messages import TaskKey
from core.records.database import Database
from core.records.texts import key_of


@data
class Origin:
    """What a derived execution is made from. created_at: when the first of a row of retries was created."""

    id: str | None = None
    attempt: int = 1
    created_at: int | None = None


_ITSELF = Origin()


def create(database: Database, new: NewExecution, origin: Origin = _ITSELF) -> bool:
    """Inside a transaction. False when its parent link says that it exists."""
    link = new.parent
    linked = (None,) * 6 if link is None else (
        link.execution_id, link.task_execution_id, json.dumps(link.key), link.attempt, link.wait, link.index,
    )  # fmt: skip
    row = database.write("insert_execution", (
        new.id, new.organization_id, new.namespace, new.flow_id, new.flow_revision,
        json.dumps([["CREATED", new.at]]), new.inputs_json, new.at, new.variables_json, new.trigger_json,
        new.due_at or None, *linked, origin.id, origin.attempt, origin.created_at,
    )).fetchone()  # fmt: skip
    if row is None:
        return False
    seq = row[0]
    for key, value in new.labels.items():
        database.write("insert_label", (new.organization_id, new.id, key, value, seq))
    for uri, size, sha256 in new.files:
        database.write("insert_file", (new.organization_id, uri, size, sha256, new.at))
        database.write("use_file", (new.organization_id, new.id, uri))
    database.write("insert_inbox", (new.id, *new.first, new.at))
    return True


def parent_of(database: Database, execution_id: str) -> ParentLink | None:
    """Inside a transaction or not."""
    for execution, task, key, index, wait, attempt in database.read("parent_of", (execution_id,)):
        name, path, turn = json.loads(key)
        return ParentLink(execution, task, TaskKey(name, tuple(path), turn), index, bool(wait), attempt)
    return None


def derive(
    database: Database, new: NewExecution, of: str, keep: Sequence[TaskKey], again: Sequence[TaskKey] = (), *,
    retry: bool,
) -> bool:  # fmt: skip
    """Inside a transaction: create an execution from another, with copies of some of its task executions.

    again: those that run again from their beginning, and ask anew. retry: it takes the place of the other one,
    whoever called that. Raises NotFound.
    """
    row = database.write("origin", (of,)).fetchone()
    if row is None:
        raise NotFound(f"there is no execution {of}")
    original, attempt, created_at, variables, trigger = row
    link = new.parent or (parent_of(database, of) if retry else None)
    made = evolve(
        new, parent=link, variables_json=new.variables_json or variables, trigger_json=new.trigger_json or trigger
    )
    if not create(database, made, Origin(original, attempt + 1, created_at) if retry else Origin(original)):
        return False
    if retry:  # its owner waits for the time to begin; without it the retry is abandoned
        database.write("inherit_owner", (of, new.id))
    _copy(database, new, of, frozenset(keep), frozenset(again))
    return True


def _copy(
    database: Database, new: NewExecution, of: str, keep: frozenset[TaskKey], again: frozenset[TaskKey]
) -> None:
    """Rows of the kept task executions, under new ids; large outputs stay the files they are."""
    copies: dict[str, str] = {}
    places: set[str] = set()
    for old, parent, name, path, turn in database.write("places_of", (of,)).fetchall():
        key = key_of(name, path, turn)
        if key not in keep:
            continue
        identifier = copies[old] = _copied_id(new, old)
        values = (identifier, new.id, new.flow_revision, copies.get(parent), new.at, old)
        (seq,) = database.write("copy_task", values).fetchone()
        database.write("copy_body", (identifier, old))
        database.write("copy_summary", (identifier, seq, old))
        database.write("copy_tags", (identifier, seq, old))
        if key not in again:
            places.add("/".join((of, name, *key.path)))
            database.write("copy_evaluations", (new.id, of, name, path, turn))
    database.write("copy_files", (new.id, of))
    if not copies:
        return
    for reader, what, read, version in database.write("reads_of", (of,)).fetchall():
        kept = copies.get(reader)
        if kept is None and reader.rsplit("/", 2)[0] in places:  # an evaluation of theirs
            kept = new.id + reader.removeprefix(of)
        if kept is not None:
            database.write("copy_read", (new.organization_id, new.id, kept, what, copies.get(read, read), version))


def _copied_id(new: NewExecution, old: str) -> str:
    """A UUIDv7 of the time of the new execution, the same one every time: stores draw nothing."""
    drawn = int(digest(f"{new.id} {old}".encode())[:20], 16)
    bits = (new.at // 1000 << 80) | (0x7 << 76) | (drawn >> 68 & 0xFFF) << 64 | 0b10 << 62 | drawn & (1 << 62) - 1
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
