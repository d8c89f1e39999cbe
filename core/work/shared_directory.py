"""The directory that the members of a group share: what it begins with, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.errors import TailraceError
from core.host.seam import TaskJob
from core.sdk.files import collect_files, store_output, write_input_files
from core.sdk.namespace_files import NamespaceFiles, write_namespace_files
from core.sdk.properties import Described, prop
from core.work.context import AttemptContext
from core.work.directory_cache import DirectoryCache, cache_path
from core.work.tools import Tools


class CacheOptions(Described):
    """Files that are kept for the next execution."""

    patterns: list[str] = prop("Which files.")
    ttl: timedelta | None = prop("For how long.", default=None)


class DirectoryOptions(Described):
    """What the far side knows of a group's own properties; the others are for the planner."""

    input_files: dict[str, Any] | str | None = prop("Files it begins with.", default=None)
    output_files: list[str] | None = prop("Files that are kept at the end.", default=None)
    namespace_files: NamespaceFiles | bool | None = prop("Files of namespaces it begins with.", default=None)
    cache: CacheOptions | None = prop("Files that are kept for the next execution.", default=None)


class SharedDirectory:
    """The working directory of a group's context."""

    def __init__(self, options: DirectoryOptions, job: TaskJob, tools: Tools, ctx: AttemptContext) -> None:
        self._options = options
        self._ctx = ctx
        self._cache: DirectoryCache | None = None
        if options.cache is not None:
            path = cache_path(job.place, job.variables.get("taskrun", {}).get("value"))
            kept = options.cache
            self._cache = DirectoryCache(
                tools.storage, job.place.organization_id, path, kept.patterns, kept.ttl, tools.now, ctx.log
            )

    def fill(self) -> None:
        """Before the members: the cache, then namespace files, then input files. Raises Invalid, Forbidden, NotFound.

        A pattern that leads out of the directory is refused now instead of after hours of work.
        """
        options, ctx = self._options, self._ctx
        patterns = options.cache.patterns if options.cache is not None else ()
        collect_files(ctx.working_dir, (*patterns, *(options.output_files or ())))
        if self._cache is not None:
            self._cache.restore(ctx.working_dir)
        namespaces = options.namespace_files
        if isinstance(namespaces, bool):
            namespaces = NamespaceFiles(enabled=namespaces)
        if namespaces is not None:
            write_namespace_files(ctx, namespaces, ctx.working_dir)
        if options.input_files is not None:
            write_input_files(ctx, options.input_files, ctx.working_dir)
        if self._cache is not None:
            self._cache.remember(ctx.working_dir)

    def keep(self, failed: bool) -> dict[str, Any] | None:
        """After the members, whatever became of them: the group's output, None when no files are asked for.

        failed: that a member failed is what people have to know; what then goes wrong here is only logged. The cache
        comes first, since what is stored as output is moved away.
        """
        try:
            if self._cache is not None:
                self._cache.save(self._ctx.working_dir)
            return self._stored()
        except TailraceError as error:
            if not failed:
                raise
            self._ctx.log.warn(f"The files of the directory could not be kept: {error.what}")
            return None

    def _stored(self) -> dict[str, Any] | None:
        patterns = self._options.output_files
        if patterns is None:
            return None
        directory = self._ctx.working_dir
        wanted = [f"{pattern}**" if pattern.endswith("/") else pattern for pattern in patterns]
        names = collect_files(directory, wanted)
        return {"outputFiles": {name: store_output(self._ctx, directory, name) for name in names}}
