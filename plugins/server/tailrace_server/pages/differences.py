"""Two texts line by line, and `/flows/NAMESPACE/FLOW/diff`: two revisions of a flow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal

from attrs import field, frozen
from litestar import Request
from markupsafe import Markup, escape

from core.host.services import Services
from tailrace_server.asked import Asked, Parameter
from tailrace_server.pages.paged import Shown, page
from tailrace_server.people import plural

AROUND = 3
"""Lines without a change that are shown around one."""
MOST_LINES, MOST_PAIRS = 3000, 40_000
"""Lines, and pairs of equal ones, that are matched one by one, what both texts begin and end with aside: more are told
as one change."""
SHOWN = 2000
"""Lines of a comparison."""
LIKE = 0.4
"""How much of the longer of two lines is the same at their ends, when one was made of the other."""
REVISIONS = (
    Parameter("from", "The revision that is compared with; the one before `to` unless given.", "whole", least=1),
    Parameter("to", "The revision that is looked at; the newest one unless given.", "whole", least=1),
)


@frozen
class Line:
    """A line of a comparison. old, new: its numbers in both texts, None where it is not. markup: its text, with what
    was changed inside of it marked. skip: how many lines without a change lie here instead."""

    kind: Literal["same", "removed", "added", "skip"]
    old: int | None = None
    new: int | None = None
    markup: Markup = field(factory=Markup)
    skip: int = 0


@frozen
class Difference:
    """Two texts compared. more: how many lines are not shown."""

    lines: tuple[Line, ...]
    removed: int
    added: int
    more: int = 0

    @property
    def words(self) -> str:
        """How much differs."""
        if not (self.added or self.removed):
            return "no difference"
        told = ((self.added, "added"), (self.removed, "removed"))
        return ", ".join(f"{plural(count, 'line')} {word}" for count, word in told if count)


@page("/flows/{namespace:str}/{flow_id:str}/diff", asks=REVISIONS)
def revisions_compared(
    namespace: str, flow_id: str, request: Request[Any, Any, Any], services: Services, asked: Asked
) -> Shown:
    """Two revisions, the newest and the one before it unless others are asked for."""
    revisions = services.flows.revisions(namespace, flow_id)
    to = asked["to"] or revisions[0].revision
    before = asked["from"] or max(to - 1, revisions[-1].revision)
    old, new = (services.flows.get(namespace, flow_id, number) for number in (before, to))
    found = difference(old.source, new.source)
    facts = {"old": old, "new": new, "difference": found, "revisions": revisions}
    return Shown("flow_diff.html", facts)


def difference(before: str, after: str, *, around: int = AROUND, shown: int = SHOWN) -> Difference:
    """What lines of a text became. around: lines without a change that are shown beside one. shown: lines at most."""
    old, new = before.splitlines(), after.splitlines()
    lines = list(_lines(old, new))
    added, removed = (sum(line.kind == kind for line in lines) for kind in ("added", "removed"))
    folded = tuple(_folded(lines, around))
    return Difference(folded[:shown], removed, added, max(0, len(folded) - shown))


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    begin, ends = _alike(old, new)
    for number in range(begin):
        yield Line("same", number + 1, number + 1, escape(old[number]))
    inner = (old[begin : len(old) - ends], new[begin : len(new) - ends])
    for tag, first, last, first_new, last_new in _changes(*inner):
        gone, come = inner[0][first:last], inner[1][first_new:last_new]
        at, at_new = begin + first + 1, begin + first_new + 1
        if tag == "equal":
            for offset, text in enumerate(gone):
                yield Line("same", at + offset, at_new + offset, escape(text))
        else:
            olds, news = _marked(gone, come)
            yield from (Line("removed", old=at + offset, markup=text) for offset, text in enumerate(olds))
            yield from (Line("added", new=at_new + offset, markup=text) for offset, text in enumerate(news))
    for offset in range(ends, 0, -1):
        number, number_new = len(old) - offset, len(new) - offset
        yield Line("same", number + 1, number_new + 1, escape(old[number]))


def _alike(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines (or letters) both begin with, and how many others they end with."""
    shorter = min(len(old), len(new))
    begin = next((index for index in range(shorter) if old[index] != new[index]), shorter)
    rest = shorter - begin
    ends = next((index for index in range(rest) if old[-1 - index] != new[-1 - index]), rest)
    return begin, ends


def _changes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    counts, counts_new = Counter(old), Counter(new)
    pairs = sum(count * counts_new[line] for line, count in counts.items())
    if max(len(old), len(new)) > MOST_LINES or pairs > MOST_PAIRS:
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _marked(old: Sequence[str], new: Sequence[str]) -> tuple[list[Markup], list[Markup]]:
    """Lines that went and lines that came, with what differs marked where one was made of the other."""
    olds, news = [escape(line) for line in old], [escape(line) for line in new]
    if len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            head, tail = _alike(before, after)
            if before and head + tail >= LIKE * max(len(before), len(after)):
                olds[index], news[index] = _part(before, head, tail, "del"), _part(after, head, tail, "ins")
    return olds, news


def _part(line: str, head: int, tail: int, tag: str) -> Markup:
    end = len(line) - tail
    inner = Markup("<{0}>{1}</{0}>").format(Markup(tag), line[head:end]) if end > head else Markup("")
    return escape(line[:head]) + inner + escape(line[end:])


def _folded(lines: Sequence[Line], around: int) -> Iterator[Line]:
    """Without the lines that are far from any change."""
    near = [False] * len(lines)
    for index, line in enumerate(lines):
        if line.kind != "same":
            first = max(0, index - around)
            near[first : index + around + 1] = [True] * (min(len(lines), index + around + 1) - first)
    skipped = 0
    for index, line in enumerate(lines):
        if near[index]:
            if skipped:
                yield Line("skip", skip=skipped)
            skipped = 0
            yield line
        else:
            skipped += 1
    if skipped:
        yield Line("skip", skip=skipped)


PAGES = (revisions_compared,)
