"""The outputs of two executions, pair by pair, within limits: what is alike by its digest is never read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from typing import Any, Literal

from core.app.comparing import Comparer, Inside, Room
from core.app.contents import contents_of
from core.errors import Forbidden, Invalid, NotFound
from core.host.overviews import OutputComparison, OutputDifference
from core.host.records import RecordStore
from core.host.views import ExecutionView, OutputFilter, Page, TaskExecutionView
from core.model.codec import decode
from core.model.data import data, evolve
from core.sdk.storage import StorageBackend, storage_path

EACH = 16_000_000
"""Bytes of an output that is read to be compared."""
ALL = 64_000_000
"""Bytes of all outputs that one comparison reads."""
FILES = 512_000_000
"""Bytes of all files that it reads, where the storage does not know their digests."""
EACH_CONTENT, CONTENTS = 2_000_000, 16_000_000
"""Bytes of a file, and of all files, that are compared by what is in them."""
TYPED = 80_000
"""Bytes that a CSV file counts for at least: to find what its columns hold takes as long, however small it is."""
AT_ONCE = 200
"""Outputs whose bodies are fetched together."""
PAGE = 1000
Change = Literal["changed", "added", "removed", "same"]
ORDER: tuple[Change, ...] = ("changed", "added", "removed", "same")
Key = tuple[str, tuple[str, ...]]
"""A task, and the values of the loops around it."""
Listed = Callable[[OutputFilter], Page[TaskExecutionView]]


@data
class _Pair:
    """What came out of one task at one place, in each of two executions. read: its bodies are to be looked at."""

    key: Key
    first: TaskExecutionView | None
    second: TaskExecutionView | None
    read: bool = True

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(one.id for one in (self.first, self.second) if one is not None)

    @property
    def change(self) -> Change:
        """As far as it shows without reading."""
        if self.first is None or self.second is None:
            return "added" if self.first is None else "removed"
        same = self.first.output_sha256 is not None and self.first.output_sha256 == self.second.output_sha256
        return "same" if same else "changed"


def compare_executions(
    organization: str,
    records: RecordStore,
    storage: StorageBackend,
    first: ExecutionView,
    second: ExecutionView,
    *,
    limit: int,
) -> OutputComparison:
    """`core.host.services.Outputs.compare`."""

    def listed(which: OutputFilter) -> Page[TaskExecutionView]:
        return records.outputs(organization, which)

    read = _Reading(organization, records, storage)
    kept: dict[Change, list[OutputDifference]] = {change: [] for change in ORDER}
    counts: dict[str, int] = dict.fromkeys(ORDER, 0)
    for one in _differences(_pairs(_newest(listed, first.id), _newest(listed, second.id)), read):
        counts[one.change] += 1
        if len(kept[one.change]) < limit:
            kept[one.change].append(one)
    shown = [one for change in ORDER for one in kept[change]][:limit]
    more = sum(counts.values()) > len(shown)
    return OutputComparison(
        first=first.id, second=second.id, differences=tuple(shown), counts=counts, more=more,
        inputs=read.inside(first.inputs, second.inputs).parts,
        outputs=read.inside(first.outputs or {}, second.outputs or {}).parts,
    )  # fmt: skip


def _newest(listed: Listed, execution_id: str) -> dict[Key, TaskExecutionView]:
    """What expressions read of an execution: of each task and place the last output, the oldest first."""
    found: dict[Key, TaskExecutionView] = {}
    which: OutputFilter | None = OutputFilter(flow_execution_id=(execution_id,), limit=PAGE)
    while which is not None:
        page = listed(which)
        for view in page.data:
            if view.output_size is not None:
                found.setdefault((view.task_name, view.path), view)
        which = evolve(which, starting_after=page.next) if page.next is not None else None
    return dict(reversed(found.items()))


def _pairs(first: Mapping[Key, TaskExecutionView], second: Mapping[Key, TaskExecutionView]) -> Iterator[_Pair]:
    """Task by task, in the order they first ran; of those that are read, as many as have room."""
    places = dict.fromkeys((*first, *second))
    tasks: dict[str, list[Key]] = {}
    for key in places:
        tasks.setdefault(key[0], []).append(key)
    room = ALL
    for key in (key for keys in tasks.values() for key in keys):
        pair = _Pair(key, first.get(key), second.get(key))
        sizes = [one.output_size or 0 for one in (pair.first, pair.second) if one is not None]
        if pair.change == "same" or max(sizes) > EACH or sum(sizes) > room:
            yield evolve(pair, read=False)
        else:
            room -= sum(sizes)
            yield pair


def _differences(pairs: Iterator[_Pair], read: _Reading) -> Iterator[OutputDifference]:
    waiting: list[_Pair] = []
    for pair in pairs:
        waiting.append(pair)
        if sum(one.read for one in waiting) >= AT_ONCE:
            yield from _compared(waiting, read)
            waiting = []
    yield from _compared(waiting, read)


def _compared(pairs: Sequence[_Pair], read: _Reading) -> Iterator[OutputDifference]:
    bodies = read.bodies([one for pair in pairs if pair.read for one in pair.ids])
    for pair in pairs:
        if pair.read and all(one in bodies for one in pair.ids):
            yield from _by_name(pair, bodies, read)
        else:
            yield _difference(pair, "", pair.change, large=pair.change != "same")


def _by_name(pair: _Pair, bodies: Mapping[str, Any], read: _Reading) -> Iterator[OutputDifference]:
    """Value by value, where both are maps."""
    before, after = ({} if one is None else bodies[one.id] for one in (pair.first, pair.second))
    if not isinstance(before, Mapping) or not isinstance(after, Mapping) or not (before or after):
        before, after = (None if one is None else bodies[one.id] for one in (pair.first, pair.second))
        yield _one_value(pair, "", before, after, read)
        return
    for name in dict.fromkeys((*before, *after)):
        if name not in before or name not in after:
            change: Change = "added" if name in after else "removed"
            yield _difference(pair, name, change, before=before.get(name), after=after.get(name))
        else:
            yield _one_value(pair, name, before[name], after[name], read)


def _one_value(pair: _Pair, name: str, before: Any, after: Any, read: _Reading) -> OutputDifference:
    if pair.first is None or pair.second is None:
        return _difference(pair, name, pair.change, before=before, after=after)
    inside = read.inside(before, after)
    if not inside.parts:
        if inside.unfinished:  # as far as it shows
            return _difference(pair, name, "changed", large=True, tables=inside.tables)
        return _difference(pair, name, "same")
    return _difference(
        pair, name, "changed", before=before, after=after, parts=inside.parts, more=inside.more, tables=inside.tables
    )


def _difference(pair: _Pair, name: str, change: Change, **more: Any) -> OutputDifference:
    first, second = (None if one is None else one.id for one in (pair.first, pair.second))
    return OutputDifference(pair.key[0], pair.key[1], name, change, first, second, **more)


class _Reading:
    """Reads outputs, and what is in the files that they name."""

    def __init__(self, organization: str, records: RecordStore, storage: StorageBackend) -> None:
        self._organization = organization
        self._records = records
        self._storage = storage
        self._room = FILES
        self._room_for_contents = CONTENTS
        self._room_for_tables = Room()
        self._identities: dict[str, str | None] = {}

    def inside(self, before: Any, after: Any) -> Inside:
        """Where two values differ, as far as there is room to look."""
        return Comparer(self.identity, self.contents, room=self._room_for_tables).inside(before, after)

    def bodies(self, ids: Sequence[str]) -> dict[str, Any]:
        """The outputs of some task executions; without those that are gone from the storage."""
        found: dict[str, Any] = {}
        if not ids:
            return found
        for output_id, (text, uri, _) in self._records.product.bodies(self._organization, ids).items():
            try:
                found[output_id] = decode(text if text is not None else self._text(uri or ""))
            except NotFound:
                continue
        return found

    def identity(self, uri: str) -> str | None:
        """The digest of a stored file; None for what is not there, or too much to be read."""
        if uri not in self._identities:
            try:
                self._identities[uri] = self._digest(storage_path(uri))
            except (NotFound, Invalid, Forbidden):  # a text that only looks like the name of a file
                self._identities[uri] = None
        return self._identities[uri]

    def contents(self, *uris: str) -> tuple[Any, Any] | None:
        """What is in two files that are small enough; None of others."""
        if None in map(self.identity, uris):
            return None
        paths = [storage_path(uri) for uri in uris]
        sizes = [self._storage.stat(self._organization, path).size for path in paths]
        least = TYPED if all(path.lower().endswith(".csv") for path in paths) else 0
        counted = sum(max(size, least) for size in sizes)
        if max(sizes) > EACH_CONTENT or counted > self._room_for_contents:
            return None
        self._room_for_contents -= counted
        with ExitStack() as opened:
            files = [(path, opened.enter_context(self._storage.open(self._organization, path))) for path in paths]
            return contents_of(*files)

    def _digest(self, path: str) -> str | None:
        stored = self._storage.stat(self._organization, path)
        if stored.sha256:
            return stored.sha256
        if stored.size > self._room:
            return None
        self._room -= stored.size
        digest = sha256()
        with self._storage.open(self._organization, path) as source:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()

    def _text(self, uri: str) -> str:
        with self._storage.open(self._organization, storage_path(uri)) as body:
            return body.read().decode("utf-8", "surrogatepass")
