"""What is committed belongs to everybody: nothing of the machine it was written on, nothing of where it fetches from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, shown, tracked_files

_FORBIDDEN_NAMES = re.compile(r"(^|/)(uv\.lock|\.env|\.python-version|\.netrc|pip\.conf|uv\.toml|.*\.(pyc|db|sqlite))$")
_MACHINE = re.compile(
    r"(?<![\w.}>~])/(?:home|Users|root)/\w+|/site-packages/|/tmp/tmp\w+|[A-Z]:\\Users\\"
)
_REGISTRY = re.compile(
    r"index-url[=\s'\"]+https?://(?!\w+\.example(?:[/'\"\s\\]|$))[^\s'\"]+"
    r"|https?://[^\s/'\"]*(?:artifactory|nexus|mirror|registry)[^\s'\"]*"
)
_LARGEST = 512 * 1024


def offences(text: str) -> Iterator[str]:
    """What a committed file must not hold: paths of a machine, hosts of package registries."""
    for pattern in (_MACHINE, _REGISTRY):
        yield from (match.group() for match in pattern.finditer(text))


FILES = tuple(path for path in tracked_files() if path != Path(__file__).resolve())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /home/ada/notes", ["/home/ada"]),
        ("File /root/project/core", ["/root/project"]),
        ("index-url = https://packages.example.org/simple", ["index-url = https://packages.example.org/simple"]),
        ("--index-url https://a.example/simple", []),
        ("https://nexus.example/repo", ["https://nexus.example/repo"]),
        ("<root>/home/a {home}/home/b ~/home/c ./home/d", []),
        ("from core.registry import load_registry", []),
    ],
)
def test_what_belongs_to_one_machine_is_found(text: str, found: list[str]) -> None:
    assert list(offences(text)) == found


def test_no_file_is_kept_that_every_machine_makes_for_itself() -> None:
    assert [shown(path) for path in FILES if _FORBIDDEN_NAMES.search(shown(path))] == []


def test_no_file_tells_of_a_machine_or_a_registry() -> None:
    found = {}
    for path in FILES:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if said := list(offences(text)):
            found[shown(path)] = said
    assert found == {}


def test_no_file_is_large() -> None:
    assert {shown(path): path.stat().st_size for path in FILES if path.stat().st_size > _LARGEST} == {}


def test_the_lock_file_is_left_out() -> None:
    assert "uv.lock" in (ROOT / ".gitignore").read_text("utf-8").split()
