"""A pytest plugin: where CI=true, a skipped test that needs Docker, PostgreSQL or Chromium makes the run fail."""

from __future__ import annotations

import os

import pytest

NEEDED = frozenset({"browser", "docker", "postgres"})
"""Markers of tests that a machine may leave out, but not this one."""


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(_Watch())


class _Watch:
    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not NEEDED.isdisjoint(report.keywords) and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            what = "Tests of Docker, PostgreSQL and Chromium that were skipped, which counts as a failure here"
            terminalreporter.section(what, red=True)
            for name in self.skipped:
                terminalreporter.line(name)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
