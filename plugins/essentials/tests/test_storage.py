from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from core.sdk import Invalid, NotFound, TailraceError
from core.testing import run_flow, run_task, temporary_app
from core.testing.plain_context import PlainContext
from tailrace_essentials.storage_files import Concat, Delete, LocalFiles, PurgeCurrentExecutionFiles, Size, Write
from tailrace_essentials.storage_items import DeduplicateItems, FilterItems
from tailrace_essentials.storage_lines import Reverse, Split, lines_backwards, size_of


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path)


def stored(ctx: PlainContext, content: bytes, name: str = "data.csv") -> str:
    return ctx.storage.put(io.BytesIO(content), name).uri


def read(ctx: PlainContext, uri: str) -> bytes:
    with ctx.storage.open(uri) as source:
        return source.read()


# Whole files


def test_concat_writes_the_separator_after_every_file(ctx: PlainContext) -> None:
    files = [stored(ctx, b"a"), stored(ctx, b"b\n")]
    output = Concat(files=files, separator="--").run(ctx)
    assert (read(ctx, output.uri), output.uri.endswith("/concat.tmp")) == (b"a--b\n--", True)
    output = Concat(files=files, extension=".csv").run(ctx)
    assert (read(ctx, output.uri), output.uri.endswith("/concat.csv")) == (b"ab\n", True)


def test_concat_takes_the_json_text_of_a_list() -> None:
    run = run_task({"type": "storage.Concat", "files": '["{{ inputs.a }}"]'}, inputs={"a": Path(__file__)})
    assert list(run.files.values()) == [Path(__file__).read_bytes()]


@pytest.mark.parametrize(("extension", "name"), [(None, "content"), (".txt", "content.txt"), ("txt", "content.txt")])
def test_write(ctx: PlainContext, extension: str | None, name: str) -> None:
    uri = Write(content="héllo", extension=extension).run(ctx).uri
    assert (uri.rpartition("/")[2], read(ctx, uri)) == (name, "héllo".encode())


def test_size(ctx: PlainContext) -> None:
    assert Size(uri=stored(ctx, b"12345")).run(ctx).size == 5


def test_delete_says_whether_it_was_there(ctx: PlainContext) -> None:
    uri = stored(ctx, b"a")
    assert vars(Delete(uri=uri).run(ctx)) == {"uri": uri, "deleted": True}
    assert vars(Delete(uri=uri).run(ctx)) == {"uri": uri, "deleted": False}
    with pytest.raises(NotFound) as caught:
        Delete(uri=uri, error_on_missing=True).run(ctx)
    assert str(caught.value) == f"Unable to find file '{uri}'"


def test_purge_of_an_executions_files(ctx: PlainContext) -> None:
    uris = [stored(ctx, b"a"), stored(ctx, b"b")]
    assert PurgeCurrentExecutionFiles().run(ctx).uris == uris
    assert ctx.storage.own() == []


def test_local_files_are_written_and_stored(ctx: PlainContext) -> None:
    uri = stored(ctx, b"from storage")
    output = LocalFiles(inputs={"a.txt": "text", "sub/b.txt": uri}, outputs=["**.txt"]).run(ctx)
    assert {name: read(ctx, uri) for name, uri in output.uris.items()} == {
        "a.txt": b"text", "sub/b.txt": b"from storage",
    }  # fmt: skip


# Lines


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ({"rows": 2}, [b"a\nb\n", b"c\nd\n", b"e\n"]),
        ({"rows": 9}, [b"a\nb\nc\nd\ne\n"]),
        ({"partitions": 2}, [b"a\nc\ne\n", b"b\nd\n"]),
        ({"partitions": 9}, [b"a\n", b"b\n", b"c\n", b"d\n", b"e\n"]),
        ({"bytes_": "3"}, [b"a\nb\n", b"c\nd\n", b"e\n"]),
        ({"bytes_": "3", "partitions": 1, "rows": 1}, [b"a\nb\n", b"c\nd\n", b"e\n"]),
        ({"partitions": 1, "rows": 1}, [b"a\nb\nc\nd\ne\n"]),
        ({"rows": 3, "separator": "|"}, [b"a|b|c|", b"d|e|"]),
    ],
)
def test_split(ctx: PlainContext, how: dict[str, Any], parts: list[bytes]) -> None:
    output = Split(from_=stored(ctx, b"a\nb\r\nc\nd\ne"), **how).run(ctx)
    assert [read(ctx, uri) for uri in output.uris] == parts
    assert output.uris[0].endswith("/part-1.csv")


