"""Everything that is printed: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TextIO, cast

from core.cli.people import cell
from core.errors import InvalidFlow, TailraceError, TooLarge
from core.host.plain import plain

_WIDEST = 400
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"


class Output:
    """Where a command writes to.

    json: results are JSON. quiet: nothing but results and errors. What a terminal would take for a command (escape
    sequences in a log line, say) is shown instead of obeyed; what goes to a file or a pipe is left as it is.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self._stdout = stdout
        self._stderr = stderr
        for stream in (stdout, stderr):
            if hasattr(stream, "reconfigure"):
                # In JSON the replacement for a lone surrogate is the very escape that JSON has for it.
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")

    @property
    def live(self) -> bool:
        """Whether a display that changes in place makes sense."""
        return self._stderr.isatty() and not (self.json or self.quiet)

    @property
    def on_terminal(self) -> bool:
        """Whether results are read by a person at once."""
        return self._stdout.isatty()

    # -- results

    def result(self, text: str = "") -> None:
        """A line, or several, to standard output."""
        _write(self._stdout, text)

    def data(self, value: Any) -> None:
        """A value as indented JSON to standard output."""
        self.result(json_text(value, indent=2))

    def row(self, value: Any) -> None:
        """A value as one line of JSON to standard output."""
        self.result(json_text(value))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], indent: str = "") -> None:
        """Aligned columns to standard output. The last column may be as wide as it is, others are cut."""
        for line in table_lines(columns, [list(row) for row in rows]):
            self.result(indent + line)

    def bytes(self, chunks: Iterable[bytes]) -> None:
        """Raw bytes to standard output."""
        self._stdout.flush()
        sink: BinaryIO = self._stdout.buffer
        for chunk in chunks:
            sink.write(chunk)
        sink.flush()

    # -- everything else

    def note(self, text: str) -> None:
        """A line to standard error, left out with --quiet. A closed standard error never ends a run."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """A line to standard error, whatever was asked for."""
        try:
            _write(self._stderr, text)
            self._stderr.flush()
        except BrokenPipeError:
            self._stderr = cast(TextIO, _Nowhere())

    def error(self, error: TailraceError) -> None:
        """An error for the user: to standard error, with --json also as an object to standard output."""
        if self.json:
            self.data({"error": error_object(error)})
        self.warn(str(error) if isinstance(error, InvalidFlow) else f"error: {error}")

    def flush(self) -> None:
        self._stdout.flush()

    def reader_gone(self) -> None:
        """Nobody reads standard output any more: what is still buffered for it goes nowhere, without a message."""
        if self._stdout is sys.stdout:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stdout.fileno())
            os.close(nowhere)


class _Nowhere:
    """A stream that takes everything."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


def _write(stream: TextIO, text: str) -> None:
    print(_shown(text) if stream.isatty() else text, file=stream)


def _shown(text: str) -> str:
    return re.sub(_CONTROL, lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def json_text(value: Any, indent: int | None = None) -> str:
    """The value as JSON (see `core.host.plain` for what JSON does not have). Raises TooLarge for endless nesting."""
    try:
        return json.dumps(plain(value), ensure_ascii=False, indent=indent, allow_nan=False)
    except RecursionError as error:
        raise TooLarge("the value is nested too deeply to be printed") from error


def error_object(error: TailraceError) -> Mapping[str, object]:
    """An error as `--json` shows it; of a flow that is not valid also each problem, as `check` shows them."""
    return {
        "kind": error.kind,
        "message": error.what,
        "where": error.where,
        "expected": error.expected,
        "hint": error.hint,
        **({"problems": error.found} if isinstance(error, InvalidFlow) and error.found else {}),
    }


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A header and a line per row; numbers stand to the right."""
    last = len(columns) - 1
    texts = [[cell(value, _WIDEST if i == last else 60) for i, value in enumerate(row)] for row in rows]
    widths = [max([_width(title), *(_width(row[i]) for row in texts)]) for i, title in enumerate(columns)]
    right = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    for line in [list(columns), *texts]:
        padded = (_pad(text, widths[i], right[i]) for i, text in enumerate(line))
        yield "  ".join(padded).rstrip()


def _is_number(value: object) -> bool:
    """Whether a value stands to the right; what is missing among numbers does not change that."""
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _pad(text: str, width: int, right: bool) -> str:
    gap = " " * (width - _width(text))
    return gap + text if right else text + gap


def _width(text: str) -> int:
    """Columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - most tables are plain ASCII

    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)
