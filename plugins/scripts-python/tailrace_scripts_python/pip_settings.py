"""Where packages come from on this machine, as pip is told, in the words of uv, which does not read pip's settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

# An option of pip, the variable of uv that means the same, what uv wants between several values, and other variables
# by which uv may have been told already.
_SETTINGS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("index-url", "UV_DEFAULT_INDEX", "", ("UV_INDEX_URL",)),
    ("extra-index-url", "UV_EXTRA_INDEX_URL", " ", ("UV_INDEX",)),
    ("find-links", "UV_FIND_LINKS", ",", ()),
    ("trusted-host", "UV_INSECURE_HOST", " ", ()),
    ("cert", "SSL_CERT_FILE", "", ()),
    ("timeout", "UV_HTTP_TIMEOUT", "", ()),
)
_YES = ("1", "true", "t", "yes", "y", "on")


def uv_settings(environment: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Variables and arguments that make uv look where pip would look; what uv is told itself stays as it is."""
    told = _from_files(environment)
    for option in ("no-index", *(setting[0] for setting in _SETTINGS)):
        name = "PIP_" + option.upper().replace("-", "_")
        if name in environment:
            told[option] = environment[name]
    told.setdefault("timeout", environment.get("PIP_DEFAULT_TIMEOUT", ""))
    variables = {}
    for option, variable, separator, others in _SETTINGS:
        value = told.get(option, "").strip()
        if value and not any(name in environment for name in (variable, *others)):
            variables[variable] = separator.join(value.split()) if separator else value
    if "UV_EXTRA_INDEX_URL" in variables and "UV_INDEX_STRATEGY" not in environment:
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip takes the best of all indexes, not of the first
    return variables, ("--no-index",) if told.get("no-index", "").lower() in _YES else ()


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Options of the sections `global` and `install` of pip's files, later files winning."""
    import configparser  # noqa: PLC0415 - only needed when an environment is made

    found: dict[str, str] = {}
    for path in _files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will say what is wrong with it
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update(parser.items(section))
    return found


def _files(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("PIP_CONFIG_FILE") == os.devnull:  # pip's own way of saying: read none
        return
    home = Path(environment["HOME"]) if environment.get("HOME") else None
    for folder in reversed(environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")):
        yield Path(folder, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    if home:
        yield home / ".pip" / "pip.conf"
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
        yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    if environment.get("PIP_CONFIG_FILE"):
        yield Path(environment["PIP_CONFIG_FILE"])
