"""The directory a script runs in, and what the engine itself puts there for the time of one run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import TracebackType

from core.sdk.context import RunContext
from core.sdk.runners import TaskRunner

_URI = re.compile(r"(?:storage|kestra):///[-a-zA-Z0-9%._+~#=/]*")


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
        """The text with every URI of internal storage replaced by the absolute path of a local copy.

        Raises NotFound, Forbidden.
        """
        paths: dict[str, str] = {}
        for uri in _URI.findall(text):
            if uri not in paths:
                target = self.private / str(len(paths)) / uri.rpartition("/")[2]
                target.parent.mkdir(parents=True, exist_ok=True)
                self.ctx.storage.fetch(uri, target)
                paths[uri] = str(target)
        return _URI.sub(lambda match: paths[match[0]], text) if paths else text
