"""Templates in, texts and values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.errors import TooLarge
from core.expressions.bodies import Compiled, compile_body, compile_path
from core.expressions.faults import MAX_DEPTH, Fault, as_error, too_deep, within_limit
from core.expressions.frame import Frame, Helper, Runtime
from core.expressions.meter import unmetered
from core.expressions.nodes import Body, depth_of
from core.expressions.templates import parse_template, plain_path, unwrap_raw
from core.expressions.values import is_list

MAX_ROUNDS = 100
_CACHED_SIZE = 64 * 1024
"""Characters up to which a template is kept compiled."""
_CACHED_COMPUTED_SIZE = 2048
_PER_VALUE = 500
"""Steps of the meter that `render()` counts for each value of a list or map."""
Reads = set[tuple[Any, ...]]


def parsed(template: str) -> Body:
    """The syntax tree of a template. Raises ExpressionError, TooLarge."""
    return _cached_tree(template) if len(template) <= _CACHED_SIZE else _tree(template)


def compiled(template: str, computed: bool = False) -> Compiled:
    """The closures of a template: the same for all variables, functions and zones.

    computed: it is data, of which there may be any number of texts; they must not push out those of flows.
    """
    if computed:
        return _cached_computed(template) if len(template) <= _CACHED_COMPUTED_SIZE else _closures(template, _tree)
    return _cached_closures(template) if len(template) <= _CACHED_SIZE else _closures(template)


def _tree(template: str) -> Body:
    within_limit(len(template), "template")
    try:
        body = parse_template(template)
        if len(template) > MAX_DEPTH and depth_of(body) > MAX_DEPTH:
            raise too_deep()
        return body
    except Fault as fault:
        raise as_error(fault, template) from None
    except RecursionError:
        raise too_deep() from None


def _closures(template: str, parse: Callable[[str], Body] = parsed) -> Compiled:
    plain = plain_path(template)
    if plain is not None:
        return compile_path(*plain)
    body = parse(template)
    try:
        return compile_body(body)
    except Fault as fault:
        raise as_error(fault, template) from None
    except RecursionError:
        raise too_deep() from None


_cached_tree = lru_cache(maxsize=4096)(_tree)
_cached_closures = lru_cache(maxsize=4096)(_closures)


@lru_cache(maxsize=256)
def _cached_computed(template: str) -> Compiled:
    return _closures(template, _tree)


class Renderer:
    """Renders templates with the functions that the engine hands in.

    functions: by their name in the language (`secret`, `kv` …). Arguments named in a template reach them by that name
    if they have it, else in snake case (`errorOnMissing=true` as `error_on_missing=True`). zone: an IANA name or an
    offset, for dates without one and for printing. recursive: results are rendered again until nothing changes.
    clock: the current time, with a zone, for `now()` and ids. entropy: that many random bytes, for `uuid()` and its
    like. Making one is cheap.

    helper: does jq programs and regular expressions that are computed, or come from a text given to `render()`, in a
    process that can be killed. Without it they are refused; those that stand literally in the template run here, for
    as long as they take. All else is held to the limits of `core.expressions.meter` and `core.expressions.faults`.

    All methods raise ExpressionError and TooLarge, and let the errors of lazy variables and functions pass.
    """

    __slots__ = ("_recursive", "_runtime")

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        zone: str = "UTC",
        recursive: bool = False,
        clock: Callable[[], datetime] | None = None,
        entropy: Callable[[int], bytes] | None = None,
        helper: Helper | None = None,
    ) -> None:
        self._recursive = recursive
        handed = {} if functions is None else functions  # not `or`: whether a mapping is empty is asked of its content
        self._runtime = Runtime(handed, zone, recursive, clock, entropy, _render_again, helper)

    def render(self, template: str, variables: Mapping[str, Any], reads: Reads | None = None) -> str:
        """The text of a template. reads: gets the path of every variable that was looked at."""
        if "{" not in template:
            return template
        frame = Frame(self._runtime, variables, reads, template)
        text = _text(template, frame)
        return unwrap_raw(_again(text, template, frame) if self._recursive else text)

    def render_typed(self, template: str, variables: Mapping[str, Any], reads: Reads | None = None) -> Any:
        """The value itself when the template is exactly one `{{ … }}`, else its text."""
        if "{" not in template:
            return template
        single = compiled(template).single
        if single is None:
            return self.render(template, variables, reads)
        frame = Frame(self._runtime, variables, reads, template)
        value = _value(single, frame)
        if not isinstance(value, str):
            return value
        return unwrap_raw(_again(value, template, frame) if self._recursive else value)

    def render_object(self, value: Any, variables: Mapping[str, Any], reads: Reads | None = None) -> Any:
        """A value whose texts are rendered: lists and maps (their keys too) are walked, all else stays as it is."""
        if isinstance(value, str):
            return self.render(value, variables, reads)
        try:
            return _walk(value, lambda text: self.render(text, variables, reads))
        except RecursionError:
            raise too_deep() from None


def _again(text: str, template: str, frame: Frame) -> str:
    """Recursive rendering: the text rendered until nothing changes."""
    return _until_stable(template, text, lambda each: _text(each, frame.inner(each)))


def _text(template: str, frame: Frame) -> str:
    code = compiled(template, frame.depth > 0)
    try:
        return code.text(frame)
    except Fault as fault:
        raise as_error(fault, frame.source) from None
    except RecursionError:
        raise too_deep() from None


def _value(evaluate: Callable[[Frame], Any], frame: Frame) -> Any:
    try:
        return evaluate(frame)
    except Fault as fault:
        raise as_error(fault, frame.source) from None
    except RecursionError:
        raise too_deep() from None


def _until_stable(before: str, text: str, render: Callable[[str], str]) -> str:
    for _ in range(MAX_ROUNDS):
        if text == before:
            return text
        before, text = text, render(text)
    raise TooLarge(
        f"Too many rendering attempts: a text still changes after {MAX_ROUNDS} rounds",
        hint="a value seems to contain an expression that prints itself",
    )


def _render_again(value: Any, frame: Frame, recursive: bool) -> Any:
    """What `render()` and `renderOnce()` do: with the variables in sight, maps and lists walked."""

    def once(text: str) -> str:
        return _text(text, frame.inner(text))

    def render(text: str) -> str:
        return unwrap_raw(_until_stable(text, once(text), once) if recursive else once(text))

    return render(value) if isinstance(value, str) else _walk(value, render, frame.spend)


def _walk(value: Any, render: Callable[[str], str], spend: Callable[[int], None] = unmetered) -> Any:
    spend(_PER_VALUE)
    if isinstance(value, str):
        return render(value) if "{" in value else value
    if isinstance(value, Mapping):
        result: dict[Any, Any] = {}
        for key, item in value.items():
            result.setdefault(_walk(key, render, spend), _walk(item, render, spend))
        return result
    return [_walk(item, render, spend) for item in value] if is_list(value) else value
