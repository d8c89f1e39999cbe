"""Work that holds the interpreter for as long as it takes: jq programs and regular expressions.

What a flow writes down literally runs here. What is computed at run time may come from anywhere and may never end, so
it goes to the helper that the renderer was given: a process that can be killed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from core.expressions import java_regex
from core.expressions.faults import MAX_ITEMS, Fault, within_items
from core.expressions.frame import Frame
from core.expressions.written import Written

_REACHES_OUT = re.compile(r"^\s*(?:module|import|include)\b", re.MULTILINE)
_ENVIRONMENT = re.compile(r"\benv\b|\$ENV\b")
MAX_PROGRAM = 10_000
"""Characters of a jq program that runs here, and that runs at all: jq's parser works recursively, on a fixed stack."""


def jq(frame: Frame, program: Written, text: str) -> list[Any]:
    """The outputs of a jq program for a JSON text. Raises Fault."""
    _refuse_long(program.value)
    # The helper has an empty environment; this process may hold secrets in its own.
    literal = program.literal and not _reads_environment(program.value)
    outputs: list[Any] = _perform(frame, literal, "jq", program.value, text)
    return outputs


def _refuse_long(source: str) -> None:
    if len(source) > MAX_PROGRAM:
        raise Fault(f"the jq program has {len(source):,} characters", expected=f"at most {MAX_PROGRAM:,}")


@lru_cache(maxsize=256)
def _reads_environment(source: str) -> bool:
    return _ENVIRONMENT.search(source) is not None


def split(frame: Frame, pattern: Written, text: str, limit: int) -> list[str]:
    """`text.split(pattern, limit)`. Raises Fault."""
    java_regex.refuse_long(pattern.value)
    literal = pattern.literal or _matches_itself(pattern.value)
    parts: list[str] = _perform(frame, literal, "split", text, pattern.value, limit)
    return parts


def replace(frame: Frame, patterns: Written, texts: list[str]) -> list[str]:
    """The texts with every match of each pattern replaced, one pattern after the other. Raises Fault."""
    for pattern in patterns.value:
        java_regex.refuse_long(pattern)
    literal = patterns.literal or all(_matches_itself(pattern) for pattern in patterns.value)
    replaced: list[str] = _perform(frame, literal, "replace", texts, list(patterns.value.items()))
    return replaced


def _matches_itself(pattern: str) -> bool:
    return re.escape(pattern) == pattern


def _perform(frame: Frame, literal: bool, operation: str, *arguments: Any) -> Any:
    if literal:
        return OPERATIONS[operation](*arguments)
    helper = frame.runtime.helper
    if helper is None:
        what = "program of `jq`" if operation == "jq" else f"regular expression of `{operation}`"
        raise Fault(
            f"the {what} is computed (or reads the environment), and nothing here could stop it",
            expected="one that is written as it is into the template",
        )
    return helper(operation, arguments)


# -- done here, or in the helper -----------------------------------------------------------------------------------


def _jq(source: str, text: str) -> list[Any]:
    try:
        outputs = list(islice(_program(source).input_text(text), MAX_ITEMS + 1))
    except ValueError as error:
        raise _fault(error) from None
    within_items(len(outputs))
    return outputs


@lru_cache(maxsize=256)
def _program(source: str) -> Any:
    if _REACHES_OUT.search(source):
        raise Fault("jq: modules can't be loaded here", expected="a program without `import` and `include`")
    import jq  # type: ignore[import-not-found]  # noqa: PLC0415 (a C library)

    try:
        return jq.compile(source)
    except ValueError as error:
        raise _fault(error) from None


def _fault(error: ValueError) -> Fault:
    text = str(error).strip().partition("\n")[0].removeprefix("jq: error: ").rstrip(":")
    return Fault(f"jq: {text}")


def _replaced(texts: list[str], pairs: list[tuple[str, str]]) -> list[str]:
    for pattern, replacement in pairs:
        texts = java_regex.replace_all(texts, pattern, replacement)
    return texts


OPERATIONS: Mapping[str, Callable[..., Any]] = {"jq": _jq, "split": java_regex.split, "replace": _replaced}
"""Their arguments and results are what JSON can carry."""
