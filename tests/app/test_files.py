"""Internal storage and namespace files, as people look at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.app import App
from core.errors import Forbidden, Invalid, NotFound, Unreachable
from core.host.views import FilePreview
from core.sdk.storage import StorageBackend

LARGE = 300_000


def stored(app: App, tmp_path: Path, name: str, content: bytes) -> str:
    path = tmp_path / "source"
    path.write_bytes(content)
    return app.files.put(path, "company.team", name).uri


@pytest.mark.parametrize(
    ("name", "content", "kind", "columns", "rows", "text"),
    [
        ("a.csv", b'x,y\r\n1,"two\nlines"\r\n3,4\r\n', "table", ("x", "y"), (("1", "two\nlines"), ("3", "4")), ""),
        ("a.csv", b"", "table", (), (), ""),
        ("a.jsonl", b'{"a":1}\n\n{"b":[2]}\n', "table", ("a", "b"), ((1, None), (None, [2])), ""),
        ("a.jsonl", '{"a":"one\u2028line"}\n'.encode(), "table", ("a",), (("one\u2028line",),), ""),
        ("a.ndjson", b"1\ntrue", "table", ("value",), ((1,), (True,)), ""),
        ("a.ion", b"{a: 1}\n", "text", (), (), "{a: 1}"),
        ("a.json", b'{"a": 1}', "json", (), (), '{"a": 1}'),
        ("a.txt", "ünï\n".encode(), "text", (), (), "ünï"),
        ("a.txt", b"caf\xe9", "binary", (), (), ""),
        ("a.bin", b"\0\xff\xfe" * 50, "binary", (), (), ""),
        ("a.txt", b"", "text", (), (), ""),
    ],
)  # fmt: skip
def test_a_preview_shows_what_the_file_is(
    app: App, tmp_path: Path, name: str, content: bytes, kind: str, columns: tuple[str, ...], rows: tuple[object, ...],
    text: str,
) -> None:  # fmt: skip
    preview = app.files.preview(stored(app, tmp_path, name, content))
    assert (preview.kind, preview.columns, preview.rows, preview.text) == (kind, columns, rows, text)
    assert preview.size == len(content)


def test_rows_beyond_the_limit_are_left_out_and_said_so(app: App, tmp_path: Path) -> None:
    uri = stored(app, tmp_path, "a.csv", b"x\n" + b"1\n" * 30)
    assert app.files.preview(uri, rows=3) == FilePreview(uri, 62, "table", ("x",), (("1",),) * 3, truncated=True)
    assert not app.files.preview(uri, rows=30).truncated


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.txt"])
def test_a_large_file_is_shown_from_its_beginning(app: App, tmp_path: Path, name: str) -> None:
    content = ('{"a":"é"}\n' * (LARGE // 11)).encode()
    preview = app.files.preview(stored(app, tmp_path, name, content))
    assert preview.truncated
    assert len(preview.rows) in (0, 20)


def test_a_field_beyond_all_measure_is_shown_as_text(app: App, tmp_path: Path) -> None:
    preview = app.files.preview(stored(app, tmp_path, "a.csv", b"x\n" + b"y" * 200_000 + b"\n"))
    assert (preview.kind, preview.truncated) == ("text", True)


def test_namespace_files_are_stored_listed_and_replaced(app: App, tmp_path: Path) -> None:
    uri = stored(app, tmp_path, "sql/q.sql", b"one")
    assert uri == "storage:///company/team/_files/sql/q.sql"
    assert stored(app, tmp_path, "/sql/q.sql", b"second") == uri
    with app.files.open(uri) as source:
        assert source.read() == b"second"
    assert [(file.uri, file.size) for file in app.files.list("storage:///company")] == [(uri, 6)]
    assert app.files.stat(uri.replace("storage:", "kestra:")).uri == uri


def test_a_file_is_lent_where_it_lies(app: App, tmp_path: Path) -> None:
    uri = stored(app, tmp_path, "data/a.csv", b"x\n1\n")
    with app.files.local(uri) as path, app.files.local(uri.replace("storage:", "kestra:")) as again:
        assert (path.read_bytes(), path.suffix, again) == (b"x\n1\n", ".csv", path)
    assert path.is_file()
    with pytest.raises(NotFound), app.files.local("storage:///nope"):
        pass


def test_a_file_that_lies_elsewhere_is_lent_as_a_copy(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = stored(app, tmp_path, "a.parquet", b"content")
    monkeypatch.setattr(type(app.storage), "local_path", StorageBackend.local_path)
    with app.files.local(uri) as path:
        assert (path.read_bytes(), path.suffix) == (b"content", ".parquet")
        assert app.settings.home not in path.parents
    assert not path.exists()
    with pytest.raises(NotFound), app.files.local("storage:///nope"):
        pass


def test_wrong_names_and_places_are_refused_in_words(app: App, tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as missing:
        app.files.put(tmp_path / "nope", "a", "f")
    assert str(missing.value) == f"there is no file `{tmp_path}/nope`"
    with pytest.raises(Forbidden) as out:
        stored(app, tmp_path, "../f", b"")
    assert str(out.value) == "`../f` is not a path inside the storage\n  expected: a relative path without `..`"
    with pytest.raises(Invalid) as no_uri:
        app.files.open("/etc/passwd")
    assert str(no_uri.value) == "`/etc/passwd` is not a storage URI\n  expected: storage:///path/of/the/file"
    with pytest.raises(NotFound):
        app.files.preview("storage:///nope")
