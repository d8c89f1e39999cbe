"""All filters, functions and tests of the language, each declared in the module of its subject.

The table below says where each one is, so that a subject (dates need zoneinfo, hashes OpenSSL) is imported when a
template first names one of its members. A test compares it with what the modules declare.
"""

from __future__ import annotations

from importlib import import_module

from core.expressions.library.declare import Declared, Table

_FILTERS = {
    "collections": "chunk distinct first flatten join keys last length merge reverse rsort sort values",
    "context": "className",
    "dates": "date dateAdd timestamp timestampMicro timestampMilli timestampNano",
    "documents": "jq json toIon toJson yaml",
    "hashes": "md5 sha1 sha256 sha512",
    "numbers": "abs number numberFormat",
    "texts": "abbreviate base64decode base64encode capitalize endsWith escapeChar indent lower nindent replace slice"
    " slugify split startsWith string substringAfter substringAfterLast substringBefore substringBeforeLast title trim"
    " upper urldecode urlencode",
}
_FUNCTIONS = {
    "calendar": "dayOfMonth dayOfWeek hourOfDay isDayWeekInMonth isLastWorkingDay isWeekend monthOfYear",
    "collections": "loopOutputs range",
    "context": "block currentEachOutput fetchContext parent printContext render renderOnce",
    "dates": "now",
    "documents": "fromIon fromJson json yaml",
    "hashes": "decrypt encrypt",
    "numbers": "max min",
    "randomness": "id ksuid nanoId randomInt randomPort uuid",
}
_TESTS = {"collections": "empty iterable map null", "documents": "json", "numbers": "even odd"}


def _homes(names: dict[str, str]) -> dict[str, str]:
    return {name: subject for subject, listed in names.items() for name in listed.split()}


FILTERS = _homes(_FILTERS)
FUNCTIONS = _homes(_FUNCTIONS)
TESTS = _homes(_TESTS)
"""Name → subject. (`default` and `defined` are not here: they catch what is undefined, the compiler makes them.)"""


def table_of(subject: str) -> Table:
    """What the module of a subject declares."""
    table: Table = import_module(f"core.expressions.library.{subject}").table
    return table


def find_filter(name: str) -> Declared | None:
    return table_of(FILTERS[name]).filters[name] if name in FILTERS else None


def find_function(name: str) -> Declared | None:
    return table_of(FUNCTIONS[name]).functions[name] if name in FUNCTIONS else None


def find_test(name: str) -> Declared | None:
    return table_of(TESTS[name]).tests[name] if name in TESTS else None