def test_an_empty_file_has_no_parts(ctx: PlainContext) -> None:
    assert Split(from_=stored(ctx, b""), rows=2).run(ctx).uris == []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "Invalid configuration with no size, count, nor rows\n  expected: bytes, partitions, rows"),
        ({"rows": 0}, "$.rows: `rows` is less than 1"),
        ({"partitions": 501}, "$.partitions: 501 partitions are too many\n  expected: at most 500"),
        (
            {"bytes_": "ten"},
            "$.bytes: `ten` is not a size\n  expected: a number of bytes such as 512, 10KB, 10MB",
        ),
    ],
)
def test_split_says_what_is_wrong(ctx: PlainContext, how: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        Split(from_=stored(ctx, b"a"), **how).run(ctx)
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "size"), [("512", 512), ("10KB", 10240), ("1 mb", 1 << 20), ("2GiB", 2 << 30)])
def test_sizes_are_powers_of_1024(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b""), (b"a", b"a\n"), (b"a\n", b"a\n"), (b"a\nb\nc\n", b"c\nb\na\n"), (b"a\r\nb", b"b\na\n"),
        (b"\n\na", b"a\n\n\n"), (b"a\n\n", b"\na\n"),
    ],
)  # fmt: skip
def test_reverse(ctx: PlainContext, content: bytes, expected: bytes) -> None:
    uri = Reverse(from_=stored(ctx, content)).run(ctx).uri
    assert (read(ctx, uri), uri.endswith("/reversed.csv")) == (expected, True)


def test_lines_longer_than_a_block_are_reversed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailrace_essentials.storage_lines.BLOCK", 4)
    content = b"first line\nb\n\nthe third, which is long\r\n"
    assert list(lines_backwards(io.BytesIO(content))) == [b"the third, which is long", b"", b"b", b"first line"]


