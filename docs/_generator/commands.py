"""The command line, out of what each command tells argparse."""

from __future__ import annotations

from argparse import Action as Argument
from argparse import ArgumentParser, _HelpAction
from collections.abc import Iterator
from importlib import import_module
from textwrap import fill

from core.cli.command import Command, Parser, reach_options
from core.cli.main import COMMANDS
from core.cli.plugged import commands_of
from core.registry.known import COMMANDS as OF_PLUGINS
from docs._generator.markdown import cell, code, fence, joined, table
from docs._generator.types import registry

_INTRODUCTION = """\
`python -m core COMMAND …`; where Tailrace is installed, `tailrace COMMAND …` is the same. Results go to standard
output, logs, progress and errors to standard error. The [exit codes](errors.md#exit-codes) say how it ended.

Every command takes `--help`, and all but `plugins new` the options of the [installation](#installation);
options can't be abbreviated.
"""


def commands() -> Iterator[tuple[str, str, tuple[Command, ...]]]:
    """Each first word, what it is about, and the commands that begin with it; those of first-party plugins last."""
    for first, summary in COMMANDS.items():
        yield first, summary, import_module(f"core.cli.commands.{first}").COMMANDS
    for ref in registry().commands():
        if ref.word in OF_PLUGINS:
            yield ref.word, ref.summary, commands_of(ref)


def section(command: Command, heading: str) -> str:
    """The section of one command."""
    parser = _parser(command)
    shared = {tuple(argument.option_strings) for argument in _arguments(_installation())}
    own = [argument for argument in _arguments(parser) if tuple(argument.option_strings) not in shared]
    rows = [(code(_written(argument)), _said(argument)) for argument in own]
    usage = " ".join(["python -m core", command.words, *(_usage(argument) for argument in own)])
    return joined(
        f"{heading} {command.words}",
        command.summary,
        fence(fill(usage, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)),
        table(["argument", "what it means"], rows) if rows else "",
        command.details,
    )


def installation_section() -> str:
    rows = [(code(_written(argument)), _said(argument)) for argument in _arguments(_installation())]
    return joined(
        "## Installation",
        "Every command but `plugins new` takes these; `--server` and `--api-key` only those of `outputs`, `executions` "
        "and `eval`, which show of a server what they show of a home. What a server can't be asked for is refused: to "
        "purge, to change a task's state, to run what is held back. It knows ids in full length, and `last`.",
        table(["option", "what it means"], rows),
    )


def sections() -> Iterator[str]:
    for first, summary, found in commands():
        if [command.words for command in found] == [first]:
            yield section(found[0], "##")
            yield _origin(first)
            continue
        yield f"## {first}"
        yield summary[0].upper() + summary[1:] + "."
        yield _origin(first)
        yield from (section(command, "###") for command in found)


def _origin(first: str) -> str:
    """Which distribution brings a command that is not the core's."""
    return f"Comes with `{OF_PLUGINS[first]}`." if first in OF_PLUGINS else ""


def page() -> str:
    return joined("# The command line", _INTRODUCTION, *sections(), installation_section())


def _parser(command: Command) -> ArgumentParser:
    parser = Parser(prog=command.words)
    command.configure(parser)
    return parser


def _installation() -> ArgumentParser:
    parser = Parser(prog="installation")
    reach_options(parser)
    return parser


def _arguments(parser: ArgumentParser) -> list[Argument]:
    """argparse keeps them to itself, and its own text differs from one Python version to the next."""
    return [argument for argument in parser._actions if not isinstance(argument, _HelpAction)]


def _placeholder(argument: Argument) -> str:
    if argument.nargs == 0:
        return ""
    if argument.metavar:
        return str(argument.metavar)
    return "|".join(map(str, argument.choices)) if argument.choices else argument.dest.upper()


def _written(argument: Argument) -> str:
    names = ", ".join(argument.option_strings)
    return " ".join(part for part in (names, _placeholder(argument)) if part)


def _usage(argument: Argument) -> str:
    name = argument.option_strings[0] if argument.option_strings else ""
    text = " ".join(part for part in (name, _placeholder(argument)) if part)
    repeated = isinstance(argument.nargs, str) or type(argument).__name__ == "_AppendAction"
    text = f"[{text}]" if name or argument.nargs in ("?", "*") else text
    return text + "…" if repeated and argument.nargs != "?" else text


def _said(argument: Argument) -> str:
    """The help of an argument, with its default where that says something."""
    help_text = (argument.help or "") % {"default": argument.default, "prog": "python -m core"}
    told = argument.default not in (None, False, True) and "default" not in help_text and argument.default != []
    return cell(f"{help_text} (default: {argument.default})" if told else help_text)
