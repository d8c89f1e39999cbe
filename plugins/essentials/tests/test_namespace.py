from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.app import App
from core.sdk import Conflict, Invalid
from core.testing import run_flow, run_task, temporary_app
from core.testing.plain_context import PlainContext
from tailrace_essentials.namespace import DeleteFiles, DownloadFiles, PurgeFiles, UploadFiles, VersionBehavior


@pytest.fixture
def app() -> Iterator[App]:
    with temporary_app() as made:
        yield made


@pytest.fixture
def ctx(tmp_path: Path) -> PlainContext:
    made = PlainContext(tmp_path)
    (made.working_dir / "sql").mkdir()
    (made.working_dir / "sql" / "a.sql").write_text("a")
    (made.working_dir / "b.txt").write_text("b")
    return made


def test_upload_takes_files_of_the_working_directory(ctx: PlainContext) -> None:
    output = UploadFiles(namespace="company", files=["**"], destination="/in/").run(ctx)
    assert ctx.namespace_store.contents == {("company", "in/sql/a.sql"): b"a", ("company", "in/b.txt"): b"b"}
    assert sorted(output.files) == ["in/b.txt", "in/sql/a.sql"]


def test_what_is_there_already_is_replaced_kept_or_a_failure(ctx: PlainContext) -> None:
    ctx.namespace_store.contents["company", "b.txt"] = b"old"
    with pytest.raises(Conflict) as caught:
        UploadFiles(namespace="company", files=["*.txt"], conflict="ERROR").run(ctx)
    assert str(caught.value) == "the namespace `company` has a file `b.txt` already"
    UploadFiles(namespace="company", files=["*.txt"], conflict="SKIP").run(ctx)
    assert ctx.namespace_store.contents == {("company", "b.txt"): b"old"}
    assert ctx.log.lines == [("INFO", "The file `b.txt` is there already; it was left as it is")]
    UploadFiles(namespace="company", files=["*.txt"]).run(ctx)
    assert ctx.namespace_store.contents == {("company", "b.txt"): b"b"}


def test_files_map_is_refused() -> None:
    run = run_task({"type": "namespace.UploadFiles", "namespace": "a", "files": [], "filesMap": {}})
    assert run.error.startswith("$.filesMap: there is no property `filesMap`")


def test_download_gives_what_matches(ctx: PlainContext) -> None:
    ctx.namespace_store.contents.update({("a", "x.sql"): b"x", ("a", "sub/y.sql"): b"y", ("a", "z.txt"): b"z"})
    output = DownloadFiles(namespace="a", files="**/*.sql", destination="got").run(ctx)
    assert sorted(output.files) == ["got/sub/y.sql", "got/x.sql"]
    assert DownloadFiles(namespace="a", files=["/z.txt", "nope"]).run(ctx).files.keys() == {"z.txt"}
    assert [(metric.name, metric.value) for metric in ctx.metrics] == [("downloaded", 2), ("downloaded", 1)]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("{{ ['x.sql', 'z*'] }}", {"x.sql", "z.txt"}),
        ('["x.sql"]', {"x.sql"}),
        ("{{ [] }}", set()),
        ("[xyz].sql", {"x.sql"}),
        ("[1]", {"1"}),
    ],
)
def test_an_expression_may_give_the_list_of_files(app: App, files: str, found: set[str]) -> None:
    task = {"type": "namespace.DownloadFiles", "namespace": "{{ flow.namespace }}", "files": files}
    run = run_task(task, files={"x.sql": "x", "z.txt": "z", "1": "one"}, app=app)
    assert run.output["files"].keys() == found


def test_delete_counts(ctx: PlainContext) -> None:
    ctx.namespace_store.contents.update({("a", "x.sql"): b"x", ("a", "sub/y.sql"): b"y"})
    DeleteFiles(namespace="a", files=["sub/**"]).run(ctx)
    assert list(ctx.namespace_store.contents) == [("a", "x.sql")]
    assert [(metric.name, metric.value) for metric in ctx.metrics] == [("deleted", 1)]