@pytest.mark.parametrize(
    ("charset", "message"),
    [
        (
            "UTF-16",
            "$.charset: lines can't be found from the end of a file in UTF-16\n  expected: UTF-8",
        ),
        ("UTF-99", "$.charset: `UTF-99` is not a charset\n  expected: UTF-8"),
    ],
)
def test_reverse_says_which_charsets_it_can_not_read(ctx: PlainContext, charset: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        Reverse(from_=stored(ctx, b"a"), charset=charset).run(ctx)
    assert str(caught.value) == message


def test_large_files_take_constant_memory(ctx: PlainContext) -> None:
    big = ctx.working_dir / "big"
    with big.open("wb") as target:
        for _ in range(64):
            target.write(b"x" * 99 * 1024 + b"\n" * 1024)
            target.write(b"y" * 1023 * 1024 + b"\n")
    uri = ctx.storage.put(big, "big.txt").uri
    tracemalloc.start()
    Reverse(from_=uri).run(ctx)
    Concat(files=[uri, uri]).run(ctx)
    Split(from_=uri, partitions=3).run(ctx)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


# Rows

ROWS = [{"id": 1, "n": 5}, {"id": 2, "n": None}, {"id": 1, "n": 7}, {"id": 3}]


def items(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def filtered(task: dict[str, Any], rows: bytes = items(*ROWS)) -> tuple[str, Any, list[bytes]]:
    with temporary_app() as app:
        uri = app.storage.put(app.settings.organization, "a/rows.jsonl", io.BytesIO(rows)).uri
        app.records.save_namespace_file(app.settings.organization, "tests", "rows.jsonl", uri, 1, "", 1)
        run = run_task({"from": uri, **task}, app=app)
        return run.error, run.output, list(run.files.values())


@pytest.mark.parametrize(
    ("condition", "how", "kept"),
    [
        ("{{ id == 1 }}", {}, [0, 2]),
        ("{{ id == 1 }}", {"filterType": "EXCLUDE"}, [1, 3]),
        ("{{ n > 5 }}", {"errorOrNullBehavior": "INCLUDE"}, [2, 3]),
        ("{{ n > 5 }}", {"errorOrNullBehavior": "EXCLUDE"}, [2]),
        ("{{ n }}", {"errorOrNullBehavior": "EXCLUDE", "filterType": "EXCLUDE"}, []),
    ],
)
def test_filter_items(condition: str, how: dict[str, Any], kept: list[int]) -> None:
    error, output, files = filtered({"type": "storage.FilterItems", "filterCondition": condition, **how})
    assert (error, files) == ("", [items(*(ROWS[index] for index in kept))])
    assert (output["processedItemsTotal"], output["droppedItemsTotal"]) == (4, 4 - len(kept))


def test_a_condition_that_can_not_be_told_fails_the_task() -> None:
    error, _, _ = filtered({"type": "storage.FilterItems", "filterCondition": "{{ id }}"})
    assert error == "row 1: the condition gives `1`\n  expected: true or false"
    error, _, _ = filtered({"type": "storage.FilterItems", "filterCondition": "{{ nope.a }}"})
    assert error.startswith("row 1: ")


def test_rows_may_be_ion_text() -> None:
    ion = b"{id:1,day:2024-02-29}\n{id:2,day:null}\n{'id':1,\"day\":\"x\"}\n"

    error, _, files = filtered({"type": "storage.FilterItems", "filterCondition": "{{ id == 1 }}"}, ion)
    assert (error, files) == ("", [b"{id:1,day:2024-02-29}\n{'id':1,\"day\":\"x\"}\n"])
    error, output, _ = filtered({"type": "storage.DeduplicateItems", "expr": "{{ id }}"}, ion)
    assert (error, output["numKeys"], output["droppedItemsTotal"]) == ("", 2, 1)


def test_what_is_not_a_row_fails_the_task_whatever_becomes_of_its_condition() -> None:
    error, _, _ = filtered(
        {"type": "storage.FilterItems", "filterCondition": "{{ id == 1 }}", "errorOrNullBehavior": "EXCLUDE"},
        b'{"id": 1}\n[1, 2]\n',
    )
    assert error == "row 2: this row has no fields\n  expected: a JSON object, or an Ion struct"


def test_deduplicate_keeps_the_last_row_of_each_key_in_order() -> None:
    _, output, files = filtered({"type": "storage.DeduplicateItems", "expr": "{{ id }}"})
    assert files == [items(ROWS[1], ROWS[2], ROWS[3])]
    del output["uri"]
    assert output == {"numKeys": 3, "processedItemsTotal": 4, "droppedItemsTotal": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n\n{a:\n', "row 3: this is not a row: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n  expected: a JSON object, or an Ion struct"),
        (b"5\n", "row 1: this row has no fields\n  expected: a JSON object, or an Ion struct"),
    ],
)  # fmt: skip
def test_what_is_not_a_row_is_told(ctx: PlainContext, content: bytes, message: str) -> None:
    for task in (
        FilterItems(from_=stored(ctx, content), filter_condition="true"),
        DeduplicateItems(from_=stored(ctx, content), expr="k"),
    ):
        with pytest.raises(TailraceError) as caught:
            task.run(ctx)
        assert str(caught.value) == message


# In flows

FILES = """
id: files
namespace: company.team
tasks:
  - {id: write, type: storage.Write, content: "a\\nb\\n", extension: .txt}
  - {id: size, type: storage.Size, uri: "{{ outputs.write.uri }}"}
  - {id: reverse, type: io.kestra.core.tasks.storages.Reverse, from: "{{ outputs.write.uri }}"}
  - {id: read, type: debug.Return, format: "{{ read(outputs.reverse.uri) }}"}
  - {id: delete, type: storage.Delete, uri: "{{ outputs.write.uri }}"}
  - {id: again, type: storage.Delete, uri: "{{ outputs.write.uri }}"}
  - {id: purge, type: storage.PurgeCurrentExecutionFiles}
"""


def test_files_of_an_execution_are_written_read_and_removed() -> None:
    with temporary_app() as app:
        run = run_flow(FILES, app=app)
        assert (run.state, run.error) == ("SUCCESS", "")
        assert run.tasks["size"].output == {"size": 4}
        assert run.tasks["read"].output == {"value": "b\na\n"}
        assert [run.tasks[name].output["deleted"] for name in ("delete", "again")] == [True, False]
        assert run.tasks["purge"].output == {"uris": [run.tasks["reverse"].output["uri"]]}
        assert run.files == {}
        assert app.records.own_files(app.settings.organization, run.id) == ()


def test_a_file_of_a_namespace_is_not_deleted_as_a_file() -> None:
    with temporary_app() as app:
        uri = app.files.put(Path(__file__), "tests", "a.py").uri
        run = run_task(Delete(uri=uri), app=app)
        assert run.error == f"`{uri}` is a file of a namespace\n  to do: remove it with namespace.DeleteFiles"
        assert app.files.stat(uri).size > 0
