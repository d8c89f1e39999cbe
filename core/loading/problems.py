"""What is wrong with a flow's source: collected all together while loading, placed once at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from core.errors import InvalidFlow, told
from core.loading.positions import compose, position_of
from core.loading.syntax import SyntaxProblem
from core.loading.written import unwritten
from core.model.data import data
from core.model.flow import Flow
from core.model.near import did_you_mean, near_misses
from core.registry.problem import Path, PropertyProblem, path_text
from core.sdk.properties import Described

Severity = Literal["error", "warning", "info"]
Kind = Literal["", "unknown", "unsupported", "deprecated", "dialect", "triggers"]

_KINDS: dict[str, Kind] = {"": "", "twice": "", "unknown": "unknown", "deprecated": "deprecated"}


@data
class Problem:
    """One problem of a flow's source. line and column begin at 1; path is the value's place, `$.tasks[0].type`.

    severity: an error keeps the flow from running; a warning does not; an info only says how something is understood.
    kind, subject: for whoever counts problems. A type or property that does not exist is `unknown`, one of the
    language that can't be used here `unsupported`, an older one `deprecated`; what another dialect understands
    differently is `dialect`, and what starts nothing here `triggers`. subject: what it is about, such as "type `a.B`".
    """

    severity: Severity
    message: str
    file: str
    line: int
    column: int
    path: str = "$"
    expected: str = ""
    hint: str = ""
    kind: Kind = ""
    subject: str = ""

    def __str__(self) -> str:
        return told(f"{self.file}:{self.line}:{self.column}", self.message, self.expected, self.hint)


@data
class Loaded:
    """What became of a text: the flow when there is no error, and all problems in the order of the source."""

    flow: Flow | None
    problems: tuple[Problem, ...] = ()

    def require(self) -> Flow:
        """The flow. Raises InvalidFlow with the texts of all errors."""
        if self.flow is None:
            raise InvalidFlow(tuple(str(problem) for problem in self.problems if problem.severity == "error"))
        return self.flow


@data
class _Finding:
    path: Path
    message: str
    expected: str
    hint: str
    severity: Severity
    at_key: bool
    kind: Kind
    subject: str


class Findings:
    """Collects problems by path while a flow is loaded; positions are looked up only when there is one.

    errors: how many of them are errors.
    """

    def __init__(self) -> None:
        self.found: list[_Finding] = []
        self.errors = 0

    def add(
        self, path: Path, message: str, expected: str = "", hint: str = "", *,
        severity: Severity = "error", at_key: bool = False, kind: Kind = "", subject: str = "",
    ) -> None:  # fmt: skip
        """path: the value that is wrong, or a missing one (then the closest place above it is shown)."""
        self.found.append(_Finding(path, message, expected, hint, severity, at_key, kind, subject))
        self.errors += severity == "error"

    def missing(self, path: Path, expected: str = "", hint: str = "") -> None:
        """A property that has to be there and is not."""
        self.add(path, f"`{path[-1]}` is missing", expected, hint)

    def unsupported(self, path: Path, why: str, hint: str = "", *, subject: str = "") -> None:
        """Part of the language, but not of this product. why: ends the sentence that `subject` begins."""
        subject = subject or f"`{path[-1]}`"
        self.add(path, f"{subject} {why}", hint=hint, at_key=True, kind="unsupported", subject=subject)

    def deprecated(self, path: Path, message: str, hint: str = "", *, at_key: bool = True) -> None:
        """An older word that is understood. message: into what it is rewritten."""
        self.add(path, message, hint=hint, severity="warning", at_key=at_key, kind="deprecated")

    def properties(self, problems: Iterable[PropertyProblem], path: Path) -> None:
        """What the converter has found in the map at a path: at the name where that is wrong, else at the value."""
        for one in problems:
            self.add(
                (*path, *one.path), one.message, one.expected, one.hint, severity=one.severity, at_key=one.kind != "",
                kind=_KINDS[one.kind], subject=f"property `{one.path[-1]}`" if one.kind == "unknown" else "",
            )  # fmt: skip

    def unwritten(self, cls: type[Described], values: Mapping[str, object], path: Path) -> None:
        """Expressions where a block or a trigger needs a map or tasks: it is planned before anything is rendered."""
        for place, expected in unwritten(cls, values):
            self.add((*path, *place), "this can't come out of an expression", expected, "write it out")

    def unknown(self, path: Path, known: Iterable[str]) -> None:
        """A property that does not exist, with what was probably meant."""
        names = sorted(known)
        near = near_misses(str(path[-1]), names)
        expected = "" if near else ", ".join(names)
        subject = f"property `{path[-1]}`"
        self.add(
            path, f"there is no {subject}", expected, did_you_mean(near), at_key=True, kind="unknown", subject=subject
        )

    def placed(self, text: str, file: str) -> tuple[Problem, ...]:
        """Every problem with its place, in the order of the source."""
        if not self.found:
            return ()
        root = compose(text)
        problems = []
        for one in self.found:
            line, column = position_of(root, one.path, key=one.at_key)
            place = path_text(one.path)
            problems.append(
                Problem(
                    one.severity, one.message, file, line, column, place, one.expected, one.hint, one.kind, one.subject
                )
            )  # fmt: skip
        return tuple(sorted(problems, key=_in_order))


def not_yaml(problem: SyntaxProblem, file: str) -> Problem:
    """The one problem of a text that can't be read at all."""
    return Problem("error", problem.what, file, problem.line, problem.column, "$", problem.expected, problem.hint)


def _in_order(problem: Problem) -> Any:
    return problem.line, problem.column
