"""The cached table of entry points: when it is believed and when it is made anew."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from core.registry import discovery
from core.registry.discovery import InstalledPlugin, installed_plugins

GROUP = "test.plugins"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder), str(tmp_path / "missing")])
    return folder


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders whose package metadata were read."""
    paths: list[str] = []
    find: Any = discovery._find

    def record(path: str, group: str) -> tuple[InstalledPlugin, ...]:
        paths.append(path)
        found: tuple[InstalledPlugin, ...] = find(path, group)
        return found

    monkeypatch.setattr(discovery, "_find", record)
    return paths


def put(site: Path, name: str, points: str, version: str = "1.0") -> Path:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text(points, encoding="utf-8")
    return folder


def test_entry_points_of_the_group_are_found(site: Path) -> None:
    put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n[console_scripts]\nacme = acme:main\n")
    assert installed_plugins(None, GROUP) == (InstalledPlugin("shout", "acme.shout", "acme", "1.0"),)


def test_what_is_cached_is_not_searched_again(site: Path, tmp_path: Path, searched: list[str]) -> None:
    put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n")
    cache = tmp_path / "cache.json"
    assert installed_plugins(cache, GROUP) == installed_plugins(cache, GROUP)
    assert searched == [str(site)]


def test_files_written_beside_do_not_count(site: Path, tmp_path: Path, searched: list[str]) -> None:
    put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n")
    cache = tmp_path / "cache.json"
    first = installed_plugins(cache, GROUP)
    (site / "report.csv").write_text("", encoding="utf-8")
    os.utime(site, ns=(1, 1))
    assert installed_plugins(cache, GROUP) == first
    assert searched == [str(site)]


def test_what_is_installed_or_removed_is_noticed(site: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    assert installed_plugins(cache, GROUP) == ()
    first = put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n")
    os.utime(site, ns=(1, 1))
    assert [plugin.name for plugin in installed_plugins(cache, GROUP)] == ["shout"]
    shutil.rmtree(first)
    os.utime(site, ns=(2, 2))
    assert installed_plugins(cache, GROUP) == ()


def test_the_same_version_installed_again_is_noticed(site: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.json"
    first = put(site, "acme", "")
    assert installed_plugins(cache, GROUP) == ()
    shutil.rmtree(first)
    os.utime(put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n"), ns=(1, 1))
    os.utime(site, ns=(1, 1))
    assert [plugin.module for plugin in installed_plugins(cache, GROUP)] == ["acme.shout"]


def test_of_a_distribution_found_twice_the_first_counts(site: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    sys.path.append(str(second))
    put(site, "acme", f"[{GROUP}]\nshout = new\n", "2.0")
    put(second, "acme", f"[{GROUP}]\nshout = old\n", "1.0")
    assert installed_plugins(None, GROUP) == (InstalledPlugin("shout", "new", "acme", "2.0"),)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 7}', "null", '{"format": [1, "test.plugins", [3, 1]]}'])
def test_a_damaged_cache_is_made_anew(site: Path, tmp_path: Path, content: str) -> None:
    put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n")
    cache = tmp_path / "cache.json"
    cache.write_text(content, encoding="utf-8")
    assert [plugin.name for plugin in installed_plugins(cache, GROUP)] == ["shout"]
    assert list(json.loads(cache.read_text(encoding="utf-8"))["places"]) == [str(site)]


def test_a_cache_that_can_not_be_written_is_done_without(site: Path, tmp_path: Path) -> None:
    put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n")
    (tmp_path / "file").write_text("", encoding="utf-8")
    cache = tmp_path / "file" / "cache.json"
    assert [plugin.name for plugin in installed_plugins(cache, GROUP)] == ["shout"]


def test_the_cache_keeps_what_other_environments_found(site: Path, tmp_path: Path, searched: list[str]) -> None:
    cache = tmp_path / "cache.json"
    put(site, "acme", f"[{GROUP}]\nshout = acme.shout\n")
    installed_plugins(cache, GROUP)
    other = tmp_path / "other"
    other.mkdir()
    sys.path[:] = [str(other)]
    assert installed_plugins(cache, GROUP) == ()
    sys.path[:] = [str(site)]
    assert len(installed_plugins(cache, GROUP)) == 1
    assert searched == [str(site)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cache.json", "other", "site"]
