"""What an evaluation carries along: the variables, the scopes of statements, what was read, and the renderer's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from core.errors import TooLarge
from core.expressions.faults import MAX_ITEMS, MAX_NESTED_PRINTS, Fault
from core.expressions.meter import Meter
from core.expressions.zones import zone_of

MAX_RENDERS = 40
"""Calls of `render()` inside of one another."""

Evaluate: TypeAlias = "Callable[[Frame], Any]"

Helper: TypeAlias = Callable[[str, tuple[Any, ...]], Any]
"""Does an operation of `core.expressions.native` in a process that can be killed; arguments and result are what JSON
can carry. Raises Fault or TailraceError, also when it takes too long or too much memory."""

STEPS_OF_A_ROUND = 20_000
_PER_TEMPLATE = 50_000
_PER_CHARACTER = 1000
"""Steps of the meter that one round of a loop, or one inner template (and each of its characters, which must be
read), counts for whatever it does."""
SIZED = frozenset({str, list, dict})
"""Types of values that can be large; the others come from outside."""
LARGE = 1000
"""Characters or elements from which on the work on a value is counted."""


class Runtime:
    """What one Renderer was made with. nested: renders a value again, for `render()`: (value, frame, recursive)."""

    __slots__ = ("clock", "entropy", "functions", "helper", "nested", "recursive", "zone_name")

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        zone_name: str,
        recursive: bool,
        clock: Callable[[], datetime] | None,
        entropy: Callable[[int], bytes] | None,
        nested: Callable[[Any, Frame, bool], Any],
        helper: Helper | None = None,
    ) -> None:
        self.functions = functions
        self.zone_name = zone_name
        self.recursive = recursive
        self.clock = clock
        self.entropy = entropy
        self.nested = nested
        self.helper = helper

    @property
    def zone(self) -> tzinfo:
        """The zone that dates are shown in when a template names none."""
        return UTC if self.zone_name == "UTC" else zone_of(self.zone_name)

    def now(self) -> datetime:
        if self.clock is None:
            raise Fault("the current time is not available here")
        return self.clock()

    def random_bytes(self, size: int) -> bytes:
        if self.entropy is None:
            raise Fault("random values are not available here")
        return self.entropy(size)


class Scope:
    """Names that statements give values to. isolated: a macro's, which sees nothing outside of it."""

    __slots__ = ("isolated", "names", "outer")

    def __init__(self, outer: Scope | None, isolated: bool = False) -> None:
        self.names: dict[str, Any] = {}
        self.outer = outer
        self.isolated = isolated

    def holder(self, name: str) -> Scope | None:
        """The innermost scope that has the name, or (for a name that none has) None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = None if scope.isolated else scope.outer
        return None

    def hides_root(self) -> bool:
        """Whether the variables of the run are out of sight (inside of a macro)."""
        scope: Scope | None = self
        while scope is not None:
            if scope.isolated:
                return True
            scope = scope.outer
        return False

    def visible(self) -> dict[str, Any]:
        """All names in sight, inner ones first."""
        if self.isolated or self.outer is None:
            return dict(self.names)
        return {**self.outer.visible(), **self.names}


class Frame:
    """One evaluation of one template.

    reads: paths that were read, if somebody asked. source: the template, for messages. scope: None as long as no
    statement named anything. macros and blocks: those of this template. captured: texts of filter blocks around.
    depth and nested: how deep `render()` is, and how many expressions it has worked through.
    """

    scope: Scope | None = None
    macros: Mapping[str, Any] = {}
    blocks: Mapping[str, Evaluate] = {}
    captured: tuple[str, ...] = ()
    depth = 0
    rounds = 0
    nested: list[int] | None = None
    meter: Meter | None = None

    def __init__(
        self, runtime: Runtime, variables: Mapping[str, Any], reads: set[tuple[Any, ...]] | None, source: str
    ) -> None:
        self.runtime = runtime
        self.variables = variables
        self.reads = reads
        self.source = source

    def inner(self, source: str) -> Frame:
        """The frame for a template that is rendered from inside this one, with the same variables in sight."""
        if self.depth >= MAX_RENDERS:
            raise TooLarge(f"`render()` calls itself more than {MAX_RENDERS} times")
        if self.nested is None:
            self.nested = [0]
        self.nested[0] += source.count("{{") + 1
        if self.nested[0] > MAX_NESTED_PRINTS:
            raise TooLarge(f"the templates given to `render()` hold more than {MAX_NESTED_PRINTS:,} expressions")
        self.spend(_PER_TEMPLATE + _PER_CHARACTER * len(source))
        frame = Frame(self.runtime, self.variables, self.reads, source)
        frame.depth = self.depth + 1
        frame.scope = self.scope
        frame.nested = self.nested
        frame.meter = self.meter
        return frame

    def spend(self, steps: int) -> None:
        """Count work that was done, or bytes that were made; now and then look at what has been used in all."""
        meter = self.meter
        if meter is None:
            meter = self.meter = Meter()
        meter.left -= steps
        if meter.left < 0:
            meter.look()

    def read_all(self) -> None:
        """Somebody looked at all the variables at once."""
        if self.reads is not None:
            self.reads.update((name,) for name in self.variables)

    def count_rounds(self, number: int, steps: int = STEPS_OF_A_ROUND) -> None:
        """Count rounds of a loop, or a call of a macro, before they are made."""
        self.rounds += number
        if self.rounds > MAX_ITEMS:
            raise TooLarge(f"the loops of a template make more than {MAX_ITEMS:,} rounds")
        meter = self.meter
        if meter is None:
            meter = self.meter = Meter()
        meter.left -= steps * number
        if meter.left < 0:
            meter.look()

    def assign(self, name: str, value: Any) -> None:
        """Give a value to a name: where it has one already, else in the innermost scope."""
        scope = self.scope
        if scope is None:
            scope = self.scope = Scope(None)
        holder = scope.holder(name)
        if holder is None:
            holder = scope
            if name in self.variables and not scope.hides_root():
                while holder.outer is not None:
                    holder = holder.outer
        holder.names[name] = value
