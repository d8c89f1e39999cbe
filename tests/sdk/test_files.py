from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import Forbidden, Invalid, NotFound, TailraceError
from core.sdk.files import collect_files, inside, matching, store_output, write_input_files
from core.testing.plain_context import PlainContext

OUT = " is not the name of a file inside the task's directory\n  expected: a relative path without `..`"


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    return PlainContext(tmp_path)


def message(kind: type[TailraceError], call: object, *arguments: object) -> str:
    assert callable(call)
    with pytest.raises(kind) as caught:
        call(*arguments)
    return str(caught.value)


class TestInside:
    @pytest.mark.parametrize("name", ["a", "a/b.csv", "./a", ".hidden", "a b", "ünï", "a/./b"])
    def test_relative_names_are_below_the_directory(self, tmp_path: Path, name: str) -> None:
        assert inside(tmp_path, name) == tmp_path / name

    @pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/../b", "/etc/passwd", "a\\b", "a\nb", "a\0b"])
    def test_names_that_lead_out_are_refused(self, tmp_path: Path, name: str) -> None:
        assert message(Forbidden, inside, tmp_path, name) == f"`{name}`{OUT}"

    def test_links_that_lead_out_are_refused(self, tmp_path: Path) -> None:
        directory = tmp_path / "work"
        directory.mkdir()
        (directory / "up").symlink_to(tmp_path)
        (directory / "passwd").symlink_to("/etc/passwd")
        for name in ("up", "up/a", "passwd"):
            assert message(Forbidden, inside, directory, name) == (
                f"`{name}` leads out of the task's directory through a symbolic link\n"
                "  expected: a file inside the directory"
            )

    def test_links_within_the_directory_are_followed(self, tmp_path: Path) -> None:
        (tmp_path / "dir").mkdir()
        (tmp_path / "link").symlink_to("dir")
        assert inside(tmp_path, "link/a") == tmp_path / "dir/a"


class TestInputFiles:
    def test_texts_and_stored_files_are_written(self, ctx: PlainContext) -> None:
        source = ctx.working_dir / "source"
        source.write_bytes(b"\x00stored")
        uri = ctx.storage.put(source, "stored.bin").uri
        files = {"a.txt": "text", "dir/b.bin": uri, "c.bin": uri.replace("storage:", "kestra:"), "none.txt": None}
        assert write_input_files(ctx, files, ctx.working_dir) == ["a.txt", "dir/b.bin", "c.bin"]
        assert (ctx.working_dir / "a.txt").read_bytes() == b"text"
        assert (ctx.working_dir / "dir/b.bin").read_bytes() == b"\x00stored"
        assert (ctx.working_dir / "c.bin").read_bytes() == b"\x00stored"
        assert not (ctx.working_dir / "none.txt").exists()

    def test_the_map_may_be_json_text(self, ctx: PlainContext) -> None:
        assert write_input_files(ctx, '{"a": "é\\n"}', ctx.working_dir) == ["a"]
        assert (ctx.working_dir / "a").read_bytes() == "é\n".encode()

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
            (1.5, "1.5"),
            (False, "false"),
            ([date(2024, 2, 29), timedelta(minutes=1), Decimal("1.10")], '["2024-02-29", "PT1M", "1.10"]'),
            (b"bytes", "bytes"),
        ],
    )
    def test_other_values_are_their_json_text(self, ctx: PlainContext, content: object, text: str) -> None:
        write_input_files(ctx, {"a": content}, ctx.working_dir)
        assert (ctx.working_dir / "a").read_text() == text

    def test_an_existing_file_is_replaced_and_not_written_through(self, ctx: PlainContext, tmp_path: Path) -> None:
        (tmp_path / "stored").write_text("stored")
        (ctx.working_dir / "a").hardlink_to(tmp_path / "stored")
        write_input_files(ctx, {"a": "new"}, ctx.working_dir)
        assert ((ctx.working_dir / "a").read_text(), (tmp_path / "stored").read_text()) == ("new", "stored")

    def test_what_is_no_map_is_refused(self, ctx: PlainContext) -> None:
        assert message(Invalid, write_input_files, ctx, "a: b", ctx.working_dir) == (
            "`inputFiles` is a text that is not JSON\n  expected: a map of file names"
        )
        assert message(Invalid, write_input_files, ctx, "[1]", ctx.working_dir) == (
            "`inputFiles` is of type list\n  expected: a map of file names"
        )

    def test_names_that_can_not_be_files_are_refused(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "dir").mkdir()
        (ctx.working_dir / "file").write_text("x")
        assert message(Invalid, write_input_files, ctx, {"dir": "x"}, ctx.working_dir) == (
            "the input file `dir` has the name of a directory\n  expected: a name of its own"
        )
        for name in ("file/a", "file/b/c"):
            assert message(Invalid, write_input_files, ctx, {name: "x"}, ctx.working_dir) == (
                f"the input file `{name}` would lie below another file\n  expected: a directory"
            )
        assert message(Forbidden, write_input_files, ctx, {"../a": "x"}, ctx.working_dir) == f"`../a`{OUT}"

    def test_a_stored_file_that_is_not_there_is_missed(self, ctx: PlainContext) -> None:
        with pytest.raises(NotFound):
            write_input_files(ctx, {"a": "storage:///nothing"}, ctx.working_dir)


