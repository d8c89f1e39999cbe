"""The other tabs of one execution: Gantt, graph, logs and source."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from core.host.views import ExecutionView, LogFilter

from .conftest import Site
from .running import SHAPES


@pytest.fixture(scope="module")
def failed(site: Site) -> ExecutionView:
    """Of SHAPES."""
    return site.run(SHAPES)


# -- Gantt


def test_bars_lie_on_the_axis_in_the_order_of_time(site: Site, failed: ExecutionView) -> None:
    page = site.get(f"/executions/{failed.id}/gantt")
    rows = re.findall(r'<th scope="row">.*?</tr>', page, re.DOTALL)
    names = [re.search(r">(?:▸ )?(\w+)</a>", row)[1] for row in rows]  # type: ignore[index]
    assert names == ["fetch", "each", "inside", "decide", "domestic", "broken", "tell"]
    bars = [(float(x), float(width)) for x, width in re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', page)]
    assert min(x for x, _ in bars) >= 0
    assert max(x + width for x, width in bars) <= 100.001
    assert '<span class="chip">120 times</span>' in page


def test_one_loop_is_unfolded_to_its_newest(site: Site, failed: ExecutionView) -> None:
    page = site.get(f"/executions/{failed.id}/gantt?task_name=inside")
    found = re.findall(r">inside \[(\d+)\]<", page)
    assert len(found) == 50
    assert set(found) <= {str(number) for number in range(1, 121)}
    assert 'aria-expanded="true">▾ inside</a>' in page


def test_each_attempt_is_a_bar(site: Site) -> None:
    view = site.run(
        "id: retried\nnamespace: company.team\ntasks:\n  - id: again\n    type: execution.Fail\n"
        "    retry: {type: constant, interval: PT0.05S, maxAttempts: 3}\n"
    )
    page = site.get(f"/executions/{view.id}/gantt")
    assert re.findall(r"<title>(attempt \d, failed)", page) == [f"attempt {n}, failed" for n in (1, 2, 3)]
    assert ">3 attempts<" in page


# -- the graph


def test_the_graph_is_well_formed_and_tells_states_without_colour(site: Site, failed: ExecutionView) -> None:
    page = site.get(f"/executions/{failed.id}/graph")
    svg = ElementTree.fromstring(re.search(r'<svg class="graph".*?</svg>', page, re.DOTALL)[0])  # type: ignore[index]
    titles = [one.text or "" for one in svg.iter("title")]
    assert "inside, debug.Return, 120 times: 120 success" in titles
    assert "broken, execution.Fail: failed" in titles
    assert "abroad, log.Log" in titles
    signs = {group.find("text").text: group.findall("text")[2].text  # type: ignore[union-attr]
             for group in svg.iter("g") if group.find("title") is not None}  # fmt: skip
    assert (signs["fetch"], signs["broken"], signs["abroad"]) == ("✓", "✕", None)


# -- logs


@pytest.fixture(scope="module")
def loud(site: Site) -> ExecutionView:
    """1 200 lines, every hundredth an error."""
    lines = "seq 1 1199; echo 'the Needle & <b>thread</b>' >&2"
    return site.run(
        "id: loud\nnamespace: company.team\ntasks:\n  - id: shout\n    type: scripts.shell.Commands\n"
        f'    taskRunner: {{type: runner.Process}}\n    commands: ["{lines}"]\n'
    )


def messages(page: str) -> list[str]:
    return re.findall(r'<span class="message">(.*?)</span>', page, re.DOTALL)


def test_the_newest_lines_come_first_and_others_page_by_page(site: Site, loud: ExecutionView) -> None:
    page = site.get(f"/executions/{loud.id}/logs")
    seen: list[str] = []
    while True:
        seen = messages(page) + seen
        earlier = re.search(r'href="([^"]+)"[^>]*rel="prev"', page)
        if earlier is None:
            break
        page = site.get(earlier[1].replace("&amp;", "&"))
    found = [one for one in seen if one.isdigit()]
    assert found == [str(number) for number in range(1, 1200)]


def test_pages_of_logs_go_forward_too(site: Site, loud: ExecutionView) -> None:
    page = site.get(f"/executions/{loud.id}/logs?after=0")
    seen: list[str] = []
    while True:
        seen += messages(page)
        later = re.search(r'href="([^"]+)"[^>]*rel="next"', page)
        if later is None:
            break
        page = site.get(later[1].replace("&amp;", "&"))
    assert [one for one in seen if one.isdigit()] == [str(number) for number in range(1, 1200)]


def test_lines_are_found_by_text_level_and_task(site: Site, loud: ExecutionView) -> None:
    url = f"/executions/{loud.id}/logs"
    assert messages(site.get(f"{url}?find=needle")) == ["the <mark>Needle</mark> &amp; &lt;b&gt;thread&lt;/b&gt;"]
    assert messages(site.get(f"{url}?find=%3Cb%3E")) == ["the Needle &amp; <mark>&lt;b&gt;</mark>thread&lt;/b&gt;"]
    assert messages(site.get(f"{url}?level=ERROR")) == ["the Needle &amp; &lt;b&gt;thread&lt;/b&gt;"]
    assert [re.sub("</?mark>", "", one) for one in messages(site.get(f"{url}?find=119"))] == ["119", "1119", *map(str, range(1190, 1200))]
    assert messages(site.get(f"{url}?task_name=other")) == []
    assert "No line is like that." in site.get(f"{url}?task_name=other")


def test_a_page_shows_the_beginning_of_a_very_long_line_and_the_file_all_of_it(site: Site) -> None:
    view = site.run(
        "id: long\nnamespace: company.team\ntasks:\n"
        "  - {id: log, type: log.Log, message: 'all: {{ range(1, 30000) | join(\"\") }}'}\n"
    )
    shown, *_ = messages(site.get(f"/executions/{view.id}/logs"))
    first, *_ = site.app.executions.logs(view.id)
    assert first.message in site.get(f"/executions/{view.id}/logs/file")
    assert shown == f"{first.message[:4000]}… ({len(first.message)} characters)"


def test_the_file_has_every_line_of_the_filter(site: Site, loud: ExecutionView) -> None:
    with site.client() as client:
        answer = client.get(f"/executions/{loud.id}/logs/file?find=needle")
        whole = client.get(f"/executions/{loud.id}/logs/file").text.splitlines()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{loud.id}.log"'
    assert re.fullmatch(r"\S+Z ERROR shout the Needle & <b>thread</b>\n", answer.text)
    assert [line.rpartition(" ")[2] for line in whole if line.rpartition(" ")[2].isdigit()] == [
        str(number) for number in range(1, 1200)
    ]


def test_lines_of_files_are_found_too(site: Site) -> None:
    view = site.run(
        "id: filed\nnamespace: company.team\ntasks:\n"
        "  - {id: kept, type: log.Log, message: [one, Two, three], logToFile: true}\n"
        "  - {id: recorded, type: log.Log, message: four}\n"
    )
    def found(**which: Any) -> list[str]:
        return [one.message for one in site.app.executions.find_logs(view.id, LogFilter(**which))]

    assert found() == ["four", "one", "Two", "three"]
    assert found(before=2**53, limit=2) == ["Two", "three"]
    assert found(find="two") == ["Two"]
    assert found(task_name="kept", limit=1) == ["one"]


# -- the source


def test_the_revision_that_ran_is_shown_with_its_errors(site: Site, failed: ExecutionView) -> None:
    page = site.get(f"/executions/{failed.id}/source")
    line = SHAPES.split("\n").index("  - id: broken") + 1
    marked = re.search(rf'<span class="line marked" id="L{line}">.*?</span>\n?</span>', page, re.DOTALL)
    assert marked is not None
    assert "no &lt;script&gt; for AT" in page
    assert page.count('<span class="line') == SHAPES.count("\n")
