"""`plugins`: what is installed, what its types want, and how to begin one."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from core.cli.command import Call, Command, home_options, json_option
from core.cli.exit_codes import OK
from core.cli.opening import opened
from core.cli.skeleton import write_plugin
from core.registry.docs import type_page
from core.registry.schema import type_schema

_SHOWN = 6
"""Names of what a plugin brings that a list for people shows."""


def _configure_list(parser: ArgumentParser) -> None:
    json_option(parser)
    home_options(parser)


def _list(call: Call) -> int:
    out = call.out
    with opened(call) as app:
        plugins = app.registry.plugins()
    if call.args.json:
        rows = [
            {
                "name": plugin.name,
                "distribution": plugin.distribution or None,
                "version": plugin.version or None,
                "module": plugin.module,
                "brings": plugin.brings,
                "error": plugin.error or None,
            }
            for plugin in plugins
        ]
        out.data({"data": rows})
        return OK
    out.table(
        ("NAME", "VERSION", "BRINGS"),
        [(plugin.name, plugin.version or None, _few(plugin.brings)) for plugin in plugins],
    )
    for plugin in plugins:
        if plugin.error:
            out.result(f"\n{plugin.name} is not used: {plugin.error}")
    return OK


def _few(names: Sequence[str]) -> str:
    """The first names, and how many there are."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown}, … ({len(names)} in all)" if len(names) > _SHOWN else shown


def _configure_doc(parser: ArgumentParser) -> None:
    parser.add_argument("type", metavar="TYPE", help="a type's name, as behind `type:` in a flow")
    parser.add_argument("--json", action="store_true", help="print the JSON Schema of its properties instead")
    home_options(parser)


def _doc(call: Call) -> int:
    with opened(call) as app:
        if call.args.json:
            call.out.data(type_schema(app.registry, call.args.type))
        else:
            call.out.result(type_page(app.registry, call.args.type).removesuffix("\n"))
    return OK


def _configure_new(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="small letters, digits and hyphens")
    parser.add_argument("--into", type=Path, default=Path(), metavar="DIR", help="where to put it (default: here)")
    json_option(parser)


def _new(call: Call) -> int:
    folder = write_plugin(call.args.name, call.args.into, call.product)
    package = folder.name.replace("-", "_")
    if call.args.json:
        call.out.data({"folder": str(folder), "package": package})
        return OK
    call.out.result(f"{folder} is a plugin that works. From inside it:")
    call.out.result(f"  {call.product.command} run flow.yaml --plugins-dir {package}    # as it is")
    call.out.result("  pip install -e .    # for every flow, without --plugins-dir")
    call.out.result("  pytest")
    return OK


COMMANDS = (
    Command("plugins list", "Every plugin, what it brings, and why one failed to load.", _configure_list, _list),
    Command("plugins doc", "The reference page of a type.", _configure_doc, _doc),
    Command("plugins new", "Write a plugin that works into a new folder.", _configure_new, _new),
)
