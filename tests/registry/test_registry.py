"""Which plugins and types exist: names, near misses, failures, duplicates, replacements, local files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from core.errors import NotFound, PluginError
from core.registry import PluginInfo, Registry, TypeEntry, build, load_registry
from core.registry.known import PLANNED, RELEASED, origin_of
from core.sdk import Task, TaskRunner
from core.sdk.triggers import Condition, Trigger

GROUP = "test.plugins"
TASK = """
    from __future__ import annotations
    from datetime import timedelta
    from core.sdk import RunnableTask, prop

    class Shout(RunnableTask, type="shout.Shout", aliases=("com.acme.Shout",)):
        '''Write a text in capitals.

        And loud.
        '''
        text: str = prop("Text to shout.")
        pause: timedelta | None = prop("Before.", default=None)
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution on sys.path: a module and its metadata, as an installer leaves them."""
    site = tmp_path / "site"
    site.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(site))

    def put(module: str, source: str, version: str = "1.0", value: str = "", name: str = "") -> None:
        (site / f"{module}.py").write_text(dedent(source), encoding="utf-8")
        metadata = site / f"acme_{module}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: acme-{module}\nVersion: {version}\n", encoding="utf-8")
        points = f"[{GROUP}]\n{name or module} = {value or module}\n"
        (metadata / "entry_points.txt").write_text(points, encoding="utf-8")

    yield put
    for module in set(sys.modules) - before:
        del sys.modules[module]


def load(cache_file: Path | None = None, plugins_dir: Path | None = None) -> Registry:
    return load_registry(cache_file, plugins_dir, GROUP)


def errors(registry: Registry) -> dict[str, str]:
    return {plugin.name: plugin.error for plugin in registry.plugins()}


def refs(*lines: str, hook: str = "task_types") -> str:
    """A light module that brings references."""
    return "\n".join(
        (
            "from core.sdk import StorageRef, TypeRef, hookimpl",
            "@hookimpl",
            f"def {hook}():",
            f"    return [{', '.join(lines)}]",
        )
    )


def test_a_module_of_classes_needs_no_hook(install: Install) -> None:
    install("shout", TASK)
    registry = load()
    entry = TypeEntry(
        "shout.Shout", ("com.acme.Shout",), "Write a text in capitals.", "task", "shout", "shout:Shout"
    )
    assert registry.entries() == (entry,)
    assert registry.find("com.acme.Shout") == registry.find("shout.Shout") == entry
    assert registry.plugins() == (PluginInfo("shout", "acme-shout", "1.0", "shout", ("shout.Shout",)),)
    assert registry.resolve("com.acme.Shout") is registry.resolve("shout.Shout")


def test_a_type_of_a_reference_is_imported_when_it_is_resolved(install: Install) -> None:
    install("shout_tasks", TASK, value="none:none", name="unused")
    install("shout", refs('TypeRef("shout_tasks:Shout", "shout.Shout", title="Shouts")'))
    registry = load()
    assert registry.find("shout.Shout") is not None
    assert "shout_tasks" not in sys.modules
    assert registry.resolve("shout.Shout").__name__ == "Shout"


def test_the_kind_of_a_runner_comes_from_its_hook(install: Install) -> None:
    install("boat", refs('TypeRef("boat:Boat", "runner.Boat")', hook="task_runners"))
    registry = load()
    assert [entry.name for entry in registry.entries("runner")] == ["runner.Boat"]
    assert registry.entries("task") == ()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import nothing_of_this_name.at_all", "the Python package `nothing_of_this_name` is not installed"),
        ("import json.nothing", "there is no module `json.nothing`"),
        ("from core.sdk import NoSuchThing", "cannot import name 'NoSuchThing' from 'core.sdk'"),
        ("x = = 1", "its code has a syntax error in line 1: invalid syntax"),
        ("raise ValueError('out of\\n luck')", "ValueError: out of luck"),
        ("raise SystemExit", "SystemExit"),
        ("API_VERSION = 99", "it needs plugin API 99 and the engine has 1: upgrade the engine"),
        ("requires_api = (7, 9)", "it needs plugin API 7 and the engine has 1: upgrade the engine"),
        ("requires_api = (0, 0)", "it needs plugin API 0 and the engine has 1: upgrade the plugin"),
        ("API_VERSION = '1'", "its `requires_api` is not a pair of numbers, or its `API_VERSION` not a number"),
        (refs(hook="task_typs"), "it implements the hook `task_typs`, which does not exist"),
        (refs("1 / 0"), "ZeroDivisionError: division by zero"),
        (refs("'http.Request'"), "it brings 'http.Request', which is neither a type with a name nor a TypeRef"),
    ],
)
def test_a_plugin_that_fails_is_recorded_and_harms_no_other(install: Install, source: str, error: str) -> None:
    install("broken", source)
    install("shout", TASK)
    registry = load()
    found = errors(registry)
    assert found["broken"] == error
    assert found["shout"] == ""
    assert registry.find("shout.Shout") is not None


@pytest.mark.parametrize("declared", ["API_VERSION = 1", "requires_api = (1, 3)", "from core.sdk import API_VERSION"])
def test_a_plugin_for_this_api_is_loaded(install: Install, declared: str) -> None:
    install("fine", declared)
    assert errors(load()) == {"fine": ""}


def test_an_entry_point_may_name_an_object_of_a_module(install: Install) -> None:
    source = """
        from core.sdk import TypeRef, hookimpl
        class Plugin:
            @hookimpl
            def task_types(self):
                return [TypeRef("a:B", "a.B")]
        plugin = Plugin()
    """
    install("holder", source, value="holder:plugin")
    registry = load()
    assert errors(registry) == {"holder": ""}
    assert registry.find("a.B") is not None


def test_a_type_whose_module_fails_names_plugin_and_cause(install: Install) -> None:
    install("light", refs('TypeRef("heavy_module:Heavy", "heavy.Heavy")', 'TypeRef("light:Gone", "light.Gone")'))
    registry = load()
    with pytest.raises(PluginError) as caught:
        registry.resolve("heavy.Heavy")
    assert str(caught.value) == (
        "the type `heavy.Heavy` of the plugin `light` can't be loaded: "
        "the Python package `heavy_module` is not installed\n"
        "  to do: install what provides the Python package `heavy_module` into this environment"
    )
    with pytest.raises(PluginError) as caught:
        registry.resolve("light.Gone")
    assert str(caught.value) == (
        "the type `light.Gone` of the plugin `light` can't be loaded: there is no `Gone` in the module `light`"
    )


def test_the_second_that_brings_a_name_is_refused(install: Install) -> None:
    install("aaa", refs('TypeRef("aaa:One", "x.One", ("old.One",))'))
    install("bbb", refs('TypeRef("bbb:One", "y.One", ("old.One",))', 'TypeRef("bbb:Two", "y.Two")'))
    registry = load()
    assert errors(registry) == {"aaa": "", "bbb": "the type `old.One` is brought by `aaa` already"}
    assert [entry.name for entry in registry.entries()] == ["x.One", "y.Two"]


def test_a_type_may_take_the_place_of_another_whatever_the_order(install: Install) -> None:
    install("aaa", refs('TypeRef("aaa:One", "aaa.One", replaces="old.One")'))
    install("bbb", refs('TypeRef("bbb:One", "x.One", ("old.One",))'))
    install("ccc", refs('TypeRef("ccc:One", "ccc.One", replaces="x.One")'))
    registry = load()
    assert [registry.find(name).target for name in ("x.One", "old.One", "aaa.One")] == ["aaa:One"] * 3  # type: ignore[union-attr]
    assert errors(registry) == {"aaa": "", "bbb": "", "ccc": "the type `x.One` is replaced by `aaa` already"}
    assert [plugin.brings for plugin in registry.plugins()] == [("aaa.One",), (), ()]


def test_two_plugins_of_one_name_are_told_apart_by_their_distribution(install: Install) -> None:
    install("one", "", name="same")
    install("two", "", name="same")
    assert errors(load()) == {"same": "", "same (acme-two)": ""}


def test_a_storage_backend_is_a_factory(install: Install) -> None:
    factory = "\ndef make(root, durable):\n    return root"
    install("depot", refs('StorageRef("depot:make", "depot")', hook="storage_backends") + factory)
    install("depot2", refs('StorageRef("depot2:make", "depot")', hook="storage_backends"))
    registry = load()
    assert registry.storage_backend("depot")(Path("a"), True) == Path("a")  # type: ignore[comparison-overlap]
    assert errors(registry) == {"depot": "", "depot2": "the storage backend `depot` is brought by `depot` already"}
    with pytest.raises(NotFound) as caught:
        registry.storage_backend("depott")
    assert str(caught.value) == (
        "there is no storage backend `depott`\n  expected: depot\n  to do: did you mean `depot`?"
    )


def test_the_distribution_of_the_usual_storage_is_named() -> None:
    with pytest.raises(NotFound) as caught:
        Registry({}, {}, []).storage_backend("local")
    assert str(caught.value) == (
        "there is no storage backend `local`\n"
        "  to do: `tailrace-storage-local` brings it: pip install tailrace-storage-local"
    )


def test_files_and_packages_of_a_folder_are_plugins(tmp_path: Path, install: Install) -> None:
    folder = tmp_path / "mine"
    (folder / "pack").mkdir(parents=True)
    (folder / "my-shout.py").write_text(dedent(TASK), encoding="utf-8")
    (folder / "pack" / "__init__.py").write_text("from .inner import Inner\n", encoding="utf-8")
    inner = "from core.sdk import RunnableTask\nclass Inner(RunnableTask, type='pack.Inner'):\n    '''In.'''\n"
    (folder / "pack" / "inner.py").write_text(inner, encoding="utf-8")
    (folder / "bad.py").write_text("1 / 0", encoding="utf-8")
    (folder / "_draft.py").write_text("1 / 0", encoding="utf-8")
    (folder / "notes.txt").write_text("", encoding="utf-8")
    registry = load(plugins_dir=folder)
    assert registry.plugins() == (
        PluginInfo("bad", "", "", "tailrace_local_bad", (), "ZeroDivisionError: division by zero"),
        PluginInfo("my-shout", "", "", "tailrace_local_my_shout", ("shout.Shout",)),
        PluginInfo("pack", "", "", "tailrace_local_pack", ("pack.Inner",)),
    )
    assert build(registry.resolve("shout.Shout"), {"text": "a", "pause": "PT1S"}, registry)
    assert registry.resolve("pack.Inner").__doc__ == "In."


def test_files_of_one_name_in_two_folders_do_not_meet(tmp_path: Path, install: Install) -> None:
    registries = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        source = dedent(TASK).replace("Text to shout.", name)
        (tmp_path / name / "shout.py").write_text(source, encoding="utf-8")
        registries.append(load(plugins_dir=tmp_path / name))
    first, second = (registry.resolve("shout.Shout") for registry in registries)
    assert first is not second
    assert (first.__module__, second.__module__) == ("tailrace_local_shout", "tailrace_local_shout_2")


def test_a_plugins_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load(plugins_dir=tmp_path / "none")
    assert str(caught.value) == (
        f"there is no plugins folder `{tmp_path / 'none'}`\n  expected: a folder that holds Python files"
    )


def hint_for(registry: Registry, name: str) -> str:
    with pytest.raises(NotFound) as caught:
        registry.resolve(name)
    assert caught.value.what == f"there is no type `{name}`"
    return caught.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("shout.Shuot", "did you mean `shout.Shout`?"),
        ("Shout", "did you mean `shout.Shout`?"),
        ("com.acme.shout", "did you mean `com.acme.Shout`?"),
        ("whatever", "`plugins list` shows every type there is"),
        ("io.kestra.plugin.core.http.Request", "`tailrace-http` brings it: pip install tailrace-http"),
        ("io.kestra.plugin.fs.http.Download", "`tailrace-http` brings it: pip install tailrace-http"),
        ("http.Request", "`tailrace-http` brings it: pip install tailrace-http"),
        (
            "io.kestra.plugin.scripts.python.Script",
            "`tailrace-scripts-python` brings it: pip install tailrace-scripts-python",
        ),
        (
            "io.kestra.plugin.scripts.runner.docker.Docker",
            "`tailrace-runner-docker` brings it: pip install tailrace-runner-docker",
        ),
        ("jdbc.duckdb.Query", "`tailrace-jdbc-duckdb` brings it: pip install tailrace-jdbc-duckdb"),
        (
            "io.kestra.core.tasks.storages.Split",
            "`tailrace-essentials` brings it: pip install tailrace-essentials",
        ),
        ("kv.Set", "`tailrace-essentials` brings it: pip install tailrace-essentials"),
        ("io.kestra.plugin.core.http.SseRequest", "it is planned, and not there yet"),
        ("io.kestra.plugin.core.flow.Subflow", "the engine does not support it yet"),
        (
            "io.kestra.plugin.gcp.bigquery.Query",
            "no installed plugin brings it, and no distribution is known that does",
        ),
    ],
)
def test_an_unknown_type_comes_with_advice(install: Install, name: str, hint: str) -> None:
    install("shout", TASK)
    assert hint_for(load(), name) == hint


def test_an_unknown_type_reminds_of_plugins_that_failed(install: Install) -> None:
    install("broken", "1 / 0")
    assert hint_for(load(), "a.B") == "`plugins list` says what is wrong with `broken`"


def test_a_known_type_whose_distribution_is_there_is_a_near_miss() -> None:
    registry = load_registry(None)
    assert hint_for(registry, "io.kestra.plugin.core.log.Logg") == "did you mean `io.kestra.plugin.core.log.Log`?"


def test_a_distribution_that_is_not_there_is_named_for_its_own_types_only() -> None:
    registry = load_registry(None)
    distributions = {info.name: info.distribution for info in registry.plugins()}
    brought = {
        word: distributions[entry.plugin]
        for entry in registry.entries()
        for word in (entry.name, *entry.aliases)
        if distributions[entry.plugin].startswith("tailrace")
    }
    told = {word: origin_of(word).distribution for word in brought}
    assert told == {word: "" if name == "tailrace" else name for word, name in brought.items()}


def test_references_agree_with_their_classes() -> None:
    registry = load_registry(None)
    for entry in registry.entries():
        cls = registry.resolve(entry.name)
        bases = {"runner": TaskRunner, "trigger": Trigger, "condition": Condition, "task": Task}
        assert (entry.name, entry.aliases) == (cls.type, cls.aliases)
        assert issubclass(cls, bases[entry.kind])
        assert cls.plugin_kind == entry.kind
    assert errors(registry) == dict.fromkeys(errors(registry), "")


def test_suggestions_name_every_type_once_in_the_spelling_that_was_used() -> None:
    registry = load_registry(None)
    assert registry.suggest("io.kestra.plugin.core.debug.Retrun")[0] == "io.kestra.plugin.core.debug.Return"
    assert registry.suggest("return")[0] == "debug.Return"


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("flows.Paralel", "flow.Parallel"),
        ("io.kestra.plugin.script.python.Script", "io.kestra.plugin.scripts.python.Script"),
        ("io.kestra.plugin.log.Log", "io.kestra.plugin.core.log.Log"),
        ("duckdb.Query", "jdbc.duckdb.Query"),
        ("core.Retrun", "debug.Return"),
        ("io.kestra.plugin.jdbc.postgresql.Query", ""),
        ("io.kestra.plugin.aws.s3.Upload", ""),
        ("io.kestra.plugin.nats.kv.Get", ""),
        ("io.kestra.plugin.scripts.node.Script", ""),
        ("io.kestra.plugin.scripts.powershell.Script", ""),
        ("io.kestra.plugin.notifications.mail.MailExecution", ""),
        ("aws.s3.Upload", ""),
    ],
)
def test_only_types_of_a_package_like_the_one_that_was_written_are_suggested(name: str, suggested: str) -> None:
    assert next(iter(load_registry(None).suggest(name, "task")), "") == suggested


def test_only_types_of_the_kind_that_is_asked_for_are_suggested() -> None:
    registry = load_registry(None)
    assert registry.suggest("Log", "task") == ("log.Log",)
    assert registry.suggest("Log", "runner") == ()
    assert registry.suggest("core.Flw", "trigger") == ("trigger.Flow",)
    with pytest.raises(NotFound) as caught:
        registry.resolve("runner.Log", "trigger")
    assert str(caught.value) == "there is no type `runner.Log`\n  to do: `plugins list` shows every type there is"


def test_the_names_of_the_reference_point_to_distributions_of_this_project() -> None:
    assert {name.partition("-")[0] for name in RELEASED.values()} == {"tailrace"}
    assert all(package.endswith(".") for package in PLANNED)


def run_python(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


LOAD = """
import sys
from pathlib import Path
from core.registry import load_registry
registry = load_registry(Path(sys.argv[1]))
print('importlib.metadata' in sys.modules, 'cattrs' in sys.modules, registry.find('log.Log') is not None)
"""


def test_a_second_start_reads_no_package_metadata(tmp_path: Path) -> None:
    cache = tmp_path / "home" / "plugins.json"
    assert run_python(LOAD, str(cache)) == "True False True"
    assert run_python(LOAD, str(cache)) == "False False True"
    cache.write_text('{"format": 1', encoding="utf-8")
    assert run_python(LOAD, str(cache)) == "True False True"
    assert run_python(LOAD, str(cache)) == "False False True"
