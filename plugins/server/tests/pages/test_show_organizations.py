"""Two organizations, each in a browser of its own: what is the other's is not there, at whatever address it would be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from attrs import frozen

from tailrace_server import pages

from .conftest import Site, open_site, opened

pytestmark = pytest.mark.browser
FLOW = """
id: private_{name}
namespace: {name}.private
labels: {{owner: word-of-{name}}}
inputs:
  - {{id: name, type: STRING, defaults: word-of-{name}}}
tasks:
  - {{id: only_{name}, type: debug.Return, format: "{{{{ inputs.name }}}}"}}
  - {{id: say, type: log.Log, message: "{{{{ inputs.name }}}}"}}
"""
WHAT = re.compile(r"^/(executions|outputs|values|flows)/.*{")
"""Paths of pages that name something of an organization."""


@frozen
class Member:
    """Somebody of an organization, and what there is of it. known: names in paths and queries → what they stand for."""

    name: str
    key: str
    known: Mapping[str, str]

    @property
    def word(self) -> str:
        """Stands in everything that only this organization may see."""
        return f"word-of-{self.name}"

    def addresses(self, method: str) -> list[str]:
        """Of every page, or every action, of something of this organization."""
        paths = {path for handler in pages.PAGES if method in handler.http_methods for path in handler.paths}
        return sorted(self._filled(path) for path in paths if WHAT.match(path))

    def _filled(self, path: str) -> str:
        kind = {"executions": "execution"}.get(path.split("/")[1], "output")
        names = {**self.known, "id": self.known[kind], "output_id": self.known["output"]}
        return re.sub(r"{(\w+):\w+}", lambda match: quote(names[match[1]]), path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of both."""
    with open_site(tmp_path_factory.mktemp("shared"), keys=("acme", "globex")) as site:
        yield site


@pytest.fixture(scope="module")
def members(shared: Site) -> tuple[Member, Member]:
    return member(shared, "acme"), member(shared, "globex")


def member(site: Site, name: str) -> Member:
    app = site.deployment.services(name)
    app.flows.push(FLOW.format(name=name).replace("defaults:", "required: true, defaults:"))
    view, newer = app.run(FLOW.format(name=name)), app.run(FLOW.format(name=name))
    assert (view.state, newer.state) == ("SUCCESS", "SUCCESS")
    app.storage.put(name, f"{name}/file.html", BytesIO(f"word-of-{name}".encode()))
    return Member(name, site.key("admin", name), {
        "execution": view.id, "newer": newer.id, "output": app.outputs.get(f"{view.id}/only_{name}").id,
        "namespace": view.namespace, "flow_id": view.flow_id, "uri": f"storage:///{name}/file.html",
    })  # fmt: skip


@contextmanager
def seen_by(browser: Any, site: Site, who: Member) -> Iterator[Any]:
    """A page of somebody who signed in."""
    with opened(browser, site.url) as page:
        page.goto("/sign-in")
        page.get_by_label("API key").fill(who.key)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text(f"{who.name} · admin").wait_for()
        yield page


def asked(of: Member, by: Member) -> list[str]:
    """Whatever can be looked at of an organization by somebody."""
    theirs, own = of.known, by.known
    file = quote(theirs["uri"])
    return [
        *of.addresses("GET"), *(f"/values/file{part}?uri={file}" for part in ("", "/frame", "/image")),
        f"/compare?first={theirs['execution']}", f"/compare?first={theirs['execution']}&second={theirs['newer']}",
        f"/compare?first={own['execution']}&second={theirs['newer']}",
        f"/compare?first={theirs['execution']}&second={own['newer']}",
        f"/executions/{own['execution']}/outputs?show={theirs['output']}",
        f"/flows/{own['namespace']}/{own['flow_id']}/start?like={theirs['execution']}",
        f"/executions/{theirs['execution']}/evaluator?expression=inputs",
        f"/executions/{theirs['execution']}/completions?text=outputs.",
    ]  # fmt: skip


