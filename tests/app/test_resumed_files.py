"""Files that people give to a task that waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.app import App
from core.errors import InvalidInput, NotFound
from core.host.views import ExecutionFilter, ExecutionView
from core.testing import temporary_app

FLOW = """
id: asks
namespace: company.team
inputs: [{id: data, type: FILE}]
tasks:
  - {id: first, type: flow.Pause, onResume: [{id: data, type: FILE}]}
  - {id: second, type: flow.Pause, onResume: [{id: data, type: FILE, required: false}, {id: note, type: STRING}]}
  - id: all
    type: debug.Return
    format: "{{ read(inputs.data) }} {{ read(outputs.first.onResume.data) }} {{ read(outputs.second.onResume.data) }}"
"""


def named(folder: Path, text: str) -> Path:
    """A file of this name in a folder of its own."""
    path = folder / text / "rows.csv"
    path.parent.mkdir()
    path.write_text(text)
    return path


def ended(app: App, folder: Path) -> ExecutionView:
    """One whose three files all have the same name."""
    view = app.run(FLOW, {"data": str(named(folder, "input"))})
    app.executions.resume(view.id, {"data": str(named(folder, "first"))})
    app.executions.run(view.id)
    app.executions.resume(view.id, {"note": "x"}, task_name="second", files={"data": named(folder, "second")})
    return app.executions.run(view.id)


def uris(app: App, view: ExecutionView) -> list[str]:
    given = [app.outputs.value(f"{view.id}/{task}")["onResume"]["data"] for task in ("first", "second")]
    return [view.inputs["data"], *given]


def is_there(app: App, uri: str) -> bool:
    try:
        app.files.stat(uri)
    except NotFound:
        return False
    return True


def test_each_file_lies_apart_whatever_its_name(tmp_path: Path) -> None:
    with temporary_app() as app:
        view = ended(app, tmp_path)
        assert view.state == "SUCCESS"
        assert app.outputs.value(f"{view.id}/all") == {"value": "input first second"}
        assert len(set(uris(app, view))) == 3


def test_they_go_with_the_execution_unless_another_one_still_reads_them(tmp_path: Path) -> None:
    with temporary_app() as app:
        view = ended(app, tmp_path)
        replayed = app.executions.run(app.executions.replay(view.id, from_task="all").id)
        assert replayed.state == "SUCCESS", "it reads the files of the one it was made from"
        found = uris(app, view)
        app.changes.delete_execution(replayed.id, by="test")
        app.executions.purge(ExecutionFilter(label=(f"system.correlationId:{view.id}",)))
        assert [is_there(app, uri) for uri in found] == [True, True, True]
        app.changes.restore_execution(replayed.id, by="test")
        app.executions.purge(ExecutionFilter())
        assert [is_there(app, uri) for uri in found] == [False, False, False]


def test_what_is_wrong_is_told_before_anything_is_stored(tmp_path: Path) -> None:
    with temporary_app() as app:
        view = app.run(FLOW, {"data": str(named(tmp_path, "input"))})
        for files, message in (({"data": named(tmp_path, "a"), "other": tmp_path}, "`other` is not an input of the waiting task"), ({}, "Missing required input:data")):
            with pytest.raises(InvalidInput, match=message):
                app.executions.resume(view.id, files=files)
        assert [file.uri for file in app.files.list("storage:///company/team/asks") if "/resumed/" in file.uri] == []
