"""Digests are SHA-256, whoever makes them."""

from __future__ import annotations

import hashlib
import sys

import pytest

from core.model import digest as module
from core.model.digest import MEDIUM, SMALL, digest


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1, MEDIUM, MEDIUM + 1])
def test_small_and_large_data_have_the_digest_that_hashlib_gives(size: int) -> None:
    assert digest(b"a" * size) == hashlib.sha256(b"a" * size).hexdigest()


def test_openssl_is_not_loaded_for_a_single_text_that_is_hashed_sooner_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hashlib")

    medium = digest(b"a" * MEDIUM, seldom=True)
    assert "hashlib" not in sys.modules
    large = digest(b"a" * (MEDIUM + 1), seldom=True)
    assert "hashlib" in sys.modules

    assert (medium, large) == tuple(hashlib.sha256(b"a" * size).hexdigest() for size in (MEDIUM, MEDIUM + 1))


def test_hashlib_stands_in_where_python_was_built_without_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OWN", "no_such_module")
    module._own.cache_clear()

    assert digest(b"a") == hashlib.sha256(b"a").hexdigest()

    module._own.cache_clear()
