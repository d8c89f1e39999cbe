"""Which organization each method of a store is about, told by the names of its parameters."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import wraps
from threading import Lock
from typing import Any, Protocol, TypeVar

from tailrace_records_postgres.database import EVERYBODY, STALE_CONNECTIONS, PostgresDatabase
from tailrace_records_postgres.failures import NothingWritten

REMEMBERED = 20_000
"""Ids whose organization is known without asking."""
C = TypeVar("C", bound=type)
T = TypeVar("T")
Rule = Callable[["Owners", Any], tuple[str, ...]]


class Owners:
    """Whose executions and task executions are; asked once, since it never changes."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = Lock()

    def of_execution(self, execution_id: str) -> str:
        """ "" when there is none, and nothing will be found."""
        return self._of("organization_of_execution", execution_id)

    def of_task(self, task_execution_id: str) -> str:
        return self._of("organization_of_task", task_execution_id)

    def of_key(self, key_id: str) -> str:
        return self._of("organization_of_key", key_id)

    def _of(self, question: str, identifier: str) -> str:
        key = question, identifier
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = self._db.read(question, (identifier,))[0][0]
        if found is None:
            return ""
        with self._lock:
            self._known[key] = found
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return str(found)


RULES: dict[str, Rule] = {
    "organization": lambda owners, value: (value,),
    "organization_id": lambda owners, value: (value,),
    "new": lambda owners, value: (value.organization_id,),
    "units": lambda owners, value: tuple(dict.fromkeys(unit.execution.organization_id for unit in value)),
    "execution_id": lambda owners, value: (owners.of_execution(value),),
    "task_execution_id": lambda owners, value: (owners.of_task(value),),
    "key_id": lambda owners, value: (owners.of_key(value),),
    "key": lambda owners, value: (value.organization_id,),
}
"""The first of them that a method has says it; a method without any is about everybody."""


class Scoped(Protocol):
    _db: Any
    owners: Owners


def rule_of(function: Callable[..., Any]) -> tuple[str, int] | None:
    """The parameter that says whom a method is about, and its place; None for one about everybody."""
    names = list(inspect.signature(function).parameters)[1:]
    found = next((name for name in RULES if name in names), None)
    return None if found is None else (found, names.index(found))


def scoped(contract: type, apart: Sequence[str]) -> Callable[[C], C]:
    """Let each method of a contract begin by saying whom it is about, but for those that do it themselves.

    One that lost its connection, and is known to have written nothing, is repeated.
    """

    def change(cls: C) -> C:
        for name, function in vars(contract).items():
            if inspect.isfunction(function) and not name.startswith("_") and name not in apart:
                setattr(cls, name, _about(getattr(cls, name), rule_of(function)))
        return cls

    return change


def again(call: Callable[[], T]) -> T:
    """Repeat what lost its connection and wrote nothing: at most once for each connection of the pool."""
    for _ in range(STALE_CONNECTIONS):
        try:
            return call()
        except NothingWritten:
            continue
    return call()


def _about(method: Callable[..., Any], rule: tuple[str, int] | None) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Scoped, *args: Any, **named: Any) -> Any:
        whom: tuple[str, ...] = (EVERYBODY,)
        if rule is not None:
            name, place = rule
            whom = RULES[name](self.owners, args[place] if place < len(args) else named[name])
        with self._db.about(*whom):
            return again(lambda: method(self, *args, **named))

    return call
