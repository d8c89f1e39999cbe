"""Pages of rows, newest or oldest first, at the same price however many rows there are.

One condition drives: an index has its rows in the order of `seq`. They are taken in chunks, and what is left of the
conditions is looked at row by row, until the page is full, there are no more, or the bound is reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any, NamedTuple

from core.errors import Invalid, NotFound
from core.records.database import Database
from core.records.queries import NOT_DELETED, Branch, Clause, Dates
from core.records.spans import END, Segment, segments

MAX_LIMIT = 1000
MAX_EXAMINED = 50_000
MAX_SECONDS = 0.1
"""What a page may examine, and for how long; it comes back short then."""
CHUNK = 4096
FIRST_CHUNK = 500
MANY_BRANCHES = 16
"""Of a condition with more branches there may be rows enough among the newest ones: these are looked at first."""
PROBE = 2000
"""Of two indexes the one with fewer rows drives; from this number on they count as equal."""
COUNT_CHUNK = 20_000
COVERED_CHUNK = 200_000
"""Rows counted by one query: of conditions that are looked at, and in an index alone."""

Values = tuple[Any, ...]


class Found(NamedTuple):
    """Rows of one page by column name. next: as `core.host.views.Page` says."""

    rows: list[dict[str, Any]]
    next: str | None


class Driver(NamedTuple):
    """The branches whose rows are examined, and the conditions that are left to look at. apart: as `Clause` says."""

    branches: tuple[Branch, ...]
    rest: tuple[Clause, ...]
    apart: bool = True


class Listing:
    """The rows of a table for which all conditions hold. columns: those that its pages have."""

    def __init__(
        self,
        database: Database,
        table: str,
        organization: str,
        conditions: Sequence[Clause],
        dates: Dates,
        columns: str = "*",
    ) -> None:
        self._columns = columns
        self._db = database
        self._table = table
        self._organization = organization
        self._conditions = conditions
        self._dates = dates
        self._all = Branch(table, "seq", "organization_id = ?", (organization,), of_organization=True)

    def page(
        self,
        limit: int,
        starting_after: str | None = None,
        ending_before: str | None = None,
        *,
        oldest_first: bool = False,
    ) -> Found:
        """Raises Invalid (a limit that is out of range), NotFound (no row of this id)."""
        page_limit(limit)
        if starting_after is not None and ending_before is not None:
            raise Invalid("a page is either after one row or before another", expected="one of the two")
        low, high = 0, END
        after = None if starting_after is None else self._place(starting_after, "start after")
        before = None if ending_before is None else self._place(ending_before, "end before")
        older_than, newer_than = (before, after) if oldest_first else (after, before)
        if older_than is not None:
            high = older_than
        if newer_than is not None:
            low = newer_than + 1
        backwards = before is not None
        rows, following = _Walk(self, (low, high), limit, newest_first=backwards == oldest_first).found()
        return Found(rows[::-1] if backwards else rows, following)

    def newest(self, columns: str, count: int) -> tuple[list[Values], bool]:
        """Columns of the rows that fit among the newest that the best index has, in no order; whether these are all."""
        driver, found, left = self.driver((0, END)), [], count
        checks, values = _joined(driver.rest)
        for within in self.segments((0, END), newest_first=True):
            inner, bound = self.candidates(driver, within, left, newest_first=True)
            sql = f"SELECT {columns} FROM ({inner}) AS c CROSS JOIN {self._table} t WHERE t.seq = c.seq AND {checks}"
            found += self._db.select(sql, (*bound, *values))
            left -= self.examined(driver, within, left + 1, newest_first=True)[0]
            if left < 0:
                return found, False
        return found, True

    def count(self) -> int:
        """How many rows there are; in several queries, so that none lasts long."""
        driver = self.driver((0, END))
        covered = driver.rest == (NOT_DELETED,)
        if covered:
            driver = driver._replace(rest=())
        total = 0
        for within in self.segments((0, END), newest_first=True):
            total += self._count(driver, within, COVERED_CHUNK if covered else COUNT_CHUNK)
        return total - self._deleted() if covered else total

    def _count(self, driver: Driver, within: Segment, chunk: int) -> int:
        total: int = 0
        checks, values = _joined(driver.rest)
        fits = f"coalesce(sum(CASE WHEN {checks} THEN 1 ELSE 0 END), 0)" if driver.rest else "count(*)"
        source = f"CROSS JOIN {self._table} t WHERE t.seq = c.seq" if driver.rest else ""
        while True:
            inner, bound = self.candidates(driver, within, chunk, newest_first=True)
            sql = f"SELECT {fits}, count(*), min(c.seq) FROM ({inner}) AS c {source}"
            fitting, examined, last = self._db.select(sql, (*values, *bound))[0]
            total += fitting
            if examined < chunk:
                return total
            within = (within[0], last)

    def _deleted(self) -> int:
        """How many rows there would be more if what was deleted counted."""
        others = [condition for condition in self._conditions if condition is not NOT_DELETED]
        checks, values = _joined(others)
        sql = f"SELECT count(*) FROM {self._table} t WHERE t.organization_id = ? AND t.deleted_at IS NOT NULL"
        return int(self._db.select(f"{sql} AND {checks}", (self._organization, *values))[0][0])

    def segments(self, within: Segment, *, newest_first: bool) -> Iterator[Segment]:
        return segments(
            self._db, self._table, self._organization, self._dates, within, newest_first=newest_first
        )  # fmt: skip

    def everything(self) -> Driver:
        return Driver((self._all,), tuple(self._conditions))

    def driver(self, within: Segment) -> Driver:
        """What is likely to examine the fewest rows."""
        served = [condition for condition in self._conditions if condition.branches]
        if not served:
            return self.everything()
        best = served[0]
        if len(served) > 1 or not best.ordered:
            counts = self._probe(served, within)
            few = [(count, place) for place, count in enumerate(counts) if count < PROBE or served[place].ordered]
            if not few:
                return self.everything()
            best = served[min(few)[1]]
        rest = tuple(one for one in self._conditions if one is not best or not best.exact)
        return Driver(best.branches, rest, best.apart)

    def _probe(self, served: Sequence[Clause], within: Segment) -> list[int]:
        """How many rows each has, up to a few."""
        parts, values = [], []
        for number, condition in enumerate(served):
            several = []
            for place, branch in enumerate(condition.branches):
                sql, bound = self._branch(branch, within)
                several.append(f"SELECT 1 FROM ({sql} LIMIT ?) AS b{place}")
                values += [*bound, PROBE]
            parts.append(f"(SELECT count(*) FROM ({' UNION ALL '.join(several)}) AS p{number})")
        return [min(count, PROBE) for count in self._db.select(f"SELECT {', '.join(parts)}", tuple(values))[0]]

    def candidates(self, driver: Driver, within: Segment, count: int, *, newest_first: bool) -> tuple[str, Values]:
        """The first `seq` of a driver within a segment, in the order of the walk, none twice."""
        order = "DESC" if newest_first else "ASC"
        merged = driver.apart and (self._db.merges or len(driver.branches) == 1)
        parts: list[str] = []
        values: list[Any] = []
        for branch in driver.branches:
            sql, bound = self._branch(branch, within)
            parts.append(sql)
            values += bound
            if not merged:
                parts[-1] = f"SELECT seq FROM ({sql} ORDER BY {branch.seq} {order} LIMIT ?) AS b{len(parts)}"
                values.append(count)
        joined = (" UNION ALL " if driver.apart else " UNION ").join(parts)
        return f"{joined} ORDER BY seq {order} LIMIT ?", (*values, count)

    def _branch(self, branch: Branch, within: Segment) -> tuple[str, Values]:
        where, values = branch.where, branch.values
        if not branch.of_organization:
            where, values = f"organization_id = ? AND {where}", (self._organization, *values)
        low, high = within
        if low:
            where, values = f"{where} AND {branch.seq} >= ?", (*values, low)
        if high != END:
            where, values = f"{where} AND {branch.seq} < ?", (*values, high)
        return f"SELECT {branch.seq} AS seq FROM {branch.table} WHERE {where}", values

    def rows(
        self, driver: Driver, within: Segment, count: int, need: int, *, newest_first: bool
    ) -> list[dict[str, Any]]:
        """The first rows that fit among the first candidates."""
        order = "DESC" if newest_first else "ASC"
        inner, bound = self.candidates(driver, within, count, newest_first=newest_first)
        checks, values = _joined(driver.rest)
        fits = f"SELECT c.seq FROM ({inner}) AS c CROSS JOIN {self._table} t WHERE t.seq = c.seq AND {checks}"
        return self._db.select_maps(
            f"SELECT {self._columns} FROM {self._table} "
            f"WHERE seq IN ({fits} ORDER BY c.seq {order} LIMIT ?) ORDER BY seq {order}",
            (*bound, *values, need),
        )

    def examined(self, driver: Driver, within: Segment, count: int, *, newest_first: bool) -> tuple[int, int | None]:
        """How many candidates there were, and the `seq` of the last of them."""
        inner, bound = self.candidates(driver, within, count, newest_first=newest_first)
        last = "min" if newest_first else "max"
        number, seq = self._db.select(f"SELECT count(*), {last}(c.seq) FROM ({inner}) AS c", bound)[0]
        return number, seq

    def id_of(self, seq: int) -> str:
        return str(self._db.select(f"SELECT id FROM {self._table} WHERE seq = ?", (seq,))[0][0])

    def _place(self, identifier: str, what: str) -> int:
        sql = f"SELECT seq FROM {self._table} WHERE organization_id = ? AND id = ?"
        found = self._db.select(sql, (self._organization, identifier))
        if not found:
            raise NotFound(f"`{identifier}` is not the id of a row to {what}")
        return int(found[0][0])


class _Walk:
    """The way through a table for one page."""

    def __init__(self, listing: Listing, within: Segment, limit: int, *, newest_first: bool) -> None:
        self._listing = listing
        self._within = within
        self._limit = limit
        self._newest_first = newest_first
        self._driver = listing.driver(within)
        self._rows: list[dict[str, Any]] = []
        self._left = MAX_EXAMINED
        self._deadline = monotonic() + MAX_SECONDS
        self._last: int | None = None

    def found(self) -> Found:
        """In the order of the walk."""
        more = not self._to_the_end()
        shown = self._rows[: self._limit]
        following: str | None = None
        if len(self._rows) > self._limit:
            following = shown[-1]["id"]
        elif more and self._last is not None:
            following = self._listing.id_of(self._last)
        return Found(shown, following)

    def _to_the_end(self) -> bool:
        """Whether all rows there are were seen."""
        if len(self._driver.branches) > MANY_BRANCHES and self._among_the_newest():
            return False
        chunk = self._limit + self._limit // 4 + 1  # some are deleted
        for low, high in self._listing.segments(self._within, newest_first=self._newest_first):
            while low < high:
                chunk = min(chunk, self._left)
                number, last = self._chunk((low, high), chunk)
                if len(self._rows) > self._limit:
                    return False
                if number < chunk or last is None:
                    break
                self._last, self._left = last, self._left - number
                if self._left <= 0 or monotonic() > self._deadline:
                    return False
                low, high = (low, last) if self._newest_first else (last + 1, high)
                chunk = max(self._limit + 1, min(4 * chunk, CHUNK))
        return True

    def _among_the_newest(self) -> bool:
        """Whether there are rows enough without the branches."""
        rows = self._listing.rows(
            self._listing.everything(), self._within, FIRST_CHUNK, self._limit + 1, newest_first=self._newest_first
        )  # fmt: skip
        if len(rows) > self._limit:
            self._rows = rows
        return len(rows) > self._limit

    def _chunk(self, within: Segment, count: int) -> tuple[int, int | None]:
        """Take the rows of the next candidates that fit; how many were examined, and the last of them."""
        need = self._limit + 1 - len(self._rows)
        order = self._newest_first
        rows = self._listing.rows(self._driver, within, count, need, newest_first=order)
        self._rows += rows
        if len(self._rows) > self._limit:
            return count, None
        return self._listing.examined(self._driver, within, count, newest_first=order)


def page_limit(limit: int) -> int:
    """Raises Invalid."""
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(f"the limit {limit} is out of range", expected=f"1 to {MAX_LIMIT}")
    return limit


def _joined(conditions: Sequence[Clause]) -> tuple[str, Values]:
    checks = " AND ".join(condition.check for condition in conditions) or "1 = 1"
    return checks, tuple(value for condition in conditions for value in condition.values)
