"""What the record needs of a database, whichever it is: named statements, transactions, rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class Cursor(Protocol):
    """The rows of one statement; `rowcount` is how many it changed."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """One database with the tables of the record.

    A statement's text comes from ours by its name, or is put together from fragments of ours with `?` for values:
    never from a user's text. All raise Unreachable when the database can't be used.

    merges: whether the parts of a UNION ALL that is sorted are merged, when an index has each of them in order; else
    each is to be sorted by itself, and cut.
    """

    merges: bool

    def writing(self) -> AbstractContextManager[None]:
        """One write transaction, the only one at its time; rolled back when the block raises."""

    def write(self, name: str, values: Row) -> Cursor:
        """Run a named statement inside `writing()`."""

    def execute(self, sql: str, values: Row = ()) -> Cursor:
        """Run a statement put together from names of ours inside `writing()`; savepoints too."""

    def read(self, name: str, values: Row = ()) -> list[Row]:
        """All rows of a named query; inside `writing()` as they were before it, or with what it has written so far."""

    def read_maps(self, name: str, values: Row = ()) -> list[dict[str, Any]]:
        """As `read`, by column name."""

    def select(self, sql: str, values: Row = ()) -> list[Row]:
        """All rows of a query that was put together."""

    def select_maps(self, sql: str, values: Row = ()) -> list[dict[str, Any]]:
        """As `select`, by column name."""

    def any_case(self, text: str) -> tuple[str, str]:
        """A condition on a column in the place of `{}`, and the value of its mark: that a text stands somewhere in it,
        in any case of letters."""

    def changed(self) -> bool:
        """Whether somebody else has written since the last call."""

    def forget_seen(self) -> None:
        """Let `changed` say so once, whoever wrote."""

    def tidy(self) -> None:
        """Housekeeping while nothing else is to be done."""

    def close(self) -> None:
        """Give connections back."""


def cases(letter: str) -> str:
    """For `any_case`: a letter in all its cases that are one letter; anything else as it is."""
    found = {letter, letter.lower(), letter.upper(), letter.title()}
    return "".join(sorted(one for one in found if len(one) == 1))
