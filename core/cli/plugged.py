"""Commands that plugins bring, as commands of ours."""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser
from collections.abc import Callable
from functools import partial

from core.app import open_deployment
from core.cli.command import Call, Command, home_options, json_option
from core.cli.opening import settings_of
from core.errors import PluginError
from core.host.deployment import CommandCall, PluginCommand
from core.registry.registry import load_target
from core.sdk.hooks import CommandRef


def commands_of(ref: CommandRef) -> tuple[Command, ...]:
    """A plugin's commands as commands of ours. Raises PluginError."""
    found = load_target(ref.target, f"command `{ref.word}`")
    if not (isinstance(found, tuple) and found and all(isinstance(one, PluginCommand) for one in found)):
        raise PluginError(f"the command `{ref.word}` can't be used: `{ref.target}` is no tuple of PluginCommand")
    wrong = [one.words for one in found if not _is_called(one.words, ref.word, alone=len(found) == 1)]
    if wrong:
        raise PluginError(f"the command `{ref.word}` can't be used: `{wrong[0]}` does not belong to it")
    return tuple(
        Command(one.words, one.summary, partial(_configure, one), partial(_execute, one.execute), one.details)
        for one in found
    )


def _is_called(words: str, first: str, *, alone: bool) -> bool:
    """Whether a command is called by the first word, or by it and a second one."""
    parts = words.split(" ")
    return parts[0] == first and (len(parts) == 2 or (len(parts) == 1 and alone))


def _configure(command: PluginCommand, parser: ArgumentParser) -> None:
    json_option(parser)
    home_options(parser)
    try:
        command.configure(parser)
    except ArgumentError as error:
        raise PluginError(f"the command `{command.words}` can't be used: {error}") from error


def _execute(execute: Callable[[CommandCall], int], call: Call) -> int:
    return execute(CommandCall(call.args, call.out, lambda: open_deployment(settings_of(call)), call.to_type))
