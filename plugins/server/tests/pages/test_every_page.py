"""Every page that the server knows: nothing inline, nothing that axe finds, nothing that moves, and a heading first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from attrs import frozen

from tailrace_server import pages
from tailrace_server.pages.looks import POLICY, static_files

from .conftest import Site, open_site, opened

PAGES_FOLDER = Path(pages.__file__).parent
LOOKED_AT = sorted(
    path for handler in pages.PAGES if "GET" in handler.http_methods for path in handler.paths
)  # fmt: skip
NO_PAGES = {
    "/", "/static/{version:str}/{name:str}", "/outputs/export", "/executions/{id:str}/logs/file",
    *(path for path in LOOKED_AT if path.endswith(("/frame", "/image", "/download", "/completions"))),
}  # fmt: skip
"""What leads on, or is given to a page: not looked at by itself."""
WHOLE = [path for path in LOOKED_AT if path not in NO_PAGES]

SOURCE = """
id: every
namespace: company.team
labels: {team: analytics}
inputs:
  - {id: rows, type: INT, defaults: 3, description: How many rows.}
  - {id: kind, type: SELECT, values: [a, b], defaults: a}
tasks:
  - {id: table, type: storage.Write, content: "a,b\\n1,x\\n2,y\\n", extension: .csv}
  - {id: greet, type: log.Log, message: "Begin with {{ inputs.rows }} <rows>"}
  - id: each
    type: flow.ForEach
    values: [x, y, z]
    tasks:
      - {id: part, type: debug.Return, format: "{{ taskrun.value }} of {{ inputs.kind }}"}
  - id: branches
    type: flow.If
    condition: "{{ inputs.rows > 2 }}"
    then:
      - {id: many, type: output.OutputValues, values: {rows: [{a: 1, b: x}, {a: 2, b: y}], text: "# Title", count: 2}}
    else:
      - {id: few, type: debug.Return, format: few}
outputs:
  - {id: rows, type: JSON, value: "{{ outputs.many.values.rows }}"}
"""
FAILING = """
id: breaks
namespace: company.team
tasks:
  - {id: first, type: debug.Return, format: kept}
  - {id: wrong, type: execution.Fail, errorMessage: "no <luck>"}
"""


@frozen
class Every:
    """A site where there is something to see at every address. known: what stands for the names in a path."""

    site: Site
    known: Mapping[str, Mapping[str, str]]

    def address(self, path: str) -> str:
        """A route's path as an address."""
        values = self.known[path.split("/")[1]]
        filled = re.sub(r"{(\w+):\w+}", lambda match: quote(values[match[1]]), path)
        return filled + self.known["queries"].get(path, "")


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Every]:
    with open_site(tmp_path_factory.mktemp("every")) as site:
        app = site.app
        app.flows.push(SOURCE)
        app.flows.push(SOURCE.replace("defaults: 3", "defaults: 4"))
        site.run(FAILING)
        first, second = site.run(SOURCE), site.run(SOURCE, {"rows": 5})
        table = app.outputs.value(app.outputs.get(f"{first.id}/table").id)
        output = app.outputs.get(f"{first.id}/many")
        one = {"id": first.id, "execution_id": first.id, "flow_execution_id": first.id}
        flow = {"namespace": "company.team", "id": "every", "flow_id": "every"}
        yield Every(site, {
            "executions": one, "flows": flow, "compare": {}, "sign-in": {}, "task-outputs": {"id": output.id},
            "outputs": {"id": output.id, "output_id": output.id}, "values": {"output_id": output.id, "id": output.id},
            "queries": {
                "/flows/{namespace:str}/{id:str}/diff": "?from=1&to=2",
                "/compare": f"?first={first.id}&second={second.id}",
                "/values/file": "?uri=" + quote(table["uri"]),
            },
        })  # fmt: skip


