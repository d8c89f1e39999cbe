"""Tasks on the rows of files, read one by one: JSON Lines, as queries store them, or lines of Ion text."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Literal

from core.sdk import Invalid, RunContext, RunnableTask, TailraceError, TaskOutput, prop

_A_ROW = "a JSON object, or an Ion struct"


class FilterItems(
    RunnableTask,
    type="storage.FilterItems",
    aliases=("io.kestra.plugin.core.storage.FilterItems", "io.kestra.core.tasks.storages.FilterItems"),
):
    """Keep the rows of a file for which a condition holds."""

    from_: str = prop("URI of a file of JSON Lines, or of Ion text.", examples=("{{ outputs.query.uri }}",))
    filter_condition: str = prop(
        "Rendered for each row, whose fields are variables; gives `true` or `false`.", render=False,
        examples=("{{ amount > 10 }}",),
    )  # fmt: skip
    filter_type: Literal["INCLUDE", "EXCLUDE"] = prop(
        "Whether the rows for which it holds are kept or dropped.", default="INCLUDE"
    )
    error_or_null_behavior: Literal["FAIL", "INCLUDE", "EXCLUDE"] = prop(
        "What becomes of a row for which the condition can't be told: the task fails, or it is kept, or dropped.",
        default="FAIL",
    )

    class Output(TaskOutput):
        uri: str = prop("The new file.")
        processed_items_total: int = prop("How many rows were read.")
        dropped_items_total: int = prop("How many of them were dropped.")

    def run(self, ctx: RunContext) -> Output:
        filtered = ctx.working_dir / "filtered"
        processed = kept = 0
        with ctx.storage.open(self.from_) as source, filtered.open("wb") as target:
            for number, line in rows(source):
                processed += 1
                if self._keeps(ctx, number, line):
                    kept += 1
                    target.write(line + b"\n")
        uri = ctx.storage.put(filtered, f"filtered{PurePosixPath(self.from_).suffix}").uri
        return self.Output(uri=uri, processed_items_total=processed, dropped_items_total=processed - kept)

    def _keeps(self, ctx: RunContext, number: int, line: bytes) -> bool:
        row = row_of(ctx, line, number)
        try:
            holds = self._holds(ctx, number, row)
        except TailraceError as error:
            if self.error_or_null_behavior == "FAIL":
                error.where = error.where or f"row {number}"
                raise
            return self.error_or_null_behavior == "INCLUDE"
        return holds == (self.filter_type == "INCLUDE")

    def _holds(self, ctx: RunContext, number: int, row: dict[str, Any]) -> bool:
        text = ctx.render(self.filter_condition, row).strip()
        if text not in ("true", "false"):
            raise Invalid(f"the condition gives `{text}`", where=f"row {number}", expected="true or false")
        return bool(text == "true")


class DeduplicateItems(
    RunnableTask,
    type="storage.DeduplicateItems",
    aliases=("io.kestra.plugin.core.storage.DeduplicateItems", "io.kestra.core.tasks.storages.DeduplicateItems"),
):
    """Keep the last row of each key, in the order of the file.

    Of each key 16 bytes are held in memory, of the rows none.
    """

    from_: str = prop("URI of a file of JSON Lines, or of Ion text.", examples=("{{ outputs.query.uri }}",))
    expr: str = prop(
        "Rendered for each row, whose fields are variables: its key.", render=False, examples=("{{ id }}",)
    )

    class Output(TaskOutput):
        uri: str = prop("The new file.")
        num_keys: int = prop("How many keys there are.")
        processed_items_total: int = prop("How many rows were read.")
        dropped_items_total: int = prop("How many of them were dropped.")

    def run(self, ctx: RunContext) -> Output:
        last: dict[bytes, int] = {}
        processed = 0
        with ctx.storage.open(self.from_) as source:
            for number, line in rows(source):
                processed += 1
                key = ctx.render(self.expr, row_of(ctx, line, number))
                last[hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()] = number
        kept = array("Q", sorted(last.values()))
        unique = ctx.working_dir / "unique"
        with ctx.storage.open(self.from_) as source, unique.open("wb") as target:
            waiting = iter(kept)
            wanted = next(waiting, None)
            for number, line in rows(source):
                if number == wanted:
                    target.write(line + b"\n")
                    wanted = next(waiting, None)
        uri = ctx.storage.put(unique, f"unique{PurePosixPath(self.from_).suffix}").uri
        return self.Output(
            uri=uri, num_keys=len(kept), processed_items_total=processed, dropped_items_total=processed - len(kept)
        )


def rows(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(number of the line from 1, its text) of every line that is not empty."""
    for number, line in enumerate(source, 1):
        if text := line.strip():
            yield number, text


def row_of(ctx: RunContext, line: bytes, number: int) -> dict[str, Any]:
    """The fields of a row; what is no JSON is read as Ion. Raises Invalid."""
    try:
        row = json.loads(line)
    except ValueError as error:
        row = _ion_row(ctx, line, number, str(error))
    if not isinstance(row, dict):
        raise Invalid("this row has no fields", where=f"row {number}", expected=_A_ROW)
    return row


def _ion_row(ctx: RunContext, line: bytes, number: int, why: str) -> Any:
    try:
        return ctx.render("{{ fromIon(row) }}", {"row": line.decode()}, typed=True)
    except (TailraceError, UnicodeDecodeError):
        raise Invalid(f"this is not a row: {why}", where=f"row {number}", expected=_A_ROW) from None
