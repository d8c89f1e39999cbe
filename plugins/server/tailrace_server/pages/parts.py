"""Forms in parts (`multipart/form-data`): fields, and files, which are kept once the form is known to be ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from litestar.datastructures import FormMultiDict
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from tailrace_server.errors import Refused
from tailrace_server.options import KIB
from tailrace_server.receiving import Upload, Writing, file_name, too_large

Form = FormMultiDict
"""What was filled in: texts, and an `Upload` for each file."""
FIELDS = 1000
"""Of a form; one with files may have as many."""
HEADERS, LONGEST_HEADER, HEADERS_OF_PART = 512 * KIB, 2 * KIB, 4
"""Bytes of all that is no content (headers and boundaries), and of one header; headers of a part, of which RFC 7578 has
three. A header may be folded into many lines, and each of them costs as much as all of it so far."""
LONGEST_BOUNDARY = 70
"""Bytes, by RFC 2046. The parser looks back so far with each piece that comes."""
ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii")
"""A part may name its own; some of Python's take very long."""


class PartsReader:
    """Reads one form. folder: where its files are written to; None for a form that takes none. admit: is asked with
    the fields that stand before the first file, and raises for what must not be kept. most, most_files: bytes of
    everything but its files, and of these."""

    def __init__(self, folder: Path | None, admit: Callable[[Form], None], most: int, most_files: int) -> None:
        self._folder = folder
        self._admit = admit
        self._most = most
        self._most_files = most_files
        self._found: list[tuple[str, str | Upload]] = []
        self._text = bytearray()
        self._writing: Writing | None = None
        self._received = self._of_texts = self._of_files = self._files = 0

    async def read(self, body: AsyncIterator[bytes], boundary: str) -> Form:
        """All of it. Raises Refused for what can't be read or is too much, Unreachable."""
        if not 0 < len(boundary.encode()) <= LONGEST_BOUNDARY:
            raise Refused(422, "the parts of the form can't be told apart")
        try:
            with PushMultipartParser(
                boundary, max_segment_count=FIELDS, max_header_size=LONGEST_HEADER, max_header_count=HEADERS_OF_PART
            ) as parser:
                await self._read(body, parser)
        except ParserLimitReached:
            raise _too_many() from None
        except MultipartError:
            raise Refused(422, "the form is not in parts as they should be") from None
        finally:
            if self._writing is not None:
                self._writing.close()
        return FormMultiDict(self._found)

    async def _read(self, body: AsyncIterator[bytes], parser: PushMultipartParser) -> None:
        part: MultipartSegment | None = None
        while not parser.closed:
            piece = await anext(body, b"")
            self._received += len(piece)
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    part = event
                    self._begin(part)
                elif event is not None:
                    await self._take(event)
                elif part is not None:
                    await self._end(part)
            if self._received - self._of_files > self._most:
                raise too_large("the form, without its files,", self._most)
            if self._received - self._of_files - self._of_texts > HEADERS:
                raise _too_many()

    def _begin(self, part: MultipartSegment) -> None:
        if not part.filename:  # a file input where none was chosen has an empty one
            return
        if self._folder is None:
            raise Refused(422, "this form takes no files")
        if not self._files:
            self._admit(FormMultiDict(self._found))
        self._files += 1
        folder = self._folder / str(self._files)
        folder.mkdir()
        self._writing = Writing(folder / file_name(part.filename))

    async def _take(self, piece: bytes) -> None:
        if self._writing is None:
            self._of_texts += len(piece)
            self._text += piece
            return
        self._of_files += len(piece)
        if self._of_files > self._most_files:
            raise too_large("the files of a form together", self._most_files)
        await self._writing.write(piece)

    async def _end(self, part: MultipartSegment) -> None:
        name = part.name or ""
        if self._writing is not None:
            await self._writing.end()
            self._found.append((name, Upload(self._writing.path.name, self._writing.path)))
            self._writing = None
            return
        if (part.charset or "utf-8").lower() not in ENCODINGS:
            raise Refused(422, "the form is in no encoding that can be read")
        try:
            self._found.append((name, self._text.decode("utf-8")))
        except UnicodeDecodeError:
            raise Refused(422, "the form is in no encoding that can be read") from None
        self._text = bytearray()


def _too_many() -> Refused:
    return Refused(422, f"the form has more than {FIELDS} fields, or very long names")
