"""What must hold for a unit to be written, looked at inside the transaction."""

from __future__ import annotations

from collections.abc import Callable

from core.host.records import RefusedKind, Unit
from core.model.decisions import FreeSlot, Guard, KeyAbsent, VersionIs
from core.records.database import Database
from core.records.texts import path_text

FENCE = "the execution has another owner"
TWICE = "this was decided before"
IsAlive = Callable[[str], bool]


class GuardError(Exception):
    """A guard did not hold; the unit is undone."""

    def __init__(self, text: str, kind: RefusedKind) -> None:
        super().__init__(text)
        self.kind: RefusedKind = kind


def check(database: Database, unit: Unit, guard: Guard, is_alive: IsAlive) -> None:
    """Raises GuardError."""
    organization = unit.execution.organization_id
    if isinstance(guard, FreeSlot):
        if not _slot_is_free(database, unit, guard, is_alive):
            raise GuardError(f"no free slot in {guard.namespace}.{guard.flow_id}", "slot")
    elif isinstance(guard, KeyAbsent):
        if database.write("kv_exists", (organization, guard.namespace, guard.key, unit.at)).fetchone():
            raise GuardError(f"key {guard.key} exists", "key")
    elif isinstance(guard, VersionIs):
        values = (unit.execution.id, guard.key.task_id, path_text(guard.key), guard.key.turn)
        row = database.write("output_version", values).fetchone()
        if row is None or row[0] != guard.version:
            raise GuardError(f"{guard.key.task_id} has another version", "version")


def _slot_is_free(database: Database, unit: Unit, guard: FreeSlot, is_alive: IsAlive) -> bool:
    """First in, first out: what was queued before has a slot before, unless nobody is there to use it."""
    flow = (unit.execution.organization_id, guard.namespace, guard.flow_id, unit.execution.id)
    taken = database.write("running_executions", flow).fetchone()[0]
    if taken >= guard.limit:
        return False
    alive: dict[str | None, bool] = {None: False}
    for (engine_id,) in database.write("older_queued", flow):
        if engine_id not in alive:
            alive[engine_id] = is_alive(engine_id)
        taken += alive[engine_id]
        if taken >= guard.limit:
            return False
    return True
