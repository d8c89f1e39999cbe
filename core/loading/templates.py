"""Syntax of the expressions in a flow, checked before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module

from core import expressions
from core.errors import TailraceError
from core.loading.problems import Findings
from core.registry.problem import Path

_MAY_BE_ABSENT = re.compile(r"\b(?:http|subflow|env|isPublicHoliday)\s*\(", re.IGNORECASE)


class Templates:
    """Checks every text once. active: whether it is rendered in this version, with the functions there are."""

    def __init__(self, findings: Findings, *, active: bool = True) -> None:
        self.findings = findings
        self.active = active
        self._good: set[str] = set()

    def check(self, value: object, path: Path) -> None:
        """Every text in a value, keys of maps included."""
        if isinstance(value, str):
            if "{" in value and value not in self._good:
                self._parse(value, path)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                if "{" in key:
                    self.check(key, path)
                self.check(item, (*path, key))
        elif isinstance(value, list):
            for at, item in enumerate(value):
                self.check(item, (*path, at))

    def _parse(self, text: str, path: Path) -> None:
        try:
            expressions.check(text)
        except TailraceError as error:
            self.findings.add(path, error.what, error.expected, error.hint)
            return
        if self.active and _MAY_BE_ABSENT.search(text):
            self._refuse_absent(text, path)
        else:
            self._good.add(text)

    def _refuse_absent(self, text: str, path: Path) -> None:
        absent = import_module("core.loading.absent")
        for name in absent.absent_calls(text):
            why = "is not offered in this version"
            self.findings.unsupported(path, why, absent.INSTEAD[name], subject=f"the function `{name}`")
