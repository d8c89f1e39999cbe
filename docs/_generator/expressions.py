"""Filters, functions and tests, out of the tables that the language itself uses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from core.expressions import ENGINE_FUNCTIONS
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, find_filter, find_function, find_test
from core.expressions.library.declare import Declared
from core.work.functions import EngineFunctions
from docs._generator.markdown import code, docstring, joined, table
from tests.conformance.test_expressions import DEVIATIONS

_BUILT_IN = (
    ("`x | default(y)`", "`y` where `x` is undefined, null, a blank text, an empty list or map"),
    ("`x ?? y`", "`y` where `x` is undefined or null"),
    ("`x ??? y`", "`y` where `x` is undefined"),
    ("`x is defined`", "whether there is such a variable"),
)
_ENGINE_SAYS = {
    "errorLogs": "Lines of the execution at level ERROR, at most 25.",
    "fileExists": "Whether a file is there.",
    "fileSize": "Bytes of a file.",
    "fileURI": "The URI of a namespace file.",
    "isFileEmpty": "Whether a file has no bytes.",
    "kv": "A value of the namespace's key-value store; without `namespace` also of the namespaces above.",
    "read": "The text of a file.",
    "secret": "A secret's value; what it is shown in is redacted.",
    "tasksWithState": "The tasks of this execution that are in a state.",
}
_PLAIN = {
    "abs": "Without its sign.",
    "base64encode": "The text in base64.",
    "endsWith": "Whether the text ends so.",
    "even": "Whether it can be halved.",
    "first": "The first element of a list, the first character of a text.",
    "last": "The last element of a list, the last character of a text.",
    "lower": "In small letters.",
    "map": "Whether it is a map.",
    "max": "The largest of the values.",
    "md5": "The MD5 hash, in hex.",
    "min": "The smallest of the values.",
    "null": "Whether it is null.",
    "odd": "Whether it can't be halved.",
    "parent": "Refused: templates don't extend one another.",
    "renderOnce": "A value whose texts are templates, rendered once.",
    "reverse": "In reverse order.",
    "rsort": "As `sort`, in reverse order.",
    "sha1": "The SHA-1 hash, in hex.",
    "sha256": "The SHA-256 hash, in hex.",
    "sha512": "The SHA-512 hash, in hex.",
    "startsWith": "Whether the text begins so.",
    "substringAfter": "What stands behind the first `separator`; nothing without one.",
    "substringAfterLast": "What stands behind the last `separator`; nothing without one.",
    "substringBefore": "What stands before the first `separator`; all of it without one.",
    "substringBeforeLast": "What stands before the last `separator`; all of it without one.",
    "toIon": "The value as Ion text.",
    "upper": "In capitals.",
    "urldecode": "The reverse of `urlencode`.",
}
"""For those whose names say it in the code."""
_ABSENT: Any = find_filter("chunk").parameters[1].default  # type: ignore[union-attr]


def page() -> str:
    return joined(
        "# Expressions",
        "What may stand in `{{ … }}`. Arguments may be given by position or by name. Null given to a filter gives "
        "null, unless the filter is said to take anything.",
        "## Filters",
        "`value | name(arguments)`",
        table(["filter", "takes", "arguments", "what it gives"], _filters()),
        "## Functions",
        "`name(arguments)`",
        table(["function", "arguments", "what it gives"], _functions()),
        "## Functions of the engine",
        table(["function", "arguments", "what it gives"], _engine_functions()),
        "Part of the language, but not of this version: " + ", ".join(_missing()) + ".",
        "## Tests",
        "`value is name`, `value is not name`",
        table(["test", "takes", "what it asks"], _tests()),
        "## Part of the grammar",
        table(["written", "what it means"], _BUILT_IN),
        "## Where it differs from the reference",
        "On purpose; each is a case of `tests/conformance/test_expressions.py`.",
        table(["difference", "cases"], _deviations()),
    )


def _filters() -> Iterator[tuple[str, ...]]:
    for name, declared in _declared(FILTERS, find_filter):
        takes = declared.parameters[0].kind.words
        yield code(name), takes, _arguments(declared, 1), _said(declared)


def _functions() -> Iterator[tuple[str, ...]]:
    for name, declared in _declared(FUNCTIONS, find_function):
        yield code(name), _arguments(declared, 0), _said(declared)


def _tests() -> Iterator[tuple[str, ...]]:
    for name, declared in _declared(TESTS, find_test):
        yield code(name), declared.parameters[0].kind.words, _said(declared)


def _declared(names: Iterable[str], find: Callable[[str], Declared | None]) -> Iterator[tuple[str, Declared]]:
    for name in sorted(names, key=str.lower):
        if (declared := find(name)) is not None:
            yield name, declared


def _arguments(declared: Declared, inputs: int) -> str:
    if declared.rest is not None:
        return f"any number: {declared.rest.kind.words}"
    return ", ".join(
        code(each.name if each.default is _ABSENT else f"{each.name}={_literal(each.default)}")
        for each in declared.parameters[inputs:]
    )


def _literal(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return repr(value)


def _said(declared: Declared) -> str:
    return docstring(declared.function).partition("\n\n")[0] or _PLAIN.get(declared.name, "")


def _engine_functions() -> Iterator[tuple[str, ...]]:
    for name, function in sorted(_given().items()):
        arguments = ", ".join(code(_argument(each)) for each in inspect.signature(function).parameters.values())
        yield code(name), arguments, _ENGINE_SAYS.get(name, "")


def _argument(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return parameter.name
    return f"{parameter.name}={_literal(parameter.default)}"


def _missing() -> list[str]:
    return [code(name) for name in sorted(ENGINE_FUNCTIONS - set(_given()))]


def _given() -> dict[str, Callable[..., Any]]:
    """What the engine hands to a renderer; nothing of it is called here."""
    nothing = cast(Any, None)
    return EngineFunctions(nothing, nothing, nothing, nothing, nothing).table()


def _deviations() -> list[tuple[str, str]]:
    cases: dict[str, list[str]] = {}
    for case, reason in DEVIATIONS.items():
        cases.setdefault(reason, []).append(code(case))
    return [(reason, ", ".join(names)) for reason, names in cases.items()]
