"""Files that come with forms, and with `PUT /files`: written down as they come, by whoever may, within limits."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from core.host.views import ExecutionFilter, ExecutionView
from tailrace_server import receiving
from tailrace_server.pages.parts import FIELDS
from tests.waiting import PATIENCE
from tests.waiting import until as holds

from .conftest import Site, open_site
from .running import until

FLOW = """
id: takes
namespace: company.team
inputs:
  - {id: note, type: STRING, required: false}
  - {id: data, type: FILE}
  - {id: other, type: FILE, required: false}
tasks:
  - {id: say, type: debug.Return, format: "{{ inputs.data }}"}
"""
WAITS = """
id: waits
namespace: company.team
inputs:
  - {id: data, type: FILE, required: false}
tasks:
  - id: approve
    type: flow.Pause
    onResume:
      - {id: data, type: FILE}
      - {id: note, type: STRING}
  - {id: after, type: debug.Return, format: "{{ read(outputs.approve.onResume.data) }} {{ outputs.approve.onResume.note }}"}
"""
START = "/flows/company.team/takes/start"
MOST, MOST_FILES = 100_000, 3_000_000
END = b"--x--\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    with open_site(home, keys=("default",), max_request=MOST, max_upload=MOST_FILES) as site:
        for flow in (FLOW, WAITS):
            site.app.flows.push(flow)
        yield site


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads are while they come."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr(receiving, "mkdtemp", partial(mkdtemp, dir=folder))
    return folder


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[httpx.Client]:
    """A browser that has signed in."""
    with site.client() as client:
        assert client.post("/sign-in", data={"key": site.key("editor")}).status_code == 303
        yield client


def token(client: httpx.Client) -> str:
    return client.get("/executions").text.partition('name="csrf-token" content="')[2].partition('"')[0]


def field(name: str, value: bytes | str, more: str = "") -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


def file(name: str, content: bytes = b"abc", called: str = "rows.csv") -> bytes:
    return field(name, content, f'; filename="{called}"')


def send(client: httpx.Client, *parts: bytes, path: str = START, **headers: str) -> httpx.Response:
    given = {"Content-Type": "multipart/form-data; boundary=x", **headers}
    return client.post(path, content=b"".join((*parts, END)), headers=given)


def newest(site: Site) -> str:
    """The id of the execution that was made last: the others may still run."""
    return next((view.id for view in site.app.executions.list(ExecutionFilter(limit=1)).data), "")


def read(site: Site, uri: str) -> bytes:
    with site.app.files.open(uri) as stored:
        return stored.read()


# -- what is taken


def test_files_may_be_larger_than_any_other_request(site: Site, client: httpx.Client, folders: Path) -> None:
    content = os.urandom(2_900_000)
    answer = send(client, field("csrf", token(client)), field("input.note", "é"), file("file.data", content))

    assert answer.status_code == 303
    inputs = site.app.executions.get(answer.headers["location"].removeprefix("/executions/")).inputs
    assert (inputs["note"], inputs["data"].rpartition("/")[2]) == ("é", "rows.csv")
    assert read(site, inputs["data"]) == content
    assert list(folders.iterdir()) == []


def test_a_file_passes_through_little_memory(tmp_path: Path) -> None:
    with open_site(tmp_path / "site") as site, site.client() as client:
        site.app.flows.push(FLOW)
        csrf, block, blocks = token(client), os.urandom(65_536), 800

        def body() -> Iterator[bytes]:
            yield field("csrf", csrf)
            yield file("file.data", b"").removesuffix(b"\r\n")
            for _ in range(blocks):
                yield block
            yield b"\r\n" + END

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        tracemalloc.start()
        try:
            answer = client.post(START, content=body(), headers=headers)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answer.status_code == 303
        uri = site.app.executions.get(answer.headers["location"].removeprefix("/executions/")).inputs["data"]
        assert site.app.files.stat(uri).size == len(block) * blocks
        assert peak < 16_000_000  # of 52 MB


def test_a_file_that_was_not_chosen_is_none(site: Site, client: httpx.Client) -> None:
    answer = send(client, field("csrf", token(client)), file("file.data"), file("file.other", b"", ""))
    view = site.app.executions.get(answer.headers["location"].removeprefix("/executions/"))
    assert view.inputs["other"] is None


@pytest.mark.parametrize(("called", "kept"), [
    ("../../etc/passwd", "passwd"), ("..", "file"), (r"C:\dir\rows.csv", "rows.csv"), ("/", "file"), ("a%0Ab.csv", "a_b.csv"),
    ("é" * 500 + ".csv", "é" * 63 + ".csv"), (" ", " "), ("%00", "%00"), ("~", "~"), ("-rf", "-rf"),
])  # fmt: skip
def test_a_name_is_that_of_a_file_and_of_no_place(
    site: Site, client: httpx.Client, folders: Path, called: str, kept: str
) -> None:
    answer = send(client, field("csrf", token(client)), file("file.data", b"abc", called))
    uri = site.app.executions.get(answer.headers["location"].removeprefix("/executions/")).inputs["data"]
    name = uri.rpartition("/inputs/data/")[2]
    assert "/" not in name
    assert name.endswith(kept) if "é" in kept else name == kept
    assert len(name.encode()) <= receiving.LONGEST_NAME
    assert list(folders.iterdir()) == []


# -- who may send one


@pytest.mark.parametrize("given", ["none", "wrong", "behind the file"])
def test_nothing_is_kept_before_the_form_is_known_to_be_ours(
    site: Site, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(receiving.Writing, "__init__", lambda self, path: written.append(path))
    before, csrf = newest(site), token(client)
    parts = {
        "none": (file("file.data"),),
        "wrong": (field("csrf", "0" * 64), file("file.data")),
        "behind the file": (file("file.data"), field("csrf", csrf)),
    }
    answer = send(client, *parts[given])
    assert (answer.status_code, written, newest(site)) == (403, [], before)


def test_scripts_may_send_the_token_as_a_header(site: Site, client: httpx.Client) -> None:
    assert send(client, file("file.data"), **{"X-CSRF-Token": token(client)}).status_code == 303
    assert send(client, file("file.data"), **{"X-CSRF-Token": "0" * 64}).status_code == 403


def test_a_viewer_sends_nothing(site: Site, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "mkdtemp", lambda: pytest.fail("a folder was made"))
    with site.client() as client:
        client.post("/sign-in", data={"key": site.key("viewer")})
        assert send(client, field("csrf", token(client)), file("file.data")).status_code == 403
    with site.client() as client:
        assert send(client, field("csrf", "0" * 64), file("file.data")).headers["location"] == "/sign-in"


# -- how much


def test_files_have_a_limit_of_their_own(site: Site, client: httpx.Client, folders: Path) -> None:
    half = os.urandom(MOST_FILES // 2 + 1)
    before = newest(site)
    for several in ((half, half), (half + half,)):
        files = [file("file.data" if number == 0 else "file.other", one) for number, one in enumerate(several)]
        answer = send(client, field("csrf", token(client)), *files)
        assert (answer.status_code, "The files of a form together may have 3 MB" in answer.text) == (413, True)
    assert (newest(site), list(folders.iterdir())) == (before, [])


def test_all_other_fields_together_have_that_of_a_request(site: Site, client: httpx.Client, folders: Path) -> None:
    answer = send(client, field("csrf", token(client)), field("input.note", "x" * MOST), file("file.data"))
    assert (answer.status_code, "The form, without its files, may have 100 KB" in answer.text) == (413, True)
    begin = send(client, b"garbage\r\n" * (MOST // 9 + 1), field("csrf", token(client)))
    assert begin.status_code in (413, 422)
    for path in (START, "/outputs/tags"):
        body = b"csrf=" + token(client).encode() + b"&x=" + b"x" * MOST
        answer = client.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 413
    assert list(folders.iterdir()) == []


@pytest.mark.parametrize("path", [START, "/api/v1/files?namespace=a&name=b"])
def test_what_says_that_it_is_too_large_is_not_read_at_all(site: Site, client: httpx.Client, path: str) -> None:
    parts = urlsplit(site.url)
    method, media = ("POST", "multipart/form-data; boundary=x") if path == START else ("PUT", "application/octet-stream")
    lines = [
        f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", f"Cookie: session={client.cookies['session']}",
        f"X-CSRF-Token: {token(client)}", f"Content-Type: {media}", f"Content-Length: {10**12}", "", "",
    ]  # fmt: skip
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_form_has_so_many_files_and_names_so_long(site: Site, client: httpx.Client, folders: Path) -> None:
    csrf = field("csrf", token(client))
    for parts in ([file(f"file.{n}", b"") for n in range(FIELDS + 1)], [file("file.data", b"", "x" * 10_000)]):
        answer = send(client, csrf, *parts)
        assert (answer.status_code, "more than 1000 fields, or very long names" in answer.text) == (422, True)
    assert list(folders.iterdir()) == []


def test_a_form_of_many_fields_has_room_for_their_names(site: Site, client: httpx.Client, folders: Path) -> None:
    fields = [field(f"n{number}", "v") for number in range(FIELDS - 2)]
    assert send(client, field("csrf", token(client)), *fields, file("file.data")).status_code == 303


@pytest.mark.parametrize("boundary", ["", "y" * 71, '"a\nb"', "wrong"])
def test_parts_are_told_apart_as_the_standard_says(site: Site, client: httpx.Client, boundary: str) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}".replace("\n", " ")}
    assert send(client, field("csrf", token(client)), **headers).status_code == 422


def test_no_part_chooses_an_encoding(site: Site, client: httpx.Client) -> None:
    """Python reads `punycode` in quadratic time."""
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=%s\r\n\r\nabc-\r\n'
    for charset, status in ((b"utf-8", 303), (b"UTF-8", 303), (b"punycode", 422), (b"idna", 422), (b"nope", 422)):
        answer = send(client, field("csrf", token(client)), part % charset, file("file.data"))
        assert answer.status_code == status


def test_other_forms_take_no_files(site: Site, client: httpx.Client, folders: Path) -> None:
    answer = send(client, field("csrf", token(client)), file("a"), path="/outputs/tags")
    assert (answer.status_code, "This form takes no files" in answer.text) == (422, True)


def test_a_full_disk_is_told_and_nothing_is_left(
    site: Site, client: httpx.Client, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folders)
    full = usage._replace(free=min(receiving.KEPT_FREE, usage.total // receiving.KEPT_PART) + 1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    before = newest(site)
    content = os.urandom(1_100_000)
    answer = send(client, field("csrf", token(client)), file("file.data", content))
    assert (answer.status_code, str(folders) in answer.text) == (503, False)
    with site.client(site.key("editor")) as api:
        put = api.put("/api/v1/files?namespace=company.team&name=x", content=content)
    assert (put.status_code, put.json()["error"]["message"]) == (503, "there is no room left for files that are sent")
    assert (newest(site), list(folders.iterdir())) == (before, [])
    assert send(client, field("csrf", token(client)), file("file.data")).status_code == 303


# -- how slowly


def slow(pause: float, number: int) -> Iterator[bytes]:
    for _ in range(number):
        time.sleep(pause)
        yield b"a"


def test_who_sends_a_file_byte_by_byte_is_sent_away(
    site: Site, client: httpx.Client, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "GRACE_SECONDS", 0.3)
    csrf = token(client)

    def body() -> Iterator[bytes]:
        yield field("csrf", csrf) + file("file.data", b"").removesuffix(b"\r\n")
        yield from slow(0.05, 30)
        yield b"\r\n" + END

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post(START, content=body(), headers=headers)
    assert (answer.status_code, "The body comes too slowly" in answer.text) == (408, True)
    with site.client(site.key("editor")) as api:
        put = api.put("/api/v1/files?namespace=company.team&name=x", content=slow(0.05, 30))
    assert (put.status_code, put.json()["error"]["code"]) == (408, "too_slow")
    assert list(folders.iterdir()) == []


def test_what_is_broken_off_leaves_nothing(site: Site, client: httpx.Client, folders: Path) -> None:
    parts, before = urlsplit(site.url), len(site.notes)
    content = field("csrf", token(client)) + file("file.data", b"x" * 2_000_000)
    lines = [
        f"POST {START} HTTP/1.1", f"Host: {parts.netloc}", f"Cookie: session={client.cookies['session']}",
        "Content-Type: multipart/form-data; boundary=x", "Content-Length: 2900000", "", "",
    ]  # fmt: skip
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join(lines).encode() + content)
        holds(lambda: list(folders.rglob("rows.csv")))
    holds(lambda: list(folders.iterdir()) == [])
    assert site.notes[before:] == []


# -- a task that waits asks for files too


def paused(site: Site, inputs: dict[str, Any] | None = None) -> ExecutionView:
    return until(site, site.begin(WAITS, inputs), "PAUSED")


def test_a_task_that_waits_is_given_a_file(site: Site, client: httpx.Client, folders: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("of the input")
    own = site.app.files.put(tmp_path / "rows.csv", "company.team", "rows.csv").uri
    view = paused(site, {"data": own})
    path = f"/executions/{view.id}/resume"
    shown = client.get(path).text
    assert 'type="file" id="input-data" name="file.data"' in shown
    assert f'data-most="{MOST_FILES}"' in shown

    fields = [field("csrf", token(client)), field("task_name", "approve")]
    wrong = send(client, *fields, file("file.data", b"of the form"), path=path)
    assert (wrong.status_code, "input-note-problem" in wrong.text) == (422, True)
    right = send(client, *fields, field("input.note", "!"), file("file.data", b"of the form"), path=path)
    assert right.status_code == 303
    until(site, view, "SUCCESS")
    assert site.app.outputs.value(f"{view.id}/after") == {"value": "of the form !"}
    assert list(folders.iterdir()) == []


def test_a_form_that_resumes_is_ours_too(site: Site, client: httpx.Client) -> None:
    view = paused(site)
    path = f"/executions/{view.id}/resume"
    parts = [field("task_name", "approve"), field("input.note", "!"), file("file.data")]
    assert send(client, *parts, path=path).status_code == 403
    assert send(client, field("csrf", "0" * 64), *parts, path=path).status_code == 403
    assert site.app.executions.get(view.id).state == "PAUSED"
    site.app.executions.kill(view.id)


def test_many_who_send_at_once_get_their_own(site: Site, client: httpx.Client, folders: Path) -> None:
    csrf, cookie = token(client), f"session={client.cookies['session']}"
    found: dict[int, bytes] = {}

    def start(number: int) -> None:
        with site.client() as own:
            content = f"{number}".encode() * 100_000
            answer = send(own, field("csrf", csrf), file("file.data", content), Cookie=cookie)
            view = site.app.executions.get(answer.headers["location"].removeprefix("/executions/"))
            found[number] = read(site, view.inputs["data"])

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert found == {number: f"{number}".encode() * 100_000 for number in range(8)}
    assert list(folders.iterdir()) == []
