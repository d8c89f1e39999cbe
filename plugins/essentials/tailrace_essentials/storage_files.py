"""Tasks on whole files of internal storage."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from core.sdk import NotFound, RunContext, RunnableTask, TaskOutput, copy_stream, prop
from core.sdk.files import collect_files, store_output, write_input_files


class Concat(
    RunnableTask,
    type="storage.Concat",
    aliases=("io.kestra.plugin.core.storage.Concat", "io.kestra.core.tasks.storages.Concat"),
):
    """Join files, one after another."""

    files: list[str] = prop("Their URIs.", examples=(["{{ outputs.first.uri }}", "{{ outputs.second.uri }}"],))
    separator: str | None = prop("Written after every file, the last one too.", default=None)
    extension: str = prop("How the name of the new file ends.", default=".tmp")

    class Output(TaskOutput):
        uri: str = prop("The new file.")

    def run(self, ctx: RunContext) -> Output:
        joined = ctx.working_dir / "joined"
        with joined.open("wb") as target:
            for uri in self.files:
                with ctx.storage.open(uri) as source:
                    for chunk in copy_stream(source):
                        target.write(chunk)
                target.write((self.separator or "").encode())
        return self.Output(uri=ctx.storage.put(joined, f"concat{self.extension}").uri)


class Write(RunnableTask, type="storage.Write", aliases=("io.kestra.plugin.core.storage.Write",)):
    """Write a text to a file."""

    content: str = prop("The text.", examples=("{{ outputs.report.body }}",))
    extension: str | None = prop("How the name of the file ends, for instance `.txt`.", default=None)

    class Output(TaskOutput):
        uri: str = prop("The new file.")

    def run(self, ctx: RunContext) -> Output:
        extension = self.extension or ""
        dot = "" if extension.startswith(".") or not extension else "."
        return self.Output(uri=ctx.storage.put(BytesIO(self.content.encode()), f"content{dot}{extension}").uri)


class Size(
    RunnableTask,
    type="storage.Size",
    aliases=("io.kestra.plugin.core.storage.Size", "io.kestra.core.tasks.storages.Size"),
):
    """Tell how large a file is."""

    uri: str = prop("The file.", examples=("{{ outputs.download.uri }}",))

    class Output(TaskOutput):
        size: int = prop("In bytes.")

    def run(self, ctx: RunContext) -> Output:
        return self.Output(size=ctx.storage.stat(self.uri).size)


class Delete(
    RunnableTask,
    type="storage.Delete",
    aliases=("io.kestra.plugin.core.storage.Delete", "io.kestra.core.tasks.storages.Delete"),
):
    """Remove a file."""

    uri: str = prop("The file.", examples=("{{ outputs.download.uri }}",))
    error_on_missing: bool = prop("Whether the task fails when it is not there.", default=False)

    class Output(TaskOutput):
        uri: str = prop("The file.")
        deleted: bool = prop("Whether it was there.")

    def run(self, ctx: RunContext) -> Output:
        deleted = ctx.storage.delete(self.uri)
        if not deleted and self.error_on_missing:
            raise NotFound(f"Unable to find file '{self.uri}'")
        return self.Output(uri=self.uri, deleted=deleted)


class PurgeCurrentExecutionFiles(
    RunnableTask,
    type="storage.PurgeCurrentExecutionFiles",
    aliases=(
        "io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles",
        "io.kestra.plugin.core.storage.PurgeExecution",
        "io.kestra.core.tasks.storages.PurgeExecution",
    ),
):
    """Remove the files that this execution has stored so far.

    Files given to it by others stay, and outputs that are so large that they were stored as files.
    """

    class Output(TaskOutput):
        uris: list[str] = prop("The files that were removed.")

    def run(self, ctx: RunContext) -> Output:
        return self.Output(uris=[uri for uri in ctx.storage.own() if ctx.storage.delete(uri)])


class LocalFiles(
    RunnableTask,
    type="storage.LocalFiles",
    aliases=("io.kestra.plugin.core.storage.LocalFiles", "io.kestra.core.tasks.storages.LocalFiles"),
    deprecated="`inputFiles` and `outputFiles` of `flow.WorkingDirectory`",
):
    """Put files into the working directory, or store files of it (deprecated)."""

    inputs: dict[str, Any] = prop("Files to write: name → text or URI.", factory=dict)
    outputs: list[str] = prop("Patterns of the files to store.", factory=list)

    class Output(TaskOutput):
        uris: dict[str, str] = prop("The stored files, URI by name.")

    def run(self, ctx: RunContext) -> Output:
        folder = ctx.working_dir
        write_input_files(ctx, self.inputs, folder)
        return self.Output(uris={name: store_output(ctx, folder, name) for name in collect_files(folder, self.outputs)})
