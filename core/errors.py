"""The one exception tree. Every error says what is wrong, where, what was expected and what to do.

An error has a `kind`; front ends translate kinds (to exit codes, to HTTP statuses) in one table each,
so nothing below them knows how its errors are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

Kind = Literal[
    "invalid", "missing", "conflict", "forbidden", "unreachable", "too_large", "interrupted", "failed", "internal"
]


def told(where: str, what: str, expected: str, hint: str) -> str:
    """An error as people read it; what was expected is left out where the sentence ends with just that."""
    lines = [f"{where}: {what}" if where else what]
    if expected and not what.endswith(f" {expected}"):
        lines.append(f"  expected: {expected}")
    if hint:
        lines.append(f"  to do: {hint}")
    return "\n".join(lines)


class TailraceError(Exception):
    """Something the user can understand and act upon.

    what: one sentence, what is wrong. where: `file:line:column`, `$.path` or a URI.
    expected: what would have been right. hint: what to do now.
    """

    kind: ClassVar[Kind] = "internal"

    def __init__(self, what: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        return told(self.where, self.what, self.expected, self.hint)


class Invalid(TailraceError):
    """What was given can't be right, whatever the state of the world."""

    kind = "invalid"


class InvalidFlow(Invalid):
    """A flow's source has problems; each carries its own place.

    problems: the texts of all of them, in the order of the source. found: the same as plain data, where known.
    """

    def __init__(
        self, problems: tuple[str, ...], *, where: str = "", found: tuple[Mapping[str, object], ...] = ()
    ) -> None:
        super().__init__("\n".join(problems), where=where)
        self.problems = problems
        self.found = found

    def __str__(self) -> str:
        return "\n".join(self.problems)


class InvalidInput(Invalid):
    """A value given for an input of a flow is missing or is not what its declaration asks for."""


class ConversionError(Invalid):
    """A value can't become the type that a property declares; `where` is the property's `$.path`."""


class ExpressionError(Invalid):
    """An expression can't be parsed or evaluated.

    The message holds the expression with a caret under the place. `undefined` is the missing path when
    that was the reason, else empty.
    """

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", hint: str = "", undefined: str = ""
    ) -> None:
        super().__init__(what, where=where, expected=expected, hint=hint)
        self.undefined = undefined


class NotFound(TailraceError):
    """What was asked for does not exist (or not for this organization)."""

    kind = "missing"


class Conflict(TailraceError):
    """The state of the world does not allow this now."""

    kind = "conflict"


class Forbidden(TailraceError):
    """A path, a file or a function is out of reach for whoever asks."""

    kind = "forbidden"


class Unreachable(TailraceError):
    """Something that is needed is not there: an engine, a server, a directory that can be written."""

    kind = "unreachable"


class TooLarge(TailraceError):
    """A limit on size, time or depth was reached."""

    kind = "too_large"


class Interrupted(TailraceError):
    """The work was stopped from outside."""

    kind = "interrupted"


class TaskFailed(TailraceError):
    """A task did its work and the work failed; a plugin raises it to say why.

    output: what is recorded all the same (a script's exit code and files, say).
    """

    kind = "failed"

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", hint: str = "", output: object = None
    ) -> None:
        super().__init__(what, where=where, expected=expected, hint=hint)
        self.output = output


class PluginError(TailraceError):
    """A plugin can't be loaded or breaks its contract."""
