"""Which commands are nothing but an installation of packages, so that its result can be kept and used again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

Install = tuple[str, ...]
"""The arguments of one `pip install`, without those that only change what it prints."""

_INSTALLERS = (
    ("pip", "install"),
    ("pip3", "install"),
    ("python", "-m", "pip", "install"),
    ("python3", "-m", "pip", "install"),
    ("uv", "pip", "install"),
)
# In an environment that holds nothing yet these make no difference to what is installed.
_WITHOUT_EFFECT = frozenset((
    "-q", "-qq", "-qqq", "--quiet", "-v", "-vv", "-vvv", "--verbose", "-U", "--upgrade", "--user", "--system",
    "--break-system-packages", "--no-input", "--no-color", "--no-cache", "--no-cache-dir",
    "--no-warn-script-location", "--disable-pip-version-check",
))  # fmt: skip
_WITHOUT_EFFECT_VALUED = frozenset(("--progress-bar", "--root-user-action"))
_PASSED = frozenset(("--no-index", "--no-deps", "--pre"))
_PASSED_VALUED = frozenset((
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host", "--only-binary", "--no-binary",
))  # fmt: skip
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2")
_FILES = ("file:", "storage:///", "kestra:///")


def leading_installs(commands: Sequence[str]) -> tuple[tuple[Install, ...], tuple[str, ...]]:
    """The installations that the commands begin with, and the commands that are left."""
    installs: list[Install] = []
    for position, command in enumerate(commands):
        found = plain_installs(command)
        if found is None:
            return tuple(installs), tuple(commands[position:])
        installs += found
    return tuple(installs), ()


def plain_installs(command: str) -> list[Install] | None:
    """The installations of a command that does nothing else, or None.

    It may have several lines or `&&`, and send what it prints to /dev/null. Requirements files, local packages,
    variables and options that are not known make a command one that has to be run as it is written.
    """
    installs: list[Install] = []
    for line in command.splitlines():
        words = _words(line)
        if words is None:
            return None
        for part in words:
            install = _install(part)
            if install is None:
                return None
            installs.append(install)
    return installs


def are_plain(requirements: Iterable[str]) -> bool:
    """Whether the requirements mean the same on every run: none is a path, an option or an unnamed archive."""
    return not any(text.startswith("-") or _is_local(text) for text in requirements)


def requirements(install: Install) -> list[str]:
    """What is installed: the arguments without options and their values, which may hold passwords."""
    before = ("", *install)
    return [
        word
        for previous, word in zip(before, install, strict=False)
        if not word.startswith("-") and previous not in _PASSED_VALUED
    ]


def _words(line: str) -> list[list[str]] | None:
    """The words of each command in a line, or None when a shell would do more with it than run them in order."""
    if not line.strip() or line.lstrip().startswith("#"):
        return []
    if "$" in line or "`" in line:
        return None
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = iter(list(lexer))
    except ValueError:  # a quote that is not closed
        return None
    commands: list[list[str]] = [[]]
    for token in tokens:
        if token in ("&&", ";"):
            commands.append([])
        elif token in (">", ">>", "&>", ">&"):
            if next(tokens, "") not in (("1", "2") if token == ">&" else ("/dev/null",)):
                return None
            if commands[-1][-1:] in (["1"], ["2"]):
                commands[-1].pop()
        elif token.startswith("#") or not token.strip("();<>|&"):
            return None
        else:
            commands[-1].append(token)
    return [command for command in commands if command]


def _install(words: list[str]) -> Install | None:
    arguments = next(
        (words[len(installer) :] for installer in _INSTALLERS if tuple(words[: len(installer)]) == installer), None
    )
    if arguments is None:
        return None
    kept: list[str] = []
    rest = iter(arguments)
    for word in rest:
        option, equals, value = word.partition("=")
        if not word.startswith("-"):
            if _is_local(word):
                return None
            kept.append(word)
        elif word in _PASSED:
            kept.append(word)
        elif option in _PASSED_VALUED or option in _WITHOUT_EFFECT_VALUED:
            value = value if equals else next(rest, "")
            if not value or (option in ("-f", "--find-links") and not value.startswith(("/", "http://", "https://"))):
                return None
            kept += [option, value] if option in _PASSED_VALUED else []
        elif word not in _WITHOUT_EFFECT:
            return None
    return tuple(kept) if requirements(tuple(kept)) else None


def _is_local(requirement: str) -> bool:
    if any(scheme in requirement for scheme in _FILES) or requirement.startswith((".", "/", "~")):
        return True
    return "://" not in requirement and ("/" in requirement or requirement.endswith(_ARCHIVES))
