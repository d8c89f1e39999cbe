"""The lines of a stream of bytes, as they come."""

from __future__ import annotations

import codecs
from collections.abc import Callable

LONGEST_LINE = 1 << 20
"""Characters after which a line is handed on in pieces, so that no command can fill the engine's memory."""


class LineSplitter:
    """Cuts the bytes of one stream into lines of text and hands each on at once, without its line end.

    `\\n` and `\\r\\n` end a line; bytes that are not UTF-8 become U+FFFD.
    """

    def __init__(self, on_line: Callable[[str], object], longest: int = LONGEST_LINE) -> None:
        self._on_line = on_line
        self._longest = longest
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        *lines, self._rest = (self._rest + self._decode(data)).split("\n")
        for line in lines:
            self._hand_on(line.removesuffix("\r"))
        if len(self._rest) > self._longest:
            whole = len(self._rest) - len(self._rest) % self._longest
            self._hand_on(self._rest[:whole])
            self._rest = self._rest[whole:]

    def close(self) -> None:
        """The stream is over: hand on what had no line end."""
        rest = self._rest + self._decode(b"", True)
        self._rest = ""
        if rest:
            self._hand_on(rest.removesuffix("\r"))

    def _hand_on(self, line: str) -> None:
        if len(line) <= self._longest:
            self._on_line(line)
            return
        for start in range(0, len(line), self._longest):
            self._on_line(line[start : start + self._longest])
