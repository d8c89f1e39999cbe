"""A page for each task type and task runner, and the list of them."""

from __future__ import annotations

from functools import cache

from core.registry import Registry, TypeEntry, load_registry
from core.registry.docs import type_page
from docs._generator.markdown import code, joined, table

FIRST_PARTY = "tailrace"


@cache
def registry() -> Registry:
    return load_registry(None)


def entries() -> tuple[TypeEntry, ...]:
    """The types of the first-party plugins, by name."""
    ours = {plugin.name for plugin in registry().plugins() if plugin.distribution.split("-")[0] == FIRST_PARTY}
    return tuple(sorted((entry for entry in registry().entries() if entry.plugin in ours), key=lambda one: one.name))


def pages() -> dict[str, str]:
    made = {f"types/{entry.name}.md": type_page(registry(), entry.name) for entry in entries()}
    return {"types/README.md": _index(), **made}


def _index() -> str:
    rows = [
        (f"[`{entry.name}`]({entry.name}.md)", entry.title, ", ".join(code(alias) for alias in entry.aliases))
        for entry in entries()
    ]
    return joined(
        "# Types",
        "What may stand behind `type:`. The names of the reference language mean the same types. "
        "`python -m core plugins doc TYPE` prints one of these pages, also for plugins of others.",
        table(["type", "what it does", "other names"], rows),
    )
