"""Who read what: written with every result, asked when an output was corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from core.host.records import ExecutionIdentity
from core.host.seam import Read
from core.model.messages import EvaluationKey, TaskKey
from core.records.database import Database
from core.records.texts import key_of, path_text

ANY = "*"
"""Before the name of a task: any of its task executions was read."""


def evaluation_reader(execution_id: str, key: EvaluationKey) -> str:
    """How an evaluation is named among readers."""
    return "/".join((execution_id, key.task.task_id, *key.task.path, key.purpose, str(key.round)))


def record_reads(
    database: Database, place: ExecutionIdentity, reader: str, around: tuple[str, ...], reads: tuple[Read, ...]
) -> None:
    """around: the values of the loops around the reader: of a task below them it read the one beside it."""
    for read in reads:
        path = _path_read(database, place.id, around, read) if around and read.task_name else "[]"
        name = read.task_name
        values = (place.organization_id, place.id, reader, read.what, name, place.id, name, path)
        database.write("insert_read", values)


def _path_read(database: Database, execution_id: str, around: tuple[str, ...], read: Read) -> str:
    """The path of the task execution whose output was read; "" when it can't be told: then it may be any."""
    for depth in range(len(around), -1, -1):
        key = TaskKey(read.task_name, around[:depth])
        named = ".".join(("outputs", read.task_name, *key.path))
        if f"{read.what}.".startswith(f"{named}."):
            path = path_text(key)
            if database.write("task_at", (execution_id, read.task_name, path)).fetchone():
                return path
    return ""


class _Tasks:
    """The task executions of an execution, as far as their places go."""

    def __init__(self, database: Database, execution_id: str) -> None:
        self._home = execution_id
        self._names: dict[str, str] = {}
        self._places: dict[str, list[str]] = defaultdict(list)
        self.below: Mapping[str | None, list[str]] = defaultdict(list)
        for identifier, parent, name, path, turn in database.write("places_of", (execution_id,)):
            self._names[identifier] = name
            place = "/".join((name, *key_of(name, path, turn).path))
            self._places[place].append(identifier)
            self.below[parent].append(identifier)

    def name_of(self, identifier: str) -> str:
        return self._names.get(identifier, "")

    def reader(self, reader: str) -> tuple[list[str], bool]:
        """The task executions that a reader stands for, and whether what is below them depends on what it read."""
        if reader in self._names:
            return [reader], False
        place = reader.removeprefix(f"{self._home}/").rsplit("/", 2)[0]
        return self._places.get(place, []), True


def dependents(database: Database, execution_id: str, task_execution_id: str) -> list[str]:
    """Task executions of an execution that read an output, straight or through others."""
    tasks = _Tasks(database, execution_id)
    readers: dict[str, list[str]] = defaultdict(list)
    for reader, _, read, _ in database.write("reads_of", (execution_id,)):
        if read is not None:
            readers[read].append(reader)
    found: dict[str, None] = {}
    waiting = [task_execution_id]
    while waiting:
        one = waiting.pop()
        for reader in (*readers.pop(one, ()), *readers.pop(ANY + tasks.name_of(one), ())):
            identifiers, whole = tasks.reader(reader)
            for dependent in _with_below(tasks, identifiers) if whole else identifiers:
                if dependent not in found and dependent != task_execution_id:
                    found[dependent] = None
                    waiting.append(dependent)
    return list(found)


def _with_below(tasks: _Tasks, identifiers: Iterable[str]) -> list[str]:
    whole = list(identifiers)
    for one in whole:  # grows while it is read
        whole.extend(tasks.below.get(one, ()))
    return whole
