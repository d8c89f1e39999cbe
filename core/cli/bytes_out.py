"""Raw bytes to a file or to standard output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.cli.output import Output
from core.errors import Unreachable


def send(out: Output, target: Path | None, chunks: Iterable[bytes]) -> None:
    """Write chunks to the file `target`, or to standard output when there is none. Raises Unreachable."""
    if target is None:
        out.bytes(chunks)
        return
    try:
        sink = target.open("wb")
    except OSError as error:
        raise Unreachable(f"the file can't be written: {error.strerror}", where=str(target)) from error
    with sink:
        for chunk in chunks:
            sink.write(chunk)
