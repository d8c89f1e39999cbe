"""A pytest plugin: which tests failed, and which began and did not end, in files that outlive a run that is stopped.

The files are in `build/tests`. A test that does not end is ended with its process, which says where each thread was.
Where CI=true, a skipped test that needs Docker, PostgreSQL or Chromium makes the run fail.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

NEEDED = frozenset({"browser", "docker", "postgres"})
"""Markers of tests that a machine may leave out, but not this one."""

LINE = 220
"""Characters of a failed test's line: its name and the first words of why."""

FOLDER = Path("build", "tests").absolute()
HUNG = pytest.StashKey[frozenset[str]]()
"""Tests that took an earlier process of this run with them."""

PATIENCE = 240
"""Seconds after which a test counts as one that does not end; the longest takes a tenth."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    said = FOLDER / f"hung-{os.getpid()}.txt"
    with said.open("w") as file:
        file.write(f"{item.nodeid}\n")
        file.flush()
        faulthandler.dump_traceback_later(PATIENCE, exit=True, file=file)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()
            said.unlink()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that took its process with it is given to the next one, where it must not do that again."""
    if item.nodeid in item.config.stash[HUNG]:
        pytest.fail(f"did not end within {PATIENCE} s", pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    config.stash[HUNG] = frozenset(_hung())
    if hasattr(config, "workerinput"):  # a process of several: the one that started it is told of everything
        return
    config.pluginmanager.register(_Watch(FOLDER, strict=os.environ.get("CI") == "true"))


class _Watch:
    def __init__(self, folder: Path, strict: bool) -> None:
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
        if report.when not in {"setup", "call", "teardown"}:  # its process has ended in the middle of it
            self.pytest_runtest_logfinish(report.nodeid)
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


def _hung() -> Iterator[str]:
    for said in FOLDER.glob("hung-*.txt"):
        with suppress(FileNotFoundError):  # of a test that has just ended in another process
            name, _, threads = said.read_text().partition("\n")
            if threads:
                yield name


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext)
