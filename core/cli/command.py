"""What a command is, and the options that many share."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from core.cli.output import Output
from core.errors import Invalid
from core.model.data import data
from core.settings import Product

_WRONG_VALUE = r"(?s)argument (?P<argument>\S+): invalid (?P<type>.+?) value: (['\"])(?P<value>.*)\3"
"""What argparse says when the type of an argument, a function with its name, raises ValueError."""
_WRONG_CHOICE = r"(?s)argument (?P<argument>\S+): invalid choice: (['\"])(?P<value>.*)\2 \(choose from (?P<names>.*)\)"


class UsageError(Invalid):
    """The command line itself is wrong."""


class _Help(RawDescriptionHelpFormatter):
    """Help laid out for 80 columns.

    argparse makes a formatter for each option; without a width each start would import shutil to measure the terminal.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=78)


class Parser(ArgumentParser):
    """argparse, but a mistake is an error like any other and no option may be abbreviated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **options)

    def error(self, message: str) -> NoReturn:
        what, expected = message, ""
        if wrong := re.fullmatch(_WRONG_VALUE, message):
            what, expected = f"{wrong['argument']}: `{wrong['value']}` can't be read", wrong["type"]
        elif wrong := re.fullmatch(_WRONG_CHOICE, message):
            what = f"{wrong['argument']}: `{wrong['value']}` is not one of the choices"
            expected = wrong["names"].replace("'", "").replace(", ", " | ")
        raise UsageError(what, expected=expected, hint=f"{self.prog} --help")


@data
class Call:
    """One use of a command: its arguments, where it writes, and the names of the product."""

    args: Namespace
    out: Output
    product: Product

    def to_type(self, *words: str) -> str:
        """A command line that continues from here: the same program, the same home or server."""
        from shlex import quote  # noqa: PLC0415 - only for what is shown to people

        given = ((name, getattr(self.args, name, None)) for name in ("home", "server"))
        there = [text for name, value in given if value for text in (f"--{name}", str(value))]
        return " ".join([self.product.command, *(quote(word) for word in (*words, *there))])


@data
class Command:
    """words: how it is called (`outputs list`). summary: one line. execute: does it and gives the exit code."""

    words: str
    summary: str
    configure: Callable[[ArgumentParser], None]
    execute: Callable[[Call], int]
    details: str = ""


def home_options(parser: ArgumentParser) -> None:
    """The options that say which installation is meant."""
    group = parser.add_argument_group("installation")
    group.add_argument("--home", type=Path, metavar="DIR", help="where records and files are kept")
    group.add_argument("--plugins-dir", type=Path, metavar="DIR", help="a folder of Python files that are plugins")
    group.add_argument("--secrets", type=Path, metavar="FILE", help="secrets as NAME=VALUE lines")


def reach_options(parser: ArgumentParser) -> None:
    """The same, for commands that can ask a server instead."""
    home_options(parser)
    group = parser.add_argument_group("server")
    group.add_argument("--server", metavar="URL", help="ask a server instead of an installation of this machine")
    group.add_argument("--api-key", metavar="KEY", help="who asks; better in TAILRACE_API_KEY, which nobody else sees")


def json_option(parser: ArgumentParser) -> None:
    """The option for a result that programs read."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def target_option(parser: ArgumentParser) -> None:
    """The option for a result that goes to a file."""
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of standard output")


def positive(text: str) -> int:
    """A whole number from 1 up, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


positive.__name__ = "a whole number from 1 up"  # see `Parser.error`
