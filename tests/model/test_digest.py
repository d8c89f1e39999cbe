"""Digests are SHA-256, whoever makes them."""

from __future__ import annotations

import hashlib

import pytest

from core.model import digest as module
from core.model.digest import SMALL, digest


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1])
def test_small_and_large_data_have_the_digest_that_hashlib_gives(size: int) -> None:
    assert digest(b"a" * size) == hashlib.sha256(b"a" * size).hexdigest()


def test_hashlib_stands_in_where_python_was_built_without_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OWN", "no_such_module")
    module._own.cache_clear()

    assert digest(b"a") == hashlib.sha256(b"a").hexdigest()

    module._own.cache_clear()
