"""Record stores and commands that plugins bring: found by scheme and by first word, refused with reasons."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from core.cli.main import COMMANDS
from core.errors import NotFound, PluginError
from core.registry import Registry, load_registry
from core.registry.known import COMMANDS as FIRST_PARTY
from core.registry.known import OWN_COMMANDS, RECORD_STORES
from core.sdk.hooks import CommandRef, RecordStoreRef

STORE = """
    from core.sdk.hooks import RecordStoreRef, hookimpl

    @hookimpl
    def record_stores():
        return (RecordStoreRef("{module}:make", "{scheme}", "Rows of a test."),)

    def make(url, now):
        return (url, now)
"""
COMMAND = """
    from core.sdk.hooks import CommandRef, hookimpl

    @hookimpl
    def commands():
        return (CommandRef("somewhere:COMMANDS", "{word}", "says something"),)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of plugins."""
    made = tmp_path / "plugins"
    made.mkdir()
    return made


def put(folder: Path, name: str, source: str, **names: str) -> None:
    (folder / f"{name}.py").write_text(dedent(source).format(**names), "utf-8")


def load(folder: Path) -> Registry:
    return load_registry(None, folder, "test.plugins")


def test_a_record_store_is_found_by_the_scheme_of_its_url(folder: Path) -> None:
    put(folder, "own_papyrus", STORE, module="tailrace_local_own_papyrus", scheme="papyrus")
    registry = load(folder)

    make: Any = registry.record_store("papyrus://nile")

    assert make("papyrus://nile", 7) == ("papyrus://nile", 7)
    assert [(plugin.brings, plugin.error) for plugin in registry.plugins()] == [(("papyrus://",), "")]


def test_a_scheme_that_nobody_brings_names_the_distribution_and_no_password(folder: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load(folder).record_store("postgresql://me:s3cret@host/db")

    assert str(caught.value) == (
        "setting records: there is no record store for `postgresql://`\n"
        "  to do: `tailrace-records-postgres` brings it: pip install tailrace-records-postgres"
    )


def test_a_scheme_that_nobody_knows(folder: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load(folder).record_store("clay://tablet")

    assert str(caught.value) == (
        "setting records: there is no record store for `clay://`\n  to do: install the plugin that brings it"
    )


def test_a_store_whose_module_is_not_there_is_told_when_it_is_used(folder: Path) -> None:
    put(folder, "papyrus", STORE, module="no_such_module", scheme="papyrus")

    with pytest.raises(PluginError) as caught:
        load(folder).record_store("papyrus://me:s3cret@nile")

    assert str(caught.value) == (
        "the record store `papyrus://` can't be loaded: the Python package `no_such_module` is not installed\n"
        "  to do: install what provides the Python package `no_such_module` into this environment"
    )


def test_commands_are_listed_by_their_first_words(folder: Path) -> None:
    put(folder, "one", COMMAND, word="zeta")
    put(folder, "two", COMMAND, word="alpha")
    registry = load(folder)

    assert registry.commands() == (
        CommandRef("somewhere:COMMANDS", "alpha", "says something"),
        CommandRef("somewhere:COMMANDS", "zeta", "says something"),
    )
    assert [plugin.brings for plugin in registry.plugins()] == [("zeta",), ("alpha",)]


def test_a_word_or_scheme_is_brought_once(folder: Path) -> None:
    for name in ("first", "second"):
        put(folder, name, COMMAND + STORE, word="same", module="m", scheme="same")
    first, second = load(folder).plugins()

    assert (first.error, second.brings) == ("", ())
    assert second.error == (
        "the record store `same` is brought by `first` already; the command `same` is brought by `first` already"
    )


def test_commands_of_the_engine_itself_can_not_be_taken(folder: Path) -> None:
    put(folder, "greedy", COMMAND, word="run")
    registry = load(folder)

    assert registry.commands() == ()
    assert [plugin.error for plugin in registry.plugins()] == ["the command `run` is the engine's own"]


@pytest.mark.parametrize(("hook", "kind"), [("commands", "CommandRef"), ("record_stores", "RecordStoreRef")])
def test_what_is_no_reference_is_refused(folder: Path, hook: str, kind: str) -> None:
    (folder / "odd.py").write_text(
        f"from core.sdk.hooks import hookimpl\n@hookimpl\ndef {hook}():\n    return ('server',)\n", "utf-8"
    )

    assert [plugin.error for plugin in load(folder).plugins()] == [f"it brings 'server', which is no {kind}"]


def test_a_submodule_with_a_hooks_name_is_refused(folder: Path) -> None:
    package = folder / "hiding"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from importlib import import_module\n"
        + dedent(COMMAND).format(word="say")
        + 'import_module(f"{__name__}.commands")\n',
        "utf-8",
    )
    (package / "commands.py").write_text("", "utf-8")

    assert [plugin.error for plugin in load(folder).plugins()] == [
        "its submodule `commands` hides its hook of that name: one of the two needs another name"
    ]


def test_what_was_asked_once_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    (site / "acme_1.dist-info").mkdir(parents=True)
    (site / "acme_1.dist-info" / "METADATA").write_text("Name: acme\nVersion: 1\n", "utf-8")
    (site / "acme_1.dist-info" / "entry_points.txt").write_text("[test.plugins]\nacme = acme_things\n", "utf-8")
    source = dedent(COMMAND + STORE).format(word="say", module="m", scheme="papyrus")
    (site / "acme_things.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(str(site))
    cache = tmp_path / "plugins.json"

    asked = load_registry(cache, None, "test.plugins")
    monkeypatch.setattr("core.registry.asking.ask", lambda module: pytest.fail("it was asked again"))
    remembered = load_registry(cache, None, "test.plugins")

    assert asked.commands() == remembered.commands() == (CommandRef("somewhere:COMMANDS", "say", "says something"),)
    assert remembered._record_stores == {"papyrus": RecordStoreRef("m:make", "papyrus", "Rows of a test.")}
    assert asked.plugins() == remembered.plugins()


def test_the_words_of_the_command_line_are_its_own() -> None:
    assert {*COMMANDS, "help"} == OWN_COMMANDS
    assert OWN_COMMANDS & FIRST_PARTY.keys() == set()
    assert set(RECORD_STORES.values()) <= set(FIRST_PARTY.values())
