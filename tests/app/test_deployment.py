"""A whole installation: its organizations apart, its keys, its records in the home or behind a URL."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from core.app import App, Installation, load_settings, open_deployment
from core.errors import InvalidFlow, NotFound, Unreachable
from core.host.views import ExecutionFilter, OutputFilter
from core.settings import Settings

FLOW = "id: f\nnamespace: company.team\ntasks:\n  - {id: a, type: debug.Return, format: 'of {{ flow.id }}'}\n"
STORE = """
    from pathlib import Path
    from core.records import SqliteRecords
    from core.sdk.hooks import RecordStoreRef, hookimpl

    @hookimpl
    def record_stores():
        return (RecordStoreRef(f"{__name__}:make", "papyrus"),)

    def make(url, now):
        folder = Path(url.partition("://")[2].rpartition("@")[2])
        folder.mkdir(exist_ok=True)
        return SqliteRecords(folder, durable=False, now=now)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", environment={}, runner="process")


def test_an_installation_says_what_it_is(settings: Settings) -> None:
    with open_deployment(settings) as deployment:
        assert (deployment.home, deployment.organization) == (settings.home, "default")
        assert (deployment.title, deployment.version) == ("Tailrace", settings.product.version)
    assert not settings.home.exists()


def test_organizations_see_nothing_of_each_other(settings: Settings) -> None:
    with open_deployment(settings) as deployment:
        deployment.keys.create_organization("acme")
        ours, theirs = deployment.services("default"), deployment.services("acme")
        our_run, their_run = ours.run(FLOW), theirs.run(FLOW)

        assert [view.id for view in ours.executions.list(ExecutionFilter()).data] == [our_run.id]
        assert [view.id for view in theirs.executions.list(ExecutionFilter()).data] == [their_run.id]
        (output,) = theirs.outputs.list(OutputFilter()).data
        with pytest.raises(NotFound):
            ours.outputs.get(output.id)
        with pytest.raises(NotFound):
            ours.executions.get(their_run.id)


def test_services_are_made_once_and_share_what_is_open(settings: Settings) -> None:
    with open_deployment(settings) as deployment:
        deployment.keys.create_organization("acme")
        ours, theirs = deployment.services("default"), deployment.services("acme")

        assert deployment.services("acme") is theirs
        assert ours.records is theirs.records
        assert ours.storage is theirs.storage
        theirs.close()
        assert ours.executions.list(ExecutionFilter()).data == ()


def test_an_organization_that_is_not_there(settings: Settings) -> None:
    with open_deployment(settings) as deployment, pytest.raises(NotFound) as caught:
        deployment.services("nobody")
    assert str(caught.value) == "there is no organization `nobody`"


def test_the_organization_of_the_settings_is_made(settings: Settings, tmp_path: Path) -> None:
    own = load_settings(home=tmp_path / "home", environment={}, organization="acme")
    with open_deployment(own) as deployment:
        deployment.services("acme")
        assert [one.id for one in deployment.keys.organizations()] == ["acme", "default"]


def test_templates_of_an_organization_are_its_own(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    (folder / "_templates").mkdir(parents=True)
    template = "id: t\nnamespace: company.team\ntasks:\n  - {id: said, type: debug.Return, format: secret recipe}\n"
    (folder / "_templates" / "t.yaml").write_text(template, "utf-8")
    flow = (
        "id: uses\nnamespace: company.team\ntasks:\n"
        "  - {id: call, type: io.kestra.core.tasks.flows.Template, namespace: company.team, templateId: t}\n"
    )
    (folder / "flow.yaml").write_text(flow, "utf-8")
    with open_deployment(settings) as deployment:
        deployment.keys.create_organization("acme")
        assert deployment.services("default").run(folder / "flow.yaml").state == "SUCCESS"
        assert deployment.services("default").flows.read(flow).id == "uses"
        with pytest.raises(InvalidFlow) as caught:
            deployment.services("acme").flows.read(flow)
        assert "the template `company.team.t` is not known here" in str(caught.value)


def test_it_is_healthy_when_records_and_storage_answer(settings: Settings) -> None:
    with open_deployment(settings) as deployment:
        deployment.healthy()


def test_it_is_not_healthy_when_the_home_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file", "utf-8")
    with open_deployment(load_settings(home=tmp_path / "home", environment={})) as deployment:
        with pytest.raises(Unreachable) as caught:
            deployment.healthy()
        assert caught.value.where == str(tmp_path / "home")


def papyrus(tmp_path: Path) -> Settings:
    """Settings whose records are brought by a plugin."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "papyrus.py").write_text(dedent(STORE), "utf-8")
    url = f"papyrus://me:s3cret@{tmp_path}/elsewhere"
    return load_settings(home=tmp_path / "home", environment={"TAILRACE_RECORDS": url}, plugins_dir=plugins)


def test_records_behind_a_url_are_those_of_a_plugin(tmp_path: Path) -> None:
    settings = papyrus(tmp_path)
    with open_deployment(settings) as deployment:
        run = deployment.services("default").run(FLOW)

    assert not (settings.home / "records.db").exists()
    assert (tmp_path / "elsewhere" / "records.db").is_file()
    with open_deployment(settings) as deployment:
        assert deployment.services("default").outputs.value(f"{run.id}/a") == {"value": "of f"}


def test_doctor_tells_where_the_records_are_and_no_password(tmp_path: Path) -> None:
    app = App(papyrus(tmp_path))
    (found,) = [check for check in app.checks() if check[0] == "records"]
    app.close()

    assert found == ("records", True, f"papyrus://{tmp_path}/elsewhere")


def test_doctor_tells_when_nobody_brings_the_record_store(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, environment={}, records="clay://me:s3cret@tablet")
    app = App(settings)
    (found,) = [check for check in app.checks() if check[0] == "records"]

    assert found == (
        "records", False,
        "setting records: there is no record store for `clay://`\n  to do: install the plugin that brings it",
    )  # fmt: skip


def test_it_implements_what_servers_ask_for() -> None:
    from core.host.deployment import Deployment

    asked = {name for name in vars(Deployment) if not name.startswith("_")}
    assert asked <= set(dir(Installation))
