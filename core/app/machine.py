"""What `doctor` looks at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from core.errors import TailraceError
from core.host.records import RecordStore
from core.registry import Registry
from core.sdk.runners import TaskRunner
from core.settings import Settings


def machine_checks(
    settings: Settings, registry: Registry, records: Callable[[], RecordStore]
) -> Iterator[tuple[str, bool, str]]:
    """(name, whether it is well, a line about it)."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield "python", sys.version_info >= (3, 11), f"{version} at {sys.executable}"
    yield _home(settings)
    for plugin in registry.plugins():
        yield f"plugin {plugin.name}", not plugin.error, plugin.error or f"{plugin.distribution} {plugin.version}"
    if settings.records:
        yield _records(settings, records)
    try:
        registry.storage_backend(settings.storage)
        yield "storage", True, settings.storage
    except TailraceError as error:
        yield "storage", False, str(error)
    for entry in registry.entries("runner"):
        runner = registry.resolve(entry.name)
        if issubclass(runner, TaskRunner):
            reason = runner.unavailable(settings.environment)
            yield entry.name, True, f"not available: {reason.splitlines()[0]}" if reason else "available"
    from shutil import which  # noqa: PLC0415 - slow to load, and only `doctor` asks

    uv = which("uv", path=settings.environment.get("PATH"))
    yield "uv", True, uv or "not installed: environments of scripts are made with venv and pip, which is slower"


def _records(settings: Settings, records: Callable[[], RecordStore]) -> tuple[str, bool, str]:
    """Whether a database answers; the file in the home needs nobody to answer."""
    try:
        records().product.organizations()
    except TailraceError as error:
        return "records", False, str(error)
    return "records", True, settings.records_shown


def _home(settings: Settings) -> tuple[str, bool, str]:
    try:
        settings.make_home()
    except TailraceError as error:
        return "home", False, str(error)
    from shutil import disk_usage  # noqa: PLC0415 - as above

    free = disk_usage(settings.home).free
    return "home", free > 100 * 1024 * 1024, f"{settings.home}, {free // 1024**2} MiB free"
