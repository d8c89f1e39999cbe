"""A pytest plugin: which tests failed, and which began and did not end, in files that outlive a run that is stopped.

The files are in `build/tests`.
Where CI=true, a skipped test that needs Docker, PostgreSQL or Chromium makes the run fail.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NEEDED = frozenset({"browser", "docker", "postgres"})
"""Markers of tests that a machine may leave out, but not this one."""

LINE = 220
"""Characters of a failed test's line: its name and the first words of why."""


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # a process of several: the one that started it is told of everything
        return
    config.pluginmanager.register(_Watch(config.rootpath / "build" / "tests", strict=os.environ.get("CI") == "true"))


class _Watch:
    def __init__(self, folder: Path, strict: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.strict = strict
        self.skipped: list[str] = []
        self.failed = folder / "failed.txt"
        self.running_file = folder / "running.txt"
        self.running: set[str] = set()
        self.failed.write_text("")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.running.add(nodeid)
        self.running_file.write_text("\n".join(self.running))

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.running.discard(nodeid)
        self.running_file.write_text("\n".join(self.running))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._add(report.nodeid, _reason(report))
        if (
            self.strict
            and report.skipped
            and not NEEDED.isdisjoint(report.keywords)
            and not hasattr(report, "wasxfail")
        ):
            self.skipped.append(report.nodeid)
            self._add(report.nodeid, "skipped, and this machine must not")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._add(report.nodeid, _reason(report))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            what = "Tests of Docker, PostgreSQL and Chromium that were skipped, which counts as a failure here"
            terminalreporter.section(what, red=True)
            for name in self.skipped:
                terminalreporter.line(name)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _add(self, name: str, reason: str) -> None:
        with self.failed.open("a") as lines:
            lines.write(f"{name}: {' '.join(reason.split())}"[:LINE] + "\n")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext)
