"""The directory a script runs in, and what the engine itself puts there for the time of one run."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType

from core.errors import Forbidden, NotFound
from core.sdk.context import RunContext
from core.sdk.runners import TaskRunner

_URI = re.compile(r"(?:storage|kestra):///[-a-zA-Z0-9%._+~#=/]*")
_MORE = re.compile(r"[^\n][-a-zA-Z0-9%._+~#=/]*")
_UNSAFE = re.compile(r"[^-\w%.+~#=]")
_LONGER = 30
"""How many signs that no URI has may be in a name."""


class Workspace:
    """A context manager around one run. Whatever is put here through it is gone after the block, so that it is never
    taken for a file the script made.

    root: the task's working directory. runner: where the commands will run.
    """

    def __init__(self, ctx: RunContext, runner: TaskRunner) -> None:
        self.ctx = ctx
        self.runner = runner
        self.root = ctx.working_dir
        self._private: Path | None = None
        self._written: list[Path] = []
        self._copies: dict[str, str] = {}

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for path in self._written:
            path.unlink(missing_ok=True)
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)  # a container's user may have left what we can't remove

    @property
    def private(self) -> Path:
        """A directory below `root` for the run's own needs, made when first asked for.

        Its name is the attempt's own, so that what a crash left running still finds it after a new start.
        """
        if self._private is None:
            self._private = self.root / f".script-{self.ctx.attempt_id}"
            shutil.rmtree(self._private, ignore_errors=True)
            self._private.mkdir()
        return self._private

    def write(self, text: str, suffix: str) -> Path:
        """Write a text to a file directly in `root`, where a script finds its neighbours; the file's path."""
        path = self.root / (self.private.name + suffix)
        path.write_text(text, encoding="utf-8", newline="")
        self._written.append(path)
        return path

    def localized(self, text: str) -> str:
        """The text with every URI of internal storage replaced by the absolute path of a local copy, one that a shell
        takes as it is.

        Raises NotFound, Forbidden.
        """
        parts, end = [], 0
        while found := _URI.search(text, end):
            path, uri_end = self._copy(text, found.start(), found.end())
            parts += [text[end : found.start()], path]
            end = uri_end
        return "".join((*parts, text[end:]))

    def _copy(self, text: str, start: int, end: int) -> tuple[str, int]:
        """The copy of the file whose URI begins at a place in a text, and where the URI ends.

        A file keeps the name that a script or a server gave it, and that may hold spaces and other signs: where no file
        is meant by what the reference takes for a URI, some more of the line is looked at.
        """
        try:
            return self._copy_of(text[start:end]), end
        except (NotFound, Forbidden):
            for more in islice(_MORE.finditer(text, end), _LONGER):
                if more.start() != end:
                    break
                end = more.end()
                with suppress(NotFound, Forbidden):
                    return self._copy_of(text[start:end]), end
            raise

    def _copy_of(self, uri: str) -> str:
        if uri not in self._copies:
            target = self.private / str(len(self._copies)) / _UNSAFE.sub("_", uri.rpartition("/")[2])
            target.parent.mkdir(parents=True, exist_ok=True)
            self.ctx.storage.fetch(uri, target)
            self._copies[uri] = str(target)
        return self._copies[uri]
