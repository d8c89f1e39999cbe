"""Templates beside a flow, and files of namespaces as defaults of FILE inputs."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from core.errors import InvalidFlow, InvalidInput
from core.testing import run_flow, temporary_app

USING = """
id: using
namespace: company.team
inputs:
  - {id: who, type: STRING, defaults: world}
tasks:
  - {id: greet, type: flow.Template, namespace: company.team, templateId: greeting, args: {who: "{{ inputs.who }}"}}
"""
TEMPLATE = """
id: greeting
namespace: company.team
tasks:
  - {id: said, type: debug.Return, format: "hello {{ parent.outputs.args.who }}"}
"""
FILED = """
id: filed
namespace: company.team
inputs:
  - {id: data, type: FILE, defaults: "nsfile:///data/a.txt"}
tasks:
  - {id: read, type: debug.Return, format: "{{ read(inputs.data) }}"}
"""


def flow_in(folder: Path) -> Path:
    (folder / "_templates").mkdir()
    (folder / "_templates" / "any-name.yaml").write_text(TEMPLATE, "utf-8")
    (folder / "_templates" / "broken.yaml").write_text("id: [", "utf-8")
    (folder / "flow.yaml").write_text(USING, "utf-8")
    return folder / "flow.yaml"


def test_a_template_beside_the_flow_is_read_in_its_place(tmp_path: Path) -> None:
    run = run_flow(flow_in(tmp_path))

    assert (run.state, run.tasks["said"].output) == ("SUCCESS", {"value": "hello world"})


def test_the_home_keeps_what_a_revision_stands_on(tmp_path: Path) -> None:
    folder, home = tmp_path / "flows", tmp_path / "home"
    folder.mkdir()
    path = flow_in(folder)
    with temporary_app() as app:
        run_flow(path, app=app)
        (folder / "_templates" / "any-name.yaml").unlink()
        app.flows._parsed.clear()

        again = app.flows.parsed("company.team", "using", 1)

    assert [step.id for step in again.steps()] == ["greet", "said"]
    assert not home.exists()


def test_without_its_template_a_flow_is_refused() -> None:
    with pytest.raises(InvalidFlow) as caught:
        run_flow(USING)

    assert "the template `company.team.greeting` is not known here, and templates are deprecated" in str(caught.value)


def test_the_default_of_a_file_lies_beside_the_flow(tmp_path: Path) -> None:
    (tmp_path / "_files" / "data").mkdir(parents=True)
    (tmp_path / "_files" / "data" / "a.txt").write_text("beside", "utf-8")
    with temporary_app() as app:
        app.flows.look_in(tmp_path)
        run = run_flow(FILED, app=app)

    assert (run.state, run.tasks["read"].output) == ("SUCCESS", {"value": "beside"})


@pytest.mark.parametrize("uri", ["nsfile:///data/a.txt", "nsfile://company.other/data/a.txt"])
def test_the_default_of_a_file_is_one_of_a_namespace(uri: str) -> None:
    namespace = "company.other" if "other" in uri else "company.team"
    with temporary_app() as app:
        stored = app.storage.put(app.settings.organization, "kept/a.txt", BytesIO(b"kept"))
        app.records.save_namespace_file(
            app.settings.organization, namespace, "data/a.txt", stored.uri, stored.size, stored.sha256, 1
        )
        run = run_flow(FILED.replace("nsfile:///data/a.txt", uri), app=app)

    assert (run.state, run.tasks["read"].output) == ("SUCCESS", {"value": "kept"})


@pytest.mark.parametrize("name", ["data/a.txt", "../flow.yaml"])
def test_a_file_that_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "flow.yaml").write_text("secret", "utf-8")
    with temporary_app() as app:
        app.flows.look_in(tmp_path)
        with pytest.raises(InvalidInput) as caught:
            run_flow(FILED.replace("data/a.txt", name), app=app)

    assert caught.value.what == f"there is no file `{name}` in the namespace company.team"


def test_each_organization_keeps_templates_of_its_own(tmp_path: Path) -> None:
    with temporary_app() as app:
        other = app.for_organization("company.team")
        for one, text in ((app, "ours"), (other, "theirs")):
            folder = tmp_path / text
            folder.mkdir()
            path = flow_in(folder)
            (folder / "_templates" / "any-name.yaml").write_text(TEMPLATE.replace("hello", text), "utf-8")
            one.flows.keep(one.flows.read(path), local=False)
            (folder / "_templates" / "any-name.yaml").unlink()
        home = app.settings.home
        for one, text in ((app, "ours"), (other, "theirs")):
            one.flows._parsed.clear()
            (said,) = (step for step in one.flows.parsed("company.team", "using", 1).steps() if step.id == "said")
            assert str(said.properties["format"]).startswith(text)
        found = sorted(path.relative_to(home).as_posix() for path in home.rglob("greeting.yaml"))
    assert found == [
        "organizations/company.team/templates/company.team/greeting.yaml", "templates/company.team/greeting.yaml",
    ]  # fmt: skip
