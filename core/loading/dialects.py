"""Which of the reference's two languages a flow speaks, 1.x or 2.x, and what the other makes of it.

Most flows are of both. Some words belong to one of them alone, and a flow can't have words of both kinds: neither
version of the reference would run it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.loading.problems import Findings
from core.model.data import data
from core.registry.problem import Path, path_text
from core.sdk.properties import PluginType


@data
class Mark:
    """A word of one dialect. other: what the other dialect makes of it."""

    dialect: str
    other: str


_LOOP = Mark("1.x", "2.x refuses it, `flow.Loop` takes its place")
_GONE = Mark("1.x", "2.x has moved it out of its core")
_CONDITIONS = Mark("1.x", "2.x refuses it, `when` takes its place")
_NEWER = Mark("2.x", "1.x does not know it")
TYPES: dict[str, Mark] = {
    "flow.ForEach": _LOOP, "flow.ForEachItem": _LOOP, "flow.EachSequential": _LOOP, "flow.EachParallel": _LOOP,
    "execution.Count": _GONE, "execution.Resume": _GONE, "trigger.Toggle": _GONE, "log.Fetch": _GONE,
    "flow.Template": Mark("1.x", "2.x does not know it"),
    "flow.Loop": Mark("2.x", "1.x does not know it, `flow.ForEach` takes its place, one element at a time by default"),
}  # fmt: skip
FLOW: dict[str, Mark] = {
    "pluginDefaults": Mark("1.x", "2.x refuses it: write the values into the tasks"),
    "taskDefaults": Mark("1.x", "2.x refuses it: write the values into the tasks"),
    "listeners": Mark("1.x", "2.x refuses it, `afterExecution` takes its place"),
}
TASK: dict[str, Mark] = {"when": Mark("2.x", "1.x does not know it, `runIf` takes its place")}
CHECK: dict[str, Mark] = {
    "condition": Mark("1.x", "2.x calls it `when`"), "when": Mark("2.x", "1.x calls it `condition`"),
}  # fmt: skip
TRIGGER: dict[str, Mark] = {
    "conditions": _CONDITIONS, "scheduleConditions": _CONDITIONS,
    "preconditions": Mark("1.x", "2.x refuses it, `dependsOn` takes its place"),
    "when": Mark("2.x", "1.x does not know it, `conditions` takes its place"),
    "dependsOn": Mark("2.x", "1.x does not know it, `preconditions` takes its place"),
    "mode": _NEWER, "minSatisfied": _NEWER, "window": _NEWER, "fireOnce": _NEWER, "onMiss": _NEWER,
}  # fmt: skip
_ADDED = (
    "loopOutputs", "dayOfMonth", "dayOfWeek", "hourOfDay", "isDayWeekInMonth", "isLastWorkingDay", "isPublicHoliday",
    "isWeekend", "monthOfYear",
)  # fmt: skip
EXPRESSIONS: tuple[tuple[str, str, Mark], ...] = (
    (r"\|\s*json\b", "the filter `json`", Mark("1.x", "2.x does not know it, `toJson` takes its place")),
    (r"\bjson\s*\(", "the function `json`", Mark("1.x", "2.x does not know it, `fromJson` takes its place")),
    (r"\bcurrentEachOutput\s*\(", "the function `currentEachOutput`", Mark("1.x", "2.x does not know it")),
    *((rf"\b{name}\s*\(", f"the function `{name}`", Mark("2.x", "1.x does not know it")) for name in _ADDED),
    (
        r"\bread\s*\(", "the function `read`",
        Mark("both", "2.x gives the bytes of a file of rows: put `fromIon()` around it"),
    ),
)  # fmt: skip
"""Patterns within expressions, what they are, and what the other dialect makes of them."""
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def words_in_expressions(value: object, path: Path) -> Iterator[tuple[Path, str, Mark]]:
    """Where expressions in a value, and in what is inside, have a word of one dialect, and which."""
    if isinstance(value, str):
        found = "\n".join(_EXPRESSION.findall(value))  # not what is around them: a script may call `json()` of its own
        for pattern, subject, mark in EXPRESSIONS if found else ():
            if re.search(pattern, found):
                yield path, subject, mark
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from words_in_expressions(item, (*path, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from words_in_expressions(item, (*path, at))


class Dialects:
    """Sees the words of a flow while it is loaded."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.first: dict[str, tuple[Path, str]] = {}

    def see_flow(self, flow: Mapping[str, object]) -> None:
        self._see(FLOW, flow, ())
        checks = flow.get("checks")
        for at, check in enumerate(checks if isinstance(checks, list) else ()):
            if isinstance(check, dict):
                self._see(CHECK, check, ("checks", at))

    def see_task(self, cls: type[PluginType], raw: Mapping[str, object], path: Path) -> None:
        mark = TYPES.get(cls.type)
        if mark is not None:
            self.first.setdefault(mark.dialect, ((*path, "type"), cls.type))
        if "when" in raw:
            self._see(TASK, raw, path)

    def see_trigger(self, raw: Mapping[str, object], path: Path) -> None:
        self._see(TRIGGER, raw, path)

    def dialect(self, flow: Mapping[str, object]) -> str:
        """`1.x`, `2.x`, or `both` when nothing belongs to one of them alone; words of both are an error.

        Expressions are looked at in a flow of the 2.x dialect only, which has lost some words; the functions it has won
        harm no flow of 1.x.
        """
        if self.first.keys() == {"2.x"}:
            for path, word, mark in words_in_expressions(flow, ()):
                if mark.dialect == "1.x":
                    self.first.setdefault("1.x", (path, word))
        if len(self.first) > 1:
            (path, word), (other_path, other) = self.first["2.x"], self.first["1.x"]
            other = other if "`" in other else f"`{other}`"
            what = f"`{word}` is a word of the 2.x dialect, and {other} ({path_text(other_path)}) of 1.x"
            self.findings.add(path, what, "one dialect in a flow", at_key=True)
        return next(iter(self.first), "both")

    def _see(self, words: Mapping[str, Mark], owner: Mapping[str, object], path: Path) -> None:
        for name, mark in words.items():
            if owner.get(name) is not None:
                self.first.setdefault(mark.dialect, ((*path, name), name))
