"""Syntax of the expressions in a flow, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from core import expressions
from core.errors import TailraceError
from core.loading.problems import Findings
from core.registry.problem import Path


class Templates:
    """Checks every text once."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
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
        else:
            self._good.add(text)
