"""Names that fit at a place of an expression, as they are in the recorded context of an execution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any, NamedTuple

from core.errors import TailraceError
from core.expressions import completing as language
from core.expressions.lexer import WORD_OPERATORS
from core.expressions.members import names_of
from core.host.kinds import type_word
from core.host.overviews import Completion, Completions
from core.work.functions import EngineFunctions
from core.work.variables import ByValue, Outputs

MOST = 50
_LOOKED_AT = 20_000
"""Keys of one map."""
_HANDED: Mapping[str, Callable[..., Any]] = {
    "kv": EngineFunctions.kv, "read": EngineFunctions.read, "fileSize": EngineFunctions.file_size,
    "fileExists": EngineFunctions.file_exists, "isFileEmpty": EngineFunctions.is_file_empty,
    "fileURI": EngineFunctions.file_uri, "errorLogs": EngineFunctions.error_logs,
    "tasksWithState": EngineFunctions.tasks_with_state,
}  # fmt: skip
"""What the engine gives to people; `secret` is not among it."""
_LIKELY = ("outputs", "inputs", "taskrun", "item", "vars", "tasks", "trigger", "execution", "flow", "labels")
"""Variables in the order in which people want them; others follow."""


class Context(NamedTuple):
    """variables: that an expression sees. value_of: what an expression gives there; raises TailraceError."""

    variables: Mapping[str, Any]
    value_of: Callable[[str], Any]


def complete(text: str, cursor: int, context: Callable[[str], Context]) -> Completions:
    """The names that fit. context: read only where names of it are wanted, for the expressions of this template."""
    half = language.half_of(text, cursor)
    found = _fitting(half.typed, _candidates(half, text[cursor : cursor + 1], context))
    return Completions(half.start, tuple(islice(found, MOST)))


def _candidates(half: language.Half, behind: str, context: Callable[[str], Context]) -> Iterable[Completion]:
    if half.place == "filter":
        return _words(language.filters())
    if half.place == "test":
        return _words(language.tests())
    if half.place == "operator":
        return _words(language.operators())
    if half.place == "name":
        return _names(half, context("{{ 1 }}"))
    if half.place == "nothing":
        return ()
    template = "{{ " + half.target + " }}"
    try:
        here = context(template)
        owner = here.value_of(template)
    except TailraceError:  # it can't be evaluated, yet or at all, so there is nothing in it
        owner, here = None, Context({}, lambda template: None)
    if half.place == "member":
        return _members(owner, half.dot)
    return chain(_keys(owner, half.quote, behind), () if half.quote else _names(half, here))


def _words(pairs: Iterable[tuple[str, str]]) -> Iterator[Completion]:
    for name, detail in sorted(pairs, key=lambda pair: pair[0].lower()):
        yield Completion(name, detail)


def _names(half: language.Half, context: Context) -> Iterator[Completion]:
    for name in half.local:
        yield Completion(name, "name of this template")
    seen = context.variables
    for name in (*(one for one in _LIKELY if one in seen), *(one for one in seen if one not in _LIKELY)):
        yield Completion(name, _kind(seen[name]))
    yield from _words(language.functions(_HANDED))


def _members(owner: Any, dot: int) -> Iterator[Completion]:
    """Behind a dot; a key that is no name takes the dot's place: `['my-key']`."""
    for key, detail in _entries(owner):
        plain = key.isidentifier() and key not in WORD_OPERATORS
        yield Completion(key, detail) if plain else Completion(f"[{_quoted(key)}]", detail, dot)
    getters, methods = names_of(owner)
    yield from (Completion(name, "") for name in getters if name not in methods)
    yield from (Completion(f"{name}()", "method") for name in methods)


def _keys(owner: Any, quote: str, behind: str) -> Iterator[Completion]:
    """In brackets, inside of a quote that was typed or before any."""
    for key, detail in _entries(owner):
        if not quote:
            yield Completion(_quoted(key) + ("" if behind == "]" else "]"), detail)
        else:
            yield Completion(_quoted(key, quote)[1:-1] + ("" if behind == quote else f"{quote}]"), detail)


def _quoted(key: str, quote: str = "'") -> str:
    return quote + key.replace(quote, f"\\{quote}") + quote


def _entries(owner: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(owner, Mapping):
        return
    apart = isinstance(owner, (Outputs, ByValue))  # reading each of them, for its type, could take long
    for key in islice(owner, _LOOKED_AT):
        if isinstance(key, str) and key:
            yield key, "output" if apart else _kind(owner[key])


def _kind(value: Any) -> str:
    return "" if value is None else type_word(value)


def _fitting(typed: str, found: Iterable[Completion]) -> list[Completion]:
    """Those that begin with what was typed, then those that hold it, in its letters before others; then near misses."""
    if not typed:
        return list(islice(found, MOST))
    lower = typed.lower()
    ranked: list[list[Completion]] = [[], [], [], []]
    rest = []
    for one in found:
        name = one.name.strip("[']")
        low = name.lower()
        if lower in low:
            ranked[(not name.startswith(typed)) + (not low.startswith(lower)) + (low.find(lower) > 0)].append(one)
        else:
            rest.append(one)
    fitting = [one for rank in ranked for one in rank]
    return fitting or _near(lower, rest)


def _near(typed: str, found: list[Completion]) -> list[Completion]:
    """Names with a letter or two mistyped."""
    by_name = {one.name.strip("[']").rstrip("()").lower()[:100]: one for one in reversed(found[:1000])}
    return [by_name[name] for name in get_close_matches(typed[:100], by_name, n=5, cutoff=0.6)]
