"""What goes wrong with the database, in words for people."""

from __future__ import annotations

from types import TracebackType

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import PoolClosed, PoolTimeout

from core.sdk import Conflict, Invalid, TailraceError, TooLarge, Unreachable

INIT = "make them with `records init`, or give the URL that it printed"
NOT_HERE = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedFunction, errors.InvalidCatalogName)
REFUSED = (errors.InvalidPassword, errors.InvalidAuthorizationSpecification)
AGAIN = (errors.SerializationFailure, errors.DeadlockDetected)


class NothingWritten(Unreachable):
    """The connection was lost, and it is known that nothing was committed: what was to be written can be repeated."""


def shown(url: str) -> str:
    """A URL without its password. Raises Invalid when it is none."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise Invalid(
            f"the URL of the records can't be read: {first_line(error)}",
            expected="postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        ) from None
    host, port, name = parts.get("host") or "", parts.get("port"), parts.get("dbname") or ""
    place = f"{host}:{port}" if port else host
    return f"postgresql://{place}/{name}" if not str(host).startswith("/") else f"postgresql:///{name}?host={host}"


def with_timeout(url: str, seconds: int) -> str:
    """The URL with a time limit for connecting, unless it has one."""
    return url if "connect_timeout" in conninfo_to_dict(url) else make_conninfo(url, connect_timeout=seconds)


def first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def in_words(error: Exception, where: str) -> TailraceError:
    """What to tell people of a psycopg error."""
    said = first_line(error)
    if isinstance(error, PoolTimeout):
        return Unreachable("the database of the records can't be reached", where=where, hint="see that it runs")
    if isinstance(error, REFUSED) or "authentication failed" in said:
        return Unreachable(f"the database refuses to let us in: {said}", where=where, hint="see the user and password")
    if isinstance(error, NOT_HERE) or ("does not exist" in said and "database" in said):
        return Unreachable(f"there are no records: {said}", where=where, hint=INIT)
    if isinstance(error, errors.InsufficientPrivilege):
        return Unreachable(f"the records can't be used: {said}", where=where, hint=INIT)
    if isinstance(error, errors.DiskFull):
        return Unreachable("the records can't be written: the disk is full", where=where, hint="free some space there")
    if isinstance(error, errors.UniqueViolation):
        return Conflict(f"another process has written the same: {said}", where=where, hint="try again")
    if isinstance(error, errors.ProgramLimitExceeded):
        return TooLarge(f"a name is too long for the records: {said}", where=where, hint="shorten it")
    if isinstance(error, AGAIN):
        return NothingWritten(f"others wrote at the same moment: {said}", where=where, hint="try again")
    if isinstance(error, psycopg.OperationalError):
        what = f"the database of the records can't be reached: {said}"
        return Unreachable(what, where=where, hint="see that it runs")
    return Unreachable(f"the records can't be used: {said}", where=where)


def lost(error: BaseException) -> bool:
    """Whether it is the connection that failed, and not a statement."""
    state = error.sqlstate if isinstance(error, psycopg.OperationalError) else "no"
    return state is None or state.startswith(("08", "57P"))


class explained:
    """What goes wrong with the database inside the block, in words. To be used many times.

    Raises Unreachable, Conflict, TooLarge.
    """

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, PoolClosed):
            raise Unreachable("the records are closed", where=self.where) from error
        if isinstance(error, psycopg.Error):
            raise in_words(error, self.where) from error
