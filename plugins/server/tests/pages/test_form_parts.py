"""Forms in parts, as they are read: what is no content is bounded too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from plugins.server.tests.loops import run
from tailrace_server.errors import Refused
from tailrace_server.pages.parts import FIELDS, PartsReader


@pytest.mark.parametrize("more", [b"X: a\r\n" + b" a\r\n" * 300, b"X: a\r\n" * 4, b"X: " + b"a" * 3000 + b"\r\n"])
def test_headers_of_parts_are_few_and_short(more: bytes) -> None:
    """A header that is folded into many lines is put together anew with each of them."""
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n' + more + b"\r\nv\r\n"

    async def body() -> AsyncIterator[bytes]:
        for _ in range(FIELDS):
            yield part

    async def read() -> None:
        await PartsReader(None, lambda form: None, 10**7, 0).read(body(), "x")

    with pytest.raises(Refused) as refused:
        run(read())
    assert str(refused.value) == "the form has more than 1000 fields, or very long names"
