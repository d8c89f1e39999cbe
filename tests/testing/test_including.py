"""`Registry.including`: classes that no plugin brings."""

from __future__ import annotations

import pytest

from core.builtin.debug import Return
from core.errors import PluginError
from core.registry import PluginInfo, load_registry
from core.registry.docs import type_page
from core.sdk import RunContext, RunnableTask
from tests.testing.shout import Shout

INSTALLED = load_registry(None)


class OtherReturn(RunnableTask, type="debug.Return"):
    """Give nothing."""

    def run(self, ctx: RunContext) -> None:
        return None


def test_a_class_is_found_under_its_name_and_aliases() -> None:
    registry = INSTALLED.including(Shout)
    assert registry.resolve("shout.Shout") is registry.resolve("com.acme.plugin.Shout") is Shout
    assert [entry.name for entry in registry.entries("task") if entry.name.startswith("shout")] == ["shout.Shout"]
    assert registry.suggest("shout.Shuot") == ("shout.Shout",)
    assert registry.plugins()[0] == PluginInfo(Shout.__module__, "", "", Shout.__module__, ("shout.Shout",))
    assert type_page(registry, "shout.Shout").startswith("# shout.Shout\n\nWrite a text in capitals.\n")


def test_the_registry_itself_does_not_change() -> None:
    INSTALLED.including(Shout)
    assert INSTALLED.find("shout.Shout") is None


def test_what_a_plugin_brings_stays_as_it_is() -> None:
    registry = INSTALLED.including(Return)
    assert registry.plugins() == INSTALLED.plugins()
    assert registry.find("debug.Return") == INSTALLED.find("debug.Return")


def test_another_class_of_the_same_name_comes_first() -> None:
    registry = INSTALLED.including(OtherReturn)
    assert registry.resolve("debug.Return") is OtherReturn
    assert registry.resolve("io.kestra.plugin.core.debug.Return") is Return


def test_a_class_without_a_name_is_refused() -> None:
    class Nameless(RunnableTask):
        """Have no name."""

    with pytest.raises(PluginError) as caught:
        INSTALLED.including(Nameless)
    assert caught.value.what.endswith("Nameless` has no name as a type")
    assert caught.value.hint == 'class Nameless(…, type="group.Name")'
