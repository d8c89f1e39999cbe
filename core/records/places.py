"""What is read of one execution by the places of its tasks: outputs, states, what a restart looks at, children."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.errors import NotFound
from core.host.records import ChildRow, ParentLink, PastRow, StoredOutput, TaskIdentity
from core.model.messages import TaskKey
from core.records.database import Database
from core.records.derived import parent_of
from core.records.rows import identity, past_rows
from core.records.texts import key_of, path_text


class PlaceReads:
    """Part of `SqliteRecords`."""

    _db: Database

    def output(self, organization: str, task_execution_id: str) -> StoredOutput | None:
        rows = self._db.read("body", (organization, task_execution_id))
        return StoredOutput(*rows[0]) if rows and rows[0][3] is not None else None

    def outputs_of(
        self, execution_id: str, task_names: Sequence[str] | None
    ) -> tuple[tuple[TaskKey, str, StoredOutput | None], ...]:
        found = []
        for name in [None] if task_names is None else task_names:
            rows = self._db.read("bodies_of", (execution_id,)) if name is None else self._db.read(
                "bodies_of_task", (execution_id, name)
            )  # fmt: skip
            for task, path, turn, state, *body in rows:
                stored = StoredOutput(*body) if body[3] is not None else None
                found.append((key_of(task, path, turn), state, stored))
        return tuple(found)

    def outputs_at(
        self, execution_id: str, task_name: str, path: tuple[str, ...]
    ) -> tuple[StoredOutput | None, tuple[str, ...]]:
        place = path_text(TaskKey(task_name, path))
        rows = self._db.read("output_at", (execution_id, task_name, place))
        below = f"{place[:-1]}, " if path else "["
        deeper = self._db.read("paths_below", (execution_id, task_name, f'{below}"', f"{below}#"))
        values = dict.fromkeys(json.loads(text)[len(path)] for (text,) in deeper)
        return StoredOutput(*rows[0]) if rows else None, tuple(values)

    def states_of(self, execution_id: str, task_names: Sequence[str] | None = None) -> tuple[tuple[TaskKey, str], ...]:
        latest: dict[tuple[str, str], tuple[int, str]] = {}
        rows = self._db.read("states_of", (execution_id,)) if task_names is None else [
            row for name in task_names for row in self._db.read("states_of_task", (execution_id, name))
        ]  # fmt: skip
        for name, path, turn, state in rows:
            if latest.get((name, path), (-1, ""))[0] <= turn:
                latest[name, path] = turn, state
        return tuple((key_of(*place, turn), state) for place, (turn, state) in latest.items())

    def past(self, execution_id: str) -> tuple[PastRow, ...]:
        return tuple(past_rows(self._db.read("past", (execution_id,))))

    def identity(self, execution_id: str, key: TaskKey) -> TaskIdentity:
        rows = self._db.read("identity", (execution_id, key.task_id, path_text(key), key.turn))
        if not rows:
            raise NotFound(f"the execution {execution_id} has no task execution {' / '.join((key.task_id, *key.path))}")
        identifier, kind, parent, attempts = rows[0]
        return identity(identifier, kind, parent, json.loads(attempts))

    def children_of(self, task_execution_id: str) -> tuple[ChildRow, ...]:
        return tuple(
            ChildRow(index, child, state, outputs, error or "")
            for index, child, state, outputs, error in self._db.read("children_of", (task_execution_id,))
        )

    def parent_of(self, execution_id: str) -> ParentLink | None:
        return parent_of(self._db, execution_id)