class TestStoreOutput:
    def test_a_file_is_moved_under_its_relative_name(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "dir").mkdir()
        (ctx.working_dir / "dir/a.csv").write_text("x")
        uri = store_output(ctx, ctx.working_dir, "./dir/a.csv")
        assert uri.endswith("/dir/a.csv")
        with ctx.storage.open(uri) as stream:
            assert stream.read() == b"x"
        assert not (ctx.working_dir / "dir/a.csv").exists()

    def test_a_file_reached_through_a_link_is_copied(self, ctx: PlainContext) -> None:
        (ctx.working_dir / "a").write_text("x")
        (ctx.working_dir / "link").symlink_to("a")
        first, second = (store_output(ctx, ctx.working_dir, name) for name in ("link", "a"))
        for uri in (first, second):
            with ctx.storage.open(uri) as stream:
                assert stream.read() == b"x"

    @pytest.mark.parametrize("name", ["nothing", "dir"])
    def test_what_is_no_file_is_missed(self, ctx: PlainContext, name: str) -> None:
        (ctx.working_dir / "dir").mkdir()
        assert message(NotFound, store_output, ctx, ctx.working_dir, name) == (
            f"the output file `{name}` was not written\n  to do: write it or don't ask for it"
        )

    def test_a_link_that_leads_out_is_refused(self, ctx: PlainContext, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("x")
        (ctx.working_dir / "link").symlink_to(tmp_path / "secret")
        assert message(Forbidden, store_output, ctx, ctx.working_dir, "link") == (
            "`link` leads out of the task's directory through a symbolic link\n  expected: a file inside the directory"
        )


FILES = (".env", "a.csv", "b.txt", "dir/a.csv", "dir/deep/b.csv", "x1.csv", "x2.csv", "we{i}rd[1].csv")


class TestPatterns:
    @pytest.mark.parametrize(
        ("patterns", "names"),
        [
            (["a.csv"], ["a.csv"]),
            (["*.csv"], ["a.csv", "we{i}rd[1].csv", "x1.csv", "x2.csv"]),
            (["**.csv"], ["a.csv", "dir/a.csv", "dir/deep/b.csv", "we{i}rd[1].csv", "x1.csv", "x2.csv"]),
            (["**/*.csv"], ["a.csv", "dir/a.csv", "dir/deep/b.csv", "we{i}rd[1].csv", "x1.csv", "x2.csv"]),
            (["dir/*"], ["dir/a.csv"]),
            (["dir/**"], ["dir/a.csv", "dir/deep/b.csv"]),
            (["x?.csv"], ["x1.csv", "x2.csv"]),
            (["x[!1].csv"], ["x2.csv"]),
            (["x[0-1].csv"], ["x1.csv"]),
            (["{a,b}.{csv,txt}"], ["a.csv", "b.txt"]),
            (["b.txt", "a.csv", "*.txt"], ["a.csv", "b.txt"]),
            (["we\\{i\\}rd\\[1\\].csv"], ["we{i}rd[1].csv"]),
            (["glob:*.txt"], ["b.txt"]),
            (["./b.txt"], ["b.txt"]),
            ([".*"], [".env"]),
            (["nothing*"], []),
            (["dir"], []),
            (["dir?a.csv", "dir[/]a.csv"], []),
            ([], []),
        ],
    )
    def test_patterns_choose_files(self, tmp_path: Path, patterns: list[str], names: list[str]) -> None:
        for name in FILES:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("x")
        assert collect_files(tmp_path, patterns) == names
        assert collect_files(tmp_path, [f"{tmp_path}/{pattern.removeprefix('glob:')}" for pattern in patterns]) == names

    def test_names_are_chosen_in_their_order(self) -> None:
        assert matching(["b.sql", "dir/a.sql", "a.py"], ["/*.sql", "**/a.*"]) == ["b.sql", "dir/a.sql", "a.py"]

    def test_links_to_directories_are_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "dir").mkdir()
        (tmp_path / "dir/a").write_text("x")
        (tmp_path / "link").symlink_to("dir")
        (tmp_path / "dangling").symlink_to("nothing")
        assert collect_files(tmp_path, ["**"]) == ["dir/a"]

    @pytest.mark.parametrize("pattern", ["../*", "a/../../b", "/etc/*"])
    def test_patterns_that_lead_out_are_refused(self, tmp_path: Path, pattern: str) -> None:
        assert message(Forbidden, collect_files, tmp_path, [pattern]) == (
            f"the pattern `{pattern}` leads out of the task's directory\n  expected: a relative pattern without `..`"
        )

    def test_patterns_that_can_not_be_read_are_refused(self, tmp_path: Path) -> None:
        assert message(Invalid, collect_files, tmp_path, ["{a,b"]) == (
            "the pattern `{a,b` has a `{` that is not closed\n  expected: a pattern like `*.{csv,txt}`"
        )
        assert message(Invalid, collect_files, tmp_path, ["regex:.*"]) == (
            "the pattern `regex:.*` is a regular expression\n  expected: a pattern like `**/*.csv`"
        )