class Inline(HTMLParser):
    """What the policy of the pages would forbid, and whether there is a heading of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.headings += tag == "h1"
        self.found += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}>")
        for name in ("href", "src", "action"):
            if re.match(r"(?i)\s*(javascript|data|https?):|//", given.get(name, "")):
                self.found.append(f"<{tag} {name}={given[name]}>")


@pytest.mark.parametrize("path", WHOLE)
def test_a_page_is_whole_without_anything_inline_or_from_elsewhere(every: Every, path: str) -> None:
    with every.site.client() as client:
        if path == "/sign-in":
            every.site.deployment.services("default")  # without keys it leads on
            assert client.get(path).headers["location"] == "/"
            return
        answer = client.get(every.address(path))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert {name: answer.headers[name] for name in (
        "cache-control", "content-type", "cross-origin-opener-policy", "referrer-policy", "x-content-type-options",
        "x-frame-options",
    )} == {
        "cache-control": "private, no-cache", "content-type": "text/html; charset=utf-8",
        "cross-origin-opener-policy": "same-origin", "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff", "x-frame-options": "DENY",
    }  # fmt: skip
    seen = Inline()
    seen.feed(answer.text)
    assert (seen.found, seen.headings) == ([], 1)


PAINTED = """() => new Promise((done) => {
  const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.moved = 0;
    new PerformanceObserver((list) => { for (const one of list.getEntries()) window.moved += one.value; })
      .observe({type: "layout-shift"});
    done();
  }));
  if (document.readyState === "loading") document.addEventListener("readystatechange", painted, {once: true});
  else painted();
})"""
MOVED = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(window.moved), 50)));
})"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def seen(every: Every, browser: Any) -> Iterator[Any]:
    """A page for all tests of this file, of a reader who is not where UTC is."""
    with opened(browser, every.site.url, timezone_id="Asia/Tokyo") as page:
        yield page


@pytest.fixture(scope="module")
def seen_without_scripts(every: Every, browser: Any) -> Iterator[Any]:
    with opened(browser, every.site.url, java_script_enabled=False) as page:
        yield page


@pytest.mark.browser
@pytest.mark.parametrize("path", WHOLE)
def test_a_page_is_for_everybody(every: Every, seen: Any, seen_without_scripts: Any, axe: Any, path: str) -> None:
    """axe finds nothing, in light or dark. Nothing moves when scripts begin, or stands out on a phone; and whatever is
    told stands there without scripts too."""
    address = every.address(path)
    seen.set_viewport_size({"width": 1280, "height": 800})
    assert moved_by_scripts(seen, address) < 0.01
    seen_without_scripts.goto(address)
    assert words(seen) - words(seen_without_scripts) == set()
    axe(seen, "light")
    seen.set_viewport_size({"width": 380, "height": 800})
    assert seen.evaluate(TOO_WIDE) <= 0
    axe(seen, "dark")


def moved_by_scripts(page: Any, address: str) -> float:
    """Opens a page and gives the share of it that moves once its scripts run, which they do after it has been painted:
    what a slow machine paints while it still reads the page may move."""
    held: list[Any] | None = []
    page.route("**/*.js", lambda request: request.continue_() if held is None else held.append(request))
    page.goto(address, wait_until="commit")
    page.evaluate(PAINTED)
    scripts, held = held, None
    for request in scripts:
        request.continue_()
    page.wait_for_load_state("load")
    moved = float(page.evaluate(MOVED))
    page.unroute("**/*.js")
    return moved


def words(page: Any) -> set[str]:
    """Those of the content, without times: they are the reader's own where scripts run. What is only there for scripts
    (a button that copies, the colours of what is typed) tells nothing new."""
    text = page.locator("main").inner_text()
    aside = " ".join(page.locator("main :is(.scripted, .colours)").all_inner_texts())
    found = {word for word in text.split() if len(word) > 3 and not re.fullmatch(r"[\d:.,-]+", word)}
    return found - set(aside.split())


# -- the sources of the pages


@pytest.mark.parametrize("file", sorted(PAGES_FOLDER.glob("templates/*.html")), ids=lambda path: path.name)
def test_a_template_holds_nothing_inline(file: Path) -> None:
    text = file.read_text("utf-8")
    assert re.findall(r"<style|<script(?![^>]*\bsrc=)[^>]*>|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", text) == []


@pytest.mark.parametrize("file", sorted(PAGES_FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_what_pages_make_of_markup_holds_nothing_inline(file: Path) -> None:
    assert re.findall(r"<(?:style|script)\b|\sstyle=[\"']|\son[a-z]+=[\"']", file.read_text("utf-8")) == []


@pytest.mark.parametrize("file", sorted(PAGES_FOLDER.glob("static/*.js")), ids=lambda path: path.name)
def test_a_script_makes_no_markup_of_texts(file: Path) -> None:
    text = file.read_text("utf-8")
    made = r"\.(?:inner|outer)HTML\s*\+?=|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\.cssText"
    assert re.findall(made, text) == []
    assert len(text.splitlines()) <= 250


def test_the_stylesheet_is_small_and_loads_nothing() -> None:
    style = static_files()["style.css"].decode()
    assert len(style) < 30_000
    assert re.findall(r"url\(|@import", style) == []