def test_pages_of_the_other_organization_are_not_there(
    shared: Site, members: tuple[Member, Member], browser: Any
) -> None:
    from playwright.sync_api import expect

    for who, other in (members, members[::-1]):
        with seen_by(browser, shared, who) as page:
            page.goto(f"/executions/{other.known['execution']}")
            expect(page.get_by_role("heading", name="Not found")).to_be_visible()
            addresses = asked(other, who)
            assert len(addresses) > 25
            for address in addresses:
                answer = page.request.get(address, headers={"Accept": "text/html"})
                where = f"{address} gave {answer.status}"
                assert answer.status == 404, where
                assert "<h1>Not found</h1>" in answer.text(), where
                assert other.word not in answer.text(), where
            for address in asked(who, who):
                answer = page.request.get(address, headers={"Accept": "text/html"})
                assert answer.status in (200, 422), address  # 422: it is no picture, or no page


def test_nothing_of_the_other_organization_can_be_changed(
    shared: Site, members: tuple[Member, Member], browser: Any
) -> None:
    who, other = members
    app = shared.deployment.services(other.name)

    def state() -> Any:
        flow = app.flows.revisions(other.known["namespace"], other.known["flow_id"])
        return app.executions.get(other.known["execution"]), app.outputs.get(other.known["output"]), flow

    before = state()
    with seen_by(browser, shared, who) as page:
        page.goto("/executions")
        form = {"csrf": page.locator('meta[name="csrf-token"]').get_attribute("content"), "key": "a", "version": "1",
                "source": FLOW.format(name=who.name), "output": "{}", "summary": "{}", "reason": "mine"}  # fmt: skip
        for address in other.addresses("POST"):
            answer = page.request.post(address, form=form, headers={"Accept": "text/html"}, max_redirects=0)
            expected = 422 if address.endswith("/edit") else 404  # there a flow of this name may begin
            assert answer.status == expected, f"{address} gave {answer.status}: {answer.text()}"
        asked = {**form, "id": other.known["output"], "value": "b", "change": "add", "query": ""}
        assert page.request.post("/outputs/tags", form=asked, headers={"Accept": "text/html"}).status == 404
    assert state() == before


def test_lists_tell_of_ones_own_alone_also_while_they_are_watched(
    shared: Site, members: tuple[Member, Member], browser: Any
) -> None:
    from playwright.sync_api import expect

    acme, globex = members
    with seen_by(browser, shared, acme) as one, seen_by(browser, shared, globex) as two:
        for page, own, other in ((one, acme, globex), (two, globex, acme)):
            for address in ("/executions", "/outputs", "/outputs/charts", "/flows"):
                page.goto(address)
                text = page.content()
                assert own.name in page.locator("main").inner_text()
                assert f"{other.name}.private" not in text
                assert other.word not in text
            page.goto("/executions?limit=50")
            expect(page.locator("#list tbody tr")).to_have_count(2)
        fresh = [shared.deployment.services(who.name).run(FLOW.format(name=who.name)) for who in (globex, acme)]
        expect(one.locator(f"#row-{fresh[1].id}")).to_be_visible()
        expect(two.locator(f"#row-{fresh[0].id}")).to_be_visible()
        for page in (one, two):
            expect(page.locator("#list tbody tr")).to_have_count(3)


def test_the_evaluator_and_its_names_are_of_ones_own(
    shared: Site, members: tuple[Member, Member], browser: Any
) -> None:
    from playwright.sync_api import expect

    acme, globex = members
    for own, other in ((acme, globex), (globex, acme)):
        with seen_by(browser, shared, own) as page:
            page.goto(f"/executions/{own.known['execution']}/evaluator")
            page.locator("#expression").press_sequentially("outputs.only")
            options = page.locator("#completions").get_by_role("option")
            expect(options).to_have_text([re.compile(f"^only_{own.name}")])
            options.first.click()
            expect(page.locator("#evaluated")).to_contain_text(own.word)
            page.locator("#expression").fill(f"read('{other.known['uri']}')")
            expect(page.locator("#evaluated .problem")).to_contain_text("does not belong to this execution")
