"""`outputs`: lists, one output, one value of it, exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands.outputs import named_value
from core.cli.main import main
from core.errors import NotFound
from core.host.views import FilePreview, OutputFilter, Page

Run = Callable[..., tuple[int, str, str]]
URI = "storage:///company/team/shop/products.csv"


def test_the_list_has_the_fields_of_the_api(app: Any, call: Run, make_task: Any) -> None:
    app.pages = [Page((make_task("api", summary={"code": 200}),), True, "abc")]

    code, out, _ = call("outputs", "list", "--json")

    assert code == 0
    assert json.loads(out) == {
        "data": [
            {
                "id": "t-api", "flow_execution_id": "e-1", "task_name": "api", "value": None,
                "organization_id": "default", "namespace": "company.team", "flow_id": "shop", "flow_revision": 3,
                "status": "completed", "state": "SUCCESS", "summary": {"code": 200}, "output_size": 10, "tags": {},
                "error": None, "modified_by": "system", "version": 1,
                "created_at": "2025-05-01T10:00:00.000000Z", "updated_at": "2025-05-01T10:00:00.000000Z",
            }
        ],
        "has_more": True,
        "next": "abc",
    }  # fmt: skip


def test_every_filter_reaches_the_app(app: Any, call: Run) -> None:
    app.pages = [Page(())]

    call(
        "outputs", "list", "--flow", "shop", "--flow", "other", "--namespace", "company.team", "--task-name", "api",
        "--status", "failed", "--state", "KILLED", "--tag", "kind:table", "--flow-execution-id", "last",
        "--created-after", "2025-05-01", "--created-before", "2025-05-01T12:00:00+02:00", "--limit", "7",
        "--starting-after", "abc",
    )  # fmt: skip

    assert app.asked == [
        OutputFilter(
            flow_execution_id=("e-1",), flow_id=("shop", "other"), namespace=("company.team",), task_name=("api",),
            status=("failed",), state=("KILLED",), tag=("kind:table",),
            created_after=1_746_057_600_000_000, created_before=1_746_093_600_000_000, limit=7, starting_after="abc",
        )
    ]  # fmt: skip


def test_a_time_that_is_none_is_wrong_usage(app: Any, call: Run) -> None:
    assert call("outputs", "list", "--created-after", "noon") == (
        2,
        "",
        "error: --created-after: `noon` is not a time\n"
        "  expected: ISO 8601, such as 2025-05-01 or 2025-05-01T10:00:00Z\n",
    )


def test_a_flow_with_its_namespace_is_two_filters(app: Any, call: Run) -> None:
    assert call("outputs", "list", "--flow", "company.team/shop") == (
        2, "", "error: `company.team/shop` is not a flow's id\n  to do: --namespace company.team --flow shop\n",
    )  # fmt: skip


@pytest.mark.parametrize("limit", ["0", "-1", "many", "it's"])
def test_a_limit_is_a_whole_number_from_1_up(app: Any, call: Run, limit: str) -> None:
    assert call("outputs", "list", f"--limit={limit}") == (
        2,
        "",
        f"error: --limit: `{limit}` can't be read\n  expected: a whole number from 1 up\n"
        "  to do: python -m core outputs list --help\n",
    )


def test_the_table_says_how_to_go_on(app: Any, call: Run, make_task: Any) -> None:
    app.pages = [Page((make_task("api", summary={"code": 200}),), True, "abc")]

    _, out, err = call("outputs", "list")

    assert out.splitlines() == [
        "ID     FLOW               TASK  VALUE  STATUS     SIZE  SUMMARY   CREATED",
        "t-api  company.team/shop  api          completed  10 B  code=200  2025-05-01T10:00:00Z",
    ]
    assert err == "there are more: add --starting-after abc\n"


def test_an_output_is_shown_by_what_it_is(app: Any, call: Run, make_task: Any) -> None:
    app.task_views = (make_task("python", note="ran in a local environment"),)
    app.values = {"t-python": {"code": 200, "headers": {"a": ["x", "y"]}, "empty": {}, "text": "one\ntwo", "uri": URI}}
    app.files_held = {URI: (b"x" * 2048, FilePreview(URI, 2048, "table", ("brand", "price"), (("A", 1.5),), "", True))}

    _, out, _ = call("outputs", "show", "t-python")

    assert out.splitlines() == [
        "t-python  SUCCESS  1.20 s",
        "e-1/python  (debug.Return)",
        "ran in a local environment",
        "",
        "code: 200",
        "headers:",
        "  a:",
        "    - x",
        "    - y",
        "empty: {}",
        "text: |",
        "  one",
        "  two",
        f"uri: {URI}  (2.0 KiB)",
        "",
        f"{URI}:",
        "  brand  price",
        "  A        1.5",
        "  …",
    ]


def test_a_task_without_output_says_so(app: Any, call: Run, make_task: Any) -> None:
    app.task_views = (make_task("api", state="FAILED", error="no luck"),)

    assert call("outputs", "show", "t-api")[1].splitlines()[2:] == ["no luck", "", "no output"]


def test_get_gives_json_and_the_bytes_of_files(app: Any, call: Run, make_task: Any, tmp_path: Path) -> None:
    app.task_views = (make_task("python"),)
    app.values = {"t-python": {"n": 1, "outputFiles": {"products.csv": URI}}}
    app.files_held = {URI: (b"a,b\n", None)}

    assert json.loads(call("outputs", "get", "t-python")[1]) == app.values["t-python"]
    assert call("outputs", "get", "t-python", "n")[1] == "1\n"
    assert json.loads(call("outputs", "get", "t-python", "outputFiles.products.csv", "--json")[1]) == URI
    assert call("outputs", "get", "t-python", "outputFiles.products.csv", "-o", str(tmp_path / "x"))[0] == 0
    assert (tmp_path / "x").read_bytes() == b"a,b\n"


def test_bytes_go_to_standard_output_as_they_are(app: Any, make_task: Any, capfdbinary: Any) -> None:
    app.task_views = (make_task("python"),)
    app.values = {"t-python": {"uri": URI}}
    app.files_held = {URI: (b"\x00\r\n\xff", None)}

    assert main(["outputs", "get", "t-python", "uri"]) == 0
    assert capfdbinary.readouterr().out == b"\x00\r\n\xff"


def test_a_file_that_cannot_be_written_is_told(app: Any, call: Run, make_task: Any) -> None:
    app.task_views = (make_task("python"),)

    assert call("outputs", "get", "t-python", "-o", "/none/x") == (
        3, "", "error: /none/x: the file can't be written: No such file or directory\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", {"b.c": [5, {"d": 6}]}), ("a.b.c", [5, {"d": 6}]), ("a.b.c.0", 5), ("a.b.c.1.d", 6), ("e.f", 1)],
)
def test_a_name_may_go_down_and_hold_dots(name: str, value: object) -> None:
    assert named_value({"a": {"b.c": [5, {"d": 6}]}, "e.f": 1, "e": {"f": 2}}, name) == value


def test_an_unknown_name_tells_what_there_is() -> None:
    with pytest.raises(NotFound) as caught:
        named_value({"uri": 1, "size": 2}, "urj")

    assert str(caught.value) == "the output has no `urj`\n  expected: one of uri, size\n  to do: did you mean `uri`?"


def test_an_export_reads_page_by_page_to_the_end(app: Any, call: Run, make_task: Any) -> None:
    app.pages = [Page((make_task("a"), make_task("b")), True, "after-b"), Page((make_task("c"),))]
    app.values = {"t-a": {"x": 1}}

    code, out, _ = call("outputs", "export", "--flow", "shop")

    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(row["id"], row["output"]) for row in rows] == [("t-a", {"x": 1}), ("t-b", None), ("t-c", None)]
    assert [(which.flow_id, which.starting_after) for which in app.asked] == [(("shop",), None), (("shop",), "after-b")]


def test_an_export_stops_at_its_limit(app: Any, call: Run, make_task: Any) -> None:
    app.pages = [Page((make_task("a"), make_task("b")), True, "after-b"), Page((make_task("c"),), True, "after-c")]

    assert len(call("outputs", "export", "--limit", "3")[1].splitlines()) == 3
    assert [which.limit for which in app.asked] == [3, 1]


def test_a_format_there_is_not_is_refused(app: Any, call: Run) -> None:
    code, _, err = call("outputs", "export", "--format", "csv")

    assert code == 2
    assert err.startswith("error: --format: `csv` is not one of the choices\n  expected: jsonl\n")
