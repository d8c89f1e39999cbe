"""The property `namespaceFiles`: files of namespaces, put into a task's directory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from core.errors import Invalid
from core.sdk.context import RunContext
from core.sdk.files import inside, matching
from core.sdk.properties import Described, prop


class NamespaceFiles(Described):
    """Which namespace files a task finds in its directory."""

    enabled: bool = prop("Whether files are put there at all.", default=True)
    include: list[str] | None = prop("Patterns of the files to take; all when it is missing.", default=None)
    exclude: list[str] | None = prop("Patterns of files to leave out.", default=None)
    namespaces: list[str] | None = prop(
        "Namespaces whose files are taken; a later one's file replaces an earlier one's. The flow's when missing.",
        default=None,
    )
    if_exists: Literal["OVERWRITE", "FAIL", "ERROR", "WARN", "IGNORE"] = prop(
        "What becomes of a file that is there already: replaced, a failure (FAIL or ERROR), or kept, with a warning "
        "or without one.",
        default="OVERWRITE",
    )
    folder_per_namespace: bool = prop("Put each namespace's files into a folder of its name.", default=False)


def write_namespace_files(ctx: RunContext, wanted: NamespaceFiles, into: Path) -> list[str]:
    """Copy namespace files into a directory; the names that were written. Raises Invalid, Forbidden."""
    if not wanted.enabled:
        return []
    written = []
    for name, source in _chosen(ctx, wanted).items():
        target = inside(into, name)
        if target.exists():
            if wanted.if_exists in ("FAIL", "ERROR"):
                raise Invalid(f"the namespace file `{name}` is in the task's directory already")
            if wanted.if_exists == "WARN":
                ctx.log.warn(f"The namespace file `{name}` is in the task's directory already; it was left as it is")
            if wanted.if_exists in ("WARN", "IGNORE"):
                continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # it may be a link into the storage: writing must not go through it
            shutil.copy(source, target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise Invalid(f"the namespace file `{name}` has the name of a directory, or lies below a file") from error
        written.append(name)
    return written


def _chosen(ctx: RunContext, wanted: NamespaceFiles) -> Mapping[str, Path]:
    """Name in the task's directory → file of a namespace."""
    chosen: dict[str, Path] = {}
    for namespace in wanted.namespaces or (ctx.namespace,):
        files = ctx.namespace_files(namespace)
        names = list(files) if wanted.include is None else matching(files, wanted.include)
        left_out = set(matching(names, wanted.exclude or ()))
        folder = f"{namespace}/" if wanted.folder_per_namespace else ""
        chosen.update({folder + name: files[name] for name in names if name not in left_out})
    return chosen