def test_of_a_file_the_newest_version_is_the_only_one(ctx: PlainContext) -> None:
    ctx.namespace_store.contents.update({("a", "x.sql"): b"x", ("a", "y.txt"): b"y"})
    assert PurgeFiles(namespaces=["a"]).run(ctx).size == 0
    assert ctx.log.lines == [("INFO", "Nothing to purge: earlier versions of namespace files are not kept")]
    purge = PurgeFiles(namespaces=["a"], file_pattern="*.sql", behavior=VersionBehavior(type_="version"))
    assert purge.run(ctx).size == 1
    assert list(ctx.namespace_store.contents) == [("a", "y.txt")]
    with pytest.raises(Invalid) as caught:
        VersionBehavior(type_="version", keep_amount=0)
    assert str(caught.value) == "`keepAmount` is less than 1\n  expected: a number of versions to keep"


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({"namespaces": ["a"]}, ["ab"]),
        ({"namespaces": ["a"], "include_child_namespaces": False}, ["a.b", "ab"]),
        ({"namespace_pattern": "a*"}, []),
        ({"namespace_pattern": "*.b"}, ["a", "ab"]),
        ({}, []),
    ],
)
def test_purge_of_files_by_namespace(ctx: PlainContext, which: dict[str, Any], left: list[str]) -> None:
    ctx.namespace_store.contents.update({("a", "x"): b"x", ("a.b", "x"): b"x", ("ab", "x"): b"x"})
    assert PurgeFiles(behavior=VersionBehavior(type_="version"), **which).run(ctx).size == 3 - len(left)
    assert ctx.namespace_store.namespaces() == left


def test_purge_of_files_takes_names_or_a_pattern(ctx: PlainContext) -> None:
    with pytest.raises(Invalid) as caught:
        PurgeFiles(namespaces=["a"], namespace_pattern="b*").run(ctx)
    assert str(caught.value) == "`namespaces` and `namespacePattern` are both given\n  expected: one of them"


FLOW = """
id: files
namespace: company.team
tasks:
  - id: upload
    type: templating.TemplatedTask
    spec: |
      type: scripts.shell.Commands
      commands: [echo made > made.txt]
      outputFiles: [made.txt]
  - {id: down, type: namespace.DownloadFiles, namespace: company.team, files: ["*.sql"]}
  - {id: shown, type: debug.Return, format: "{{ read(outputs.down.files['a.sql']) }}"}
  - {id: delete, type: namespace.DeleteFiles, namespace: company.team, files: a.sql}
  - {id: again, type: namespace.DownloadFiles, namespace: company.team, files: ["**"]}
"""


def test_files_of_a_namespace_are_read_and_removed(app: App, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    uri = app.files.put(tmp_path / "a.sql", "company.team", "a.sql").uri
    run = run_flow(FLOW, app=app)
    assert (run.state, run.error) == ("SUCCESS", "")
    assert run.tasks["shown"].output == {"value": "SELECT 1"}
    assert run.tasks["again"].output == {"files": {}}
    assert app.records.namespace_files(app.settings.organization, "company.team") == ()
    assert [file.uri for file in app.files.list("storage:///company/team/_files")] == []
    assert uri == "storage:///company/team/_files/a.sql"


def test_files_beside_the_flow_are_read_but_not_removed(app: App) -> None:
    flow = FLOW.replace("files: a.sql", 'files: "*.sql"')
    run = run_flow(flow, files={"a.sql": "SELECT 2"}, app=app)
    assert run.tasks["shown"].output == {"value": "SELECT 2"}
    assert run.tasks["delete"].error.endswith(
        "the file `a.sql` lies in the folder of the flow that is run\n  expected: a file of the namespace that is stored"
    )


UPLOAD = """
id: upload
namespace: company.team
tasks:
  - id: together
    type: flow.WorkingDirectory
    tasks:
      - {id: make, type: storage.LocalFiles, inputs: {made.txt: "made by {{ flow.id }}"}}
      - {id: up, type: namespace.UploadFiles, namespace: company.team, files: ["*.txt"], destination: out}
  - {id: shown, type: debug.Return, format: "{{ read('out/made.txt') }}"}
"""


def test_files_of_a_working_directory_become_those_of_the_namespace(app: App) -> None:
    run = run_flow(UPLOAD, app=app)
    assert (run.state, run.error) == ("SUCCESS", "")
    assert run.tasks["shown"].output == {"value": "made by upload"}
    found = app.records.namespace_files(app.settings.organization, "company.team")
    assert found == (("out/made.txt", "storage:///company/team/_files/out/made.txt"),)
