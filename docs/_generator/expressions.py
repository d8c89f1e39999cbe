"""Filters, functions and tests, out of the tables that the language itself uses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from core.expressions import ENGINE_FUNCTIONS, equality, faults, frame, java_regex, meter, native
from core.expressions.library import FILTERS, FUNCTIONS, TESTS, find_filter, find_function, find_test
from core.expressions.library.declare import Declared
from core.work import helper
from core.work.functions import MAX_READ, EngineFunctions
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
    "tasksWithState": "The tasks of this execution that are in a state, each with the value of the loop around it.",
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
        "## Limits",
        "An expression reaches neither attributes nor methods of Python objects, only the values, members and "
        "functions of the language. Whatever it is given, one evaluation stays within these limits; what goes beyond "
        "is refused with the limit and what to do instead.",
        table(["limit", "value"], _limits()),
        "A jq program or a regular expression can't be interrupted once it runs. One that stands literally in the flow "
        "runs in the engine itself, as fast as it goes. One that is computed (from an input, an output, a text given "
        "to `render()`), and a jq program that asks for the environment, runs in a helper process: it is warm after "
        "its first use, holds no secrets and no environment, and is killed when it takes too long. jq modules "
        "(`import`, `include`) are refused everywhere.",
        "`eval`, and every evaluator that is offered to people, runs the whole expression in such a process unless it "
        "consists of paths, literals, operators and a few simple filters only. What such an expression reads (outputs, "
        "files, keys) is handed to that process by the engine; secrets are refused.",
        "## Where it differs from the reference",
        "On purpose; each is a case of `tests/conformance/test_expressions.py`.",
        table(["difference", "cases"], _deviations()),
    )


def _limits() -> Iterator[tuple[str, str]]:
    megabytes = 1024 * 1024
    yield "text that one operation, or the template as a whole, produces", f"{faults.MAX_TEXT:,} characters"
    yield (
        "elements of a list that is made; values of a JSON, YAML or Ion text; outputs of a jq program",
        f"{faults.MAX_ITEMS:,}",
    )
    yield "rounds of all loops and calls of macros", f"{faults.MAX_ITEMS:,}"
    yield "computing time (waiting not counted)", f"{meter.MAX_SECONDS:g} s"
    yield "memory for all values held at the same time", f"{meter.MAX_GROWTH // megabytes} MB"
    yield "time of one call of the helper process", f"{helper.MAX_SECONDS:g} s"
    yield "memory of the helper process, above what it starts with", f"{helper.MAX_MEMORY // megabytes} MB"
    yield "levels of brackets and of statements", f"{faults.MAX_NESTING}"
    yield "operands, filters or names in a row", f"{faults.MAX_DEPTH}"
    yield "characters between the braces of one template", f"{faults.MAX_CODE:,}"
    yield "`render()` inside of `render()`", f"{frame.MAX_RENDERS} times"
    yield "expressions in texts given to `render()`, all rounds together", f"{faults.MAX_NESTED_PRINTS:,}"
    yield "lists and maps compared with one another in one operation", f"{equality.MAX_COMPARED:,} pairs of values"
    yield "matches of one regular expression", f"{java_regex.MAX_MATCHES:,}"
    yield "length of a regular expression", f"{java_regex.MAX_PATTERN:,} characters"
    yield "length of a jq program", f"{native.MAX_PROGRAM:,} characters"
    yield (
        "text that is changed character by character (`title`, `slugify`, `indent`, `urlencode`)",
        f"{faults.MAX_SLOW:,} characters",
    )
    yield "file that is read into an expression", f"{MAX_READ // megabytes} MB"


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
