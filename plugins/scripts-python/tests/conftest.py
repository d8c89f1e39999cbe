"""A context on real processes, and packages that are built here, so that no test needs the network."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.builtin.process import Process
from core.testing.plain_context import PlainContext


@pytest.fixture
def new_ctx(tmp_path: Path) -> Callable[[], PlainContext]:
    """Contexts of several attempts, which share a cache."""
    cache = tmp_path / "cache"
    cache.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    count = 0

    def make() -> PlainContext:
        nonlocal count
        count += 1
        root = tmp_path / f"attempt-{count}"
        root.mkdir()
        (root / "cache").symlink_to(cache)
        return PlainContext(root, environment=environment, runner=Process())

    return make


@pytest.fixture
def ctx(new_ctx: Callable[[], PlainContext]) -> PlainContext:
    return new_ctx()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A directory with the package `tiny`, versions 1.0 and 2.0, which has a command `tiny`, and `small`."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    for version in ("1.0", "2.0"):
        _wheel(directory, "tiny", version, "[console_scripts]\ntiny = tiny:main\n")
    _wheel(directory, "small", "1.0", "")
    return directory


def _wheel(directory: Path, name: str, version: str, entry_points: str) -> None:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"import sys\nVERSION = {version!r}\n\n\ndef main():\n    print(VERSION, sys.prefix)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points,
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
