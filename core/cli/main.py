"""The entry point: finds the command, imports its module only, and turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli import exit_codes
from core.cli.command import Call, Command, Parser, UsageError
from core.cli.output import Output
from core.errors import TailraceError
from core.model.data import evolve
from core.model.near import did_you_mean, near_misses
from core.settings import Product

if TYPE_CHECKING:
    from core.sdk.hooks import CommandRef

COMMANDS = {
    "run": "run a flow and show what came out",
    "check": "say what is wrong with flows; nothing is run",
    "outputs": "task outputs, across executions",
    "executions": "flow executions and their logs",
    "eval": "evaluate an expression in the recorded context of an execution",
    "files": "stored files",
    "kv": "key-value stores of namespaces",
    "flows": "stored flows and their revisions",
    "plugins": "installed plugins, their types, and a new one",
    "schema": "the JSON Schema of flows, for editors",
    "doctor": "what works here and what does not",
    "demo": "a flow of three tasks against an API of its own",
}
"""First word → summary; the module of the same name in `core.cli.commands` holds it."""


def main(
    argv: Sequence[str] | None = None, product: Product | None = None, *, begin: Callable[[], None] = lambda: None
) -> int:
    """Run the command that `argv` (default: that of the process) asks for; the exit code.

    product: the names of somebody else's product, whose own script calls this. begin: called once everything that the
    command needs is imported.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    product = _as_started(product or Product())
    out = Output(sys.stdout, sys.stderr, json="--json" in words, quiet="--quiet" in words)
    try:
        code = _run(words, out, product, begin)
        out.flush()
    except TailraceError as error:
        out.error(error)
        return exit_codes.code_of_error(error.kind)
    except BrokenPipeError:
        out.reader_gone()
        return exit_codes.READER_GONE
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except Exception as error:  # noqa: BLE001 # a mistake of this program: people get a message, authors the traceback
        import_module("core.cli.crash").report(error, words, out, product)
        return exit_codes.INTERNAL
    return code


def _run(words: list[str], out: Output, product: Product, begin: Callable[[], None]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        out.result(_overview(product))
        return exit_codes.OK if words else exit_codes.USAGE
    if words[0] == "--version":
        out.result(f"{product.name} {product.version}")
        return exit_codes.OK
    first = words[0]
    if first.startswith("-"):
        raise UsageError(f"`{first}` stands before the command", expected=f"{product.command} COMMAND {first}")
    summary, found = _commands(first, words[1:], product)
    begin()
    command, rest = _choose(first, words[1:], found, product)
    if command is None:
        out.result(_listing(f"{product.command} {first}", summary, found))
        return exit_codes.OK if rest else exit_codes.USAGE
    parser = Parser(prog=f"{product.command} {command.words}", description=command.summary, epilog=command.details)
    command.configure(parser)
    return command.execute(Call(parser.parse_args(rest), out, product))


def _commands(first: str, rest: list[str], product: Product) -> tuple[str, tuple[Command, ...]]:
    """What the first word is about, and the commands that begin with it. Raises UsageError, PluginError."""
    if first in COMMANDS:
        return COMMANDS[first], import_module(f"core.cli.commands.{first}").COMMANDS
    from core.cli.installed import known_plugins  # noqa: PLC0415 - our own commands never look at plugins

    registry = known_plugins(rest, product)
    brought = {ref.word: ref for ref in registry.commands()}
    if first not in brought:
        advice = registry.command_advice(first)
        raise _unknown(f"there is no command `{first}`", first, [*COMMANDS, *brought], product.command, advice)
    from core.cli.plugged import commands_of  # noqa: PLC0415 - as above

    return brought[first].summary, commands_of(brought[first])


def _choose(
    first: str, rest: list[str], found: tuple[Command, ...], product: Product
) -> tuple[Command | None, list[str]]:
    """The command of a module that the second word names, and the words that are left; None asks for the list."""
    by_words = {command.words: command for command in found}
    if first in by_words:
        return by_words[first], rest
    if not rest or rest[0] in ("-h", "--help", "help"):
        return None, rest
    command = by_words.get(f"{first} {rest[0]}")
    if command is None:
        names = [command.words.split()[1] for command in found]
        raise _unknown(f"`{first}` has no command `{rest[0]}`", rest[0], names, f"{product.command} {first}")
    return command, rest[1:]


def _as_started(product: Product) -> Product:
    """The product, called the way it was started: `python -m core`, or the name of the installed script."""
    started_as = Path(sys.argv[0]).stem
    return evolve(product, command=product.name) if started_as == product.name else product


def _unknown(what: str, word: str, names: list[str], prefix: str, advice: str = "") -> UsageError:
    near = near_misses(word, names)
    return UsageError(
        what,
        expected="one of " + ", ".join(names),
        hint=advice or did_you_mean(near) or f"{prefix} --help",
    )


def _overview(product: Product) -> str:
    lines = [f"{product.title} {product.version}: runs flows and records what came out.", ""]
    lines += [f"usage: {product.command} COMMAND …", ""]
    lines += [f"  {name:<12}{summary}" for name, summary in COMMANDS.items()]
    lines += [f"  {ref.word:<12}{ref.summary}" for ref in _brought(product)]
    lines += ["", f"{product.command} COMMAND --help says more. To begin: {product.command} demo"]
    return "\n".join(lines)


def _brought(product: Product) -> tuple[CommandRef, ...]:
    """The commands of plugins; none when it can't be told: help is there for those whose settings are wrong, too."""
    from core.cli.installed import known_plugins  # noqa: PLC0415 - as above

    try:
        return known_plugins((), product).commands()
    except TailraceError:
        return ()


def _listing(prefix: str, summary: str, commands: tuple[Command, ...]) -> str:
    lines = [f"{prefix}: {summary}", ""]
    seconds = [command.words.split()[1] for command in commands]
    width = max(8, *map(len, seconds)) + 2
    lines += [f"  {word:<{width}}{command.summary}" for word, command in zip(seconds, commands, strict=True)]
    return "\n".join([*lines, "", f"{prefix} COMMAND --help says more."])
