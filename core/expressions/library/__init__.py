"""All filters, functions and tests of the language, each declared in the module of its subject."""

from __future__ import annotations

from core.expressions.library import (
    collections,
    context,
    dates,
    documents,
    hashes,
    numbers,
    randomness,
    texts,
)  # fmt: skip
from core.expressions.library.declare import Declared

_TABLES = tuple(
    module.table for module in (collections, context, dates, documents, hashes, numbers, randomness, texts)
)
FILTERS: dict[str, Declared] = {name: each for table in _TABLES for name, each in table.filters.items()}
FUNCTIONS: dict[str, Declared] = {name: each for table in _TABLES for name, each in table.functions.items()}
TESTS: dict[str, Declared] = {name: each for table in _TABLES for name, each in table.tests.items()}
