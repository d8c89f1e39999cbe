"""Tasks on the files of namespaces."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Literal

from core.sdk import Conflict, Described, Invalid, RunContext, RunnableTask, TaskOutput, prop
from core.sdk.files import collect_files, inside, matching


class UploadFiles(RunnableTask, type="namespace.UploadFiles", aliases=("io.kestra.plugin.core.namespace.UploadFiles",)):
    """Store files of the working directory as files of a namespace."""

    namespace: str = prop("Whose files they become.", examples=("{{ flow.namespace }}",))
    files: list[str] = prop("Patterns of the files to take.", examples=(["**/*.sql"],))
    destination: str = prop("The folder they are put into.", default="/")
    conflict: Literal["OVERWRITE", "ERROR", "SKIP"] = prop(
        "What becomes of a file that is there already: replaced, a failure, or kept.", default="OVERWRITE"
    )

    class Output(TaskOutput):
        files: dict[str, str] = prop("The stored files, URI by name.")

    def run(self, ctx: RunContext) -> Output:
        there = set(ctx.namespace_store.names(self.namespace))
        stored = {}
        for name in collect_files(ctx.working_dir, self.files):
            target = _below(self.destination, name)
            if target in there and self.conflict == "ERROR":
                raise Conflict(f"the namespace `{self.namespace}` has a file `{target}` already")
            if target in there and self.conflict == "SKIP":
                ctx.log.info(f"The file `{target}` is there already; it was left as it is")
                continue
            with inside(ctx.working_dir, name).open("rb") as source:
                stored[target] = ctx.namespace_store.put(source, target, self.namespace).uri
        return self.Output(files=stored)


class DownloadFiles(
    RunnableTask, type="namespace.DownloadFiles", aliases=("io.kestra.plugin.core.namespace.DownloadFiles",)
):
    """Give files of a namespace to the tasks that follow."""

    namespace: str = prop("Whose files.", examples=("{{ flow.namespace }}",))
    files: str | list[str] = prop("Their names, or patterns of them.", examples=("**/*.sql",))
    destination: str = prop("The folder their names are put into.", default="")

    class Output(TaskOutput):
        files: dict[str, str] = prop("The files, URI by name.")

    def run(self, ctx: RunContext) -> Output:
        found = {}
        for name in _chosen(ctx, self.namespace, self.files):
            target = _below(self.destination, name)
            with ctx.namespace_store.open(name, self.namespace) as source:
                found[target] = ctx.storage.put(source, target).uri
        ctx.metric("downloaded", len(found))
        return self.Output(files=found)


class DeleteFiles(RunnableTask, type="namespace.DeleteFiles", aliases=("io.kestra.plugin.core.namespace.DeleteFiles",)):
    """Remove files of a namespace."""

    namespace: str = prop("Whose files.", examples=("{{ flow.namespace }}",))
    files: str | list[str] = prop("Their names, or patterns of them.", examples=("old/**",))

    def run(self, ctx: RunContext) -> None:
        chosen = _chosen(ctx, self.namespace, self.files)
        ctx.metric("deleted", sum(ctx.namespace_store.delete(name, self.namespace) for name in chosen))


class VersionBehavior(Described):
    """Which versions of the files that match go."""

    type_: Literal["version"] = prop("Versions of files; a namespace keeps the newest one.", name="type")
    before: datetime | None = prop("Only versions older than this, never the newest one.", default=None)
    keep_amount: int | None = prop("How many of the newest versions stay.", default=None)

    def __post_init__(self) -> None:
        if self.before is not None and self.keep_amount is not None:
            raise Invalid("`before` and `keepAmount` are both given", expected="one of them")
        if self.keep_amount is not None and self.keep_amount < 1:
            raise Invalid("`keepAmount` is less than 1", expected="a number of versions to keep")


class PurgeFiles(RunnableTask, type="namespace.PurgeFiles", aliases=("io.kestra.plugin.core.namespace.PurgeFiles",)):
    """Remove versions of namespace files.

    A namespace keeps the newest version of each file only. So there is nothing to remove unless `behavior` asks for
    all versions, with neither `before` nor `keepAmount`.
    """

    file_pattern: str | None = prop("Which files: a pattern; all when missing.", default=None)
    namespaces: list[str] | None = prop("Whose files; all when this and the pattern are missing.", default=None)
    namespace_pattern: str | None = prop("Whose files, by a pattern with `*`.", default=None)
    include_child_namespaces: bool = prop("Whether namespaces below those in `namespaces` count.", default=True)
    behavior: VersionBehavior = prop(
        "Which versions go.", factory=lambda: VersionBehavior(type_="version", keep_amount=1)
    )

    class Output(TaskOutput):
        size: int = prop("How many versions were removed.")

    def run(self, ctx: RunContext) -> Output:
        if self.namespaces is not None and self.namespace_pattern is not None:
            raise Invalid("`namespaces` and `namespacePattern` are both given", expected="one of them")
        if self.behavior.before is not None or self.behavior.keep_amount is not None:
            ctx.log.info("Nothing to purge: earlier versions of namespace files are not kept")
            return self.Output(size=0)
        removed = 0
        for namespace in filter(self._means, ctx.namespace_store.namespaces()):
            for name in _chosen(ctx, namespace, self.file_pattern or "**"):
                removed += ctx.namespace_store.delete(name, namespace)
        return self.Output(size=removed)

    def _means(self, namespace: str) -> bool:
        if self.namespace_pattern is not None:
            return bool(matching([namespace], [self.namespace_pattern]))
        if self.namespaces is None:
            return True
        below = tuple(f"{one}." for one in self.namespaces) if self.include_child_namespaces else ()
        return namespace in self.namespaces or namespace.startswith(below)


def _chosen(ctx: RunContext, namespace: str, patterns: str | list[str]) -> list[str]:
    return matching(ctx.namespace_store.names(namespace), _listed(patterns))


def _listed(patterns: str | list[str]) -> list[str]:
    """One pattern as a list of it. A text may be that of a JSON list: what an expression that gives one writes."""
    if isinstance(patterns, list):
        return patterns
    try:
        found = json.loads(patterns)
    except ValueError:
        return [patterns]
    is_list = isinstance(found, list) and all(isinstance(one, str) for one in found)
    return found if is_list else [patterns]


def _below(folder: str, name: str) -> str:
    folder = folder.strip("/")
    return f"{folder}/{name}" if folder else name
