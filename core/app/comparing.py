"""Two values by their meaning: where they differ inside. Pure; what is the same is said in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from typing import Any

from core.host.overviews import TableDifference, ValueDifference
from core.host.plain import plain_text
from core.model.data import data
from core.sdk.storage import is_storage_uri

PLACES = 50
"""Where two values differ: more places than a person looks at are not told."""
KEY_COLUMNS = 40
"""Columns of a table that are tried as the key of its rows."""
FAR = 2000
"""Characters of a place, and of one name in it."""
CELLS = 2_400_000
"""Of all tables together: what is not alike at first sight is looked into so far."""
PLAIN_NUMBERS = frozenset({int, float})
PLAIN = frozenset(
    [(kind, kind) for kind in (str, int, float, bool, type(None))] + [(int, float), (float, int)]
)  # fmt: skip
"""Pairs of types whose values are the same when Python finds them equal."""
EXACT = 2**53
"""Up to here whole numbers and floats are the same numbers."""
Identity = Callable[[str], str | None]
"""Of a file by its URI: equal for equal bytes, None where nobody can tell."""
Contents = Callable[[str, str], tuple[Any, Any] | None]
"""What is in two files, by their URIs, read in the same way; None where that is not known of one of them."""
Row = Mapping[str, Any]
_NONE = object()


@data
class Inside:
    """How two values differ. parts: the first places; none when they are the same, or when what was looked into is and
    there is more (`unfinished`)."""

    parts: tuple[ValueDifference, ...] = ()
    more: bool = False
    tables: tuple[TableDifference, ...] = ()
    unfinished: bool = False


class Room:
    """How much may still be looked into, of whichever values. cells: of tables."""

    def __init__(self, cells: int = CELLS) -> None:
        self._cells = cells

    def rows(self, before: Sequence[Row], after: Sequence[Row], key: str) -> int:
        """How many rows of two tables may be; that takes their cells away. Without a key each cell counts as two."""
        width = (1 if key else 2) * max(1, *(len(rows[0]) if rows else 0 for rows in (before, after)))
        longest = max(len(before), len(after))
        fitting = min(longest, max(0, self._cells) // (2 * width))
        self._cells -= 2 * width * fitting
        return fitting


class Comparer:
    """Compares values: maps by their keys, numbers by their value, lists of maps as tables, files by their bytes, and
    where these differ by what is in them.

    It remembers what it saw of the values it was given, so it is made for one pair, or for values that stay.
    """

    def __init__(
        self,
        identity: Identity = lambda uri: None,
        contents: Contents = lambda first, second: None,
        places: int = PLACES,
        room: Room | None = None,
    ) -> None:
        self._identity = identity
        self._contents = contents
        self._places = places
        self._room = room or Room()
        self._digests: dict[int, tuple[Any, bytes]] = {}
        self._tables: list[TableDifference] = []
        self._unfinished = False

    def inside(self, before: Any, after: Any) -> Inside:
        """Where two values differ."""
        self._tables, self._unfinished = [], False
        found = list(islice(self._walk(before, after, ""), self._places + 1))
        parts, tables = tuple(found[: self._places]), tuple(self._tables[: self._places])
        return Inside(parts, len(found) > self._places, tables, self._unfinished)

    def _walk(self, before: Any, after: Any, path: str) -> Iterator[ValueDifference]:
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._maps(before, after, path)
        elif _are_tables(before, after):
            yield from self._table(before, after, path)
        elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
            yield from self._lists(before, after, path)
        elif not self._same(before, after):
            both = is_storage_uri(before) and is_storage_uri(after)
            inner = self._contents(before, after) if both else None
            if inner is None:
                yield ValueDifference(path, "changed", before, after)
            else:
                yield from self._in_files(*inner, path)

    def _maps(self, before: Row, after: Row, path: str) -> Iterator[ValueDifference]:
        for key, value in before.items():
            if key not in after:
                yield ValueDifference(_below(path, key), "removed", before=value)
                continue
            other = after[key]
            if (type(value), type(other)) not in PLAIN or value != other:
                yield from self._walk(value, other, _below(path, key))
        for key, value in after.items():
            if key not in before:
                yield ValueDifference(_below(path, key), "added", after=value)

    def _lists(self, before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[ValueDifference]:
        """Element by element; where one list is longer, what both begin and end with is left aside first."""
        begin, tail = 0, 0
        if len(before) != len(after):
            shorter = min(len(before), len(after))
            while begin < shorter and self._same(before[begin], after[begin]):
                begin += 1
            while tail < shorter - begin and self._same(before[-1 - tail], after[-1 - tail]):
                tail += 1
        ends = len(before) - tail, len(after) - tail
        for index in range(begin, min(ends)):
            yield from self._walk(before[index], after[index], f"{path}[{index}]")
        for index in range(min(ends), ends[0]):
            yield ValueDifference(f"{path}[{index}]", "removed", before=before[index])
        for index in range(min(ends), ends[1]):
            yield ValueDifference(f"{path}[{index}]", "added", after=after[index])

    def _in_files(self, before: Any, after: Any, path: str) -> Iterator[ValueDifference]:
        """Files that files name are not opened: they could name one another."""
        other = Comparer(self._identity, places=self._places, room=self._room)
        other._tables = self._tables
        yield from other._walk(before, after, path)
        self._unfinished |= other._unfinished

    # -- tables

    def _table(self, before: Sequence[Row], after: Sequence[Row], path: str) -> list[ValueDifference]:
        """The first places, one more than asked for where there are others; all rows are counted that there is room to
        look at."""
        number = len(self._tables)
        begin, tail = _alike_ends(before, after)
        olds, news = before[begin : len(before) - tail], after[begin : len(after) - tail]
        key = _key_column(before, after)
        looked = self._room.rows(olds, news, key)
        is_cut = looked < max(len(olds), len(news))
        self._unfinished |= is_cut
        limit = begin + looked if is_cut else 0
        olds, news = olds[:looked], news[:looked]
        rows = _by_key(olds, news, key) if key else self._by_content(olds, news, begin)
        parts: list[ValueDifference] = []
        changed = 0
        for place, old, new in rows.pairs:
            room = max(1, self._places + 1 - len(parts))
            found = list(islice(self._walk(old, new, path + place), room))
            changed += bool(found)
            parts += found
        parts += (ValueDifference(path + place, "added", after=row) for place, row in rows.added)
        parts += (ValueDifference(path + place, "removed", before=row) for place, row in rows.removed)
        if rows.moved:
            parts.append(ValueDifference(path, "moved"))
        if parts or limit:
            told = _told(path, before, after, key, (len(rows.added), len(rows.removed), changed), limit)
            self._tables.insert(number, told)  # before those inside of it
        return parts[: self._places + 1]

    def _by_content(self, before: Sequence[Row], after: Sequence[Row], begin: int) -> _Rows:
        """Rows are the same when all of them is; what is left at the same place in both was changed. begin: how many
        rows stand before these."""
        olds, news = [self._digest(row) for row in before], [self._digest(row) for row in after]
        common = Counter(olds) & Counter(news)
        kept, gone = _split(olds, common)
        kept_new, come = _split(news, common)
        both = set(gone) & set(come)
        return _Rows(
            pairs=tuple((f"[{begin + index}]", before[index], after[index]) for index in gone if index in both),
            added=tuple((f"[{begin + index}]", after[index]) for index in come if index not in both),
            removed=tuple((f"[{begin + index}]", before[index]) for index in gone if index not in both),
            moved=kept != kept_new,
        )

    # -- what is the same

    def _same(self, before: Any, after: Any) -> bool:
        kinds = {type(before), type(after)}
        if kinds <= PLAIN_NUMBERS:  # Python compares these by their value too
            return bool(before == after or (before != before and after != after))
        if kinds == {str} and not (is_storage_uri(before) and is_storage_uri(after)):
            return bool(before == after)
        return self._digest(before) == self._digest(after)

    def _digest(self, value: Any) -> bytes:
        """Alike exactly for values that are the same; that of lists and maps is kept, as others hold them."""
        if not isinstance(value, (Mapping, list, tuple)):
            return _blake(repr(self._plain(value)))
        known = self._digests.get(id(value))
        if known is not None:
            return known[1]
        plain = self._plain
        if isinstance(value, Mapping):
            found = _blake(f"map {[(key, plain(value[key])) for key in sorted(value)]!r}")
        else:
            found = _blake(f"list {[plain(item) for item in value]!r}")
        self._digests[id(value)] = value, found  # with the value itself, or its id might become that of another one
        return found

    def _plain(self, value: Any) -> Any:
        """What Python writes alike for values that are the same: lists and maps as their digest (bytes)."""
        kind = type(value)
        if kind is str:
            return self._file(value) if is_storage_uri(value) else value
        if value is None or kind is bool or (kind is int and -EXACT < value < EXACT):
            return value
        if isinstance(value, (Mapping, list, tuple)):
            return self._digest(value)
        if isinstance(value, (int, float, Decimal)):
            return _number(value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC)
        return (kind.__name__, _written(value))

    def _file(self, uri: str) -> str | tuple[str, str]:
        identity = self._identity(uri)
        return uri if identity is None else ("file", identity)


@data
class _Rows:
    """Two tables, row by row, each with its place."""

    pairs: tuple[tuple[str, Row, Row], ...]
    added: tuple[tuple[str, Row], ...]
    removed: tuple[tuple[str, Row], ...]
    moved: bool


def _are_tables(before: Any, after: Any) -> bool:
    """Whether both are lists of maps; one of them may be empty."""
    both = (before, after)
    return (
        all(isinstance(one, (list, tuple)) for one in both)
        and any(both)
        and all(isinstance(row, Mapping) for one in both for row in one)
    )


def _alike_ends(before: Sequence[Row], after: Sequence[Row]) -> tuple[int, int]:
    """How many rows are plainly the same at the beginnings of two tables, and at their ends."""
    shorter = min(len(before), len(after))
    begin = next((index for index in range(shorter) if not _are_alike(before[index], after[index])), shorter)
    left = shorter - begin
    tail = next((index for index in range(left) if not _are_alike(before[-1 - index], after[-1 - index])), left)
    return begin, tail


def _are_alike(before: Row, after: Row) -> bool:
    """Whether two rows are the same at first sight: those that hold other values are looked into."""
    if len(before) != len(after):
        return False
    for key, value in before.items():
        other = after.get(key, _NONE)
        if (type(value), type(other)) not in PLAIN or value != other:
            return False
    return True


def _key_column(before: Sequence[Row], after: Sequence[Row]) -> str:
    """The column that tells rows apart, in both, and finds most of the one in the other; "" when there is none."""
    best, most = "", 0
    for name in islice(before[0] if before else (), KEY_COLUMNS):
        olds, news = _keys(before, name), _keys(after, name)
        if olds is not None and news is not None and len(olds & news) > most:
            best, most = str(name), len(olds & news)
    return best


def _keys(rows: Sequence[Row], name: str) -> set[str | int] | None:
    """The values of a column; None when one is missing, is there twice, or is neither a text nor a whole number."""
    found: set[str | int] = set()
    for row in rows:
        value = row.get(name)
        if not isinstance(value, (str, int)) or isinstance(value, bool) or value in found:
            return None
        found.add(value)
    return found


def _by_key(before: Sequence[Row], after: Sequence[Row], key: str) -> _Rows:
    olds, news = {row[key]: row for row in before}, {row[key]: row for row in after}
    place = f"[{key}={{}}]".format
    return _Rows(
        pairs=tuple((place(value), row, news[value]) for value, row in olds.items() if value in news),
        added=tuple((place(value), row) for value, row in news.items() if value not in olds),
        removed=tuple((place(value), row) for value, row in olds.items() if value not in news),
        moved=[value for value in olds if value in news] != [value for value in news if value in olds],
    )


def _split(digests: Sequence[bytes], common: Counter[bytes]) -> tuple[list[bytes], list[int]]:
    """Those that both tables have, in order; the places of the others."""
    left = Counter(common)
    kept: list[bytes] = []
    others: list[int] = []
    for index, one in enumerate(digests):
        if left[one] > 0:
            left[one] -= 1
            kept.append(one)
        else:
            others.append(index)
    return kept, others


def _told(
    path: str, before: Sequence[Row], after: Sequence[Row], key: str, counts: tuple[int, int, int], limit: int
) -> TableDifference:
    olds, news = _columns(before), _columns(after)
    come = tuple(name for name in news if name not in olds) if before else ()
    gone = tuple(name for name in olds if name not in news) if after else ()
    return TableDifference(path, len(before), len(after), key, *counts, come, gone, limit)


def _columns(rows: Sequence[Row]) -> dict[str, None]:
    return {str(name): None for row in rows for name in row}


def _below(path: str, key: object) -> str:
    """The place of a member; one that lies very far is told by where it begins."""
    if len(path) > FAR:
        return path if path.endswith("…") else f"{path}…"
    return path + _member(key, first=not path)


def _member(key: object, *, first: bool) -> str:
    """`.key`, without the dot at the beginning; `['any text']` for what is no name."""
    text = str(key)
    if len(text) > FAR:
        text = f"{text[:FAR]}…"
    if re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII):
        return text if first else f".{text}"
    return f"[{text!r}]"


def _number(value: float | Decimal) -> int | float | tuple[str, str]:
    """The same for 100, 1e2 and 100.00; a decimal that a float is written as is that float."""
    if not isinstance(value, float):
        exact = Decimal(value)
        near = float("nan") if exact.is_nan() else float(exact)
        if exact.is_finite() and Decimal(repr(near)) != exact:
            sign, digits, exponent = exact.as_tuple()
            text = "".join(map(str, digits))
            bare = text.rstrip("0")
            return ("number", f"{sign} {bare} {int(exponent) + len(text) - len(bare)}")
        value = near
    return int(value) if value.is_integer() and -EXACT < value < EXACT else value


def _written(value: Any) -> str:
    """What is no JSON as text; a text with secrets by what it is made of, since it hides itself."""
    parts = getattr(value, "parts", None)
    return plain_text(value) if parts is None else repr(parts)


def _blake(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
