"""Where packages come from on this machine, as pip is told, in the words of uv, which does not read pip's settings."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen


@frozen
class _Setting:
    """An option of pip and the variable of uv that means the same. separator: between several values, for uv."""

    option: str
    variable: str
    separator: str = ""


_SETTINGS = (
    _Setting("index-url", "UV_DEFAULT_INDEX"),
    _Setting("extra-index-url", "UV_EXTRA_INDEX_URL", " "),
    _Setting("find-links", "UV_FIND_LINKS", ","),
    _Setting("trusted-host", "UV_INSECURE_HOST", " "),
    _Setting("cert", "SSL_CERT_FILE"),
    _Setting("timeout", "UV_HTTP_TIMEOUT"),
)
_OTHER_NAMES = {
    "UV_DEFAULT_INDEX": ("UV_INDEX_URL",),
    "UV_EXTRA_INDEX_URL": ("UV_INDEX",),
    "UV_INSECURE_HOST": (),
}


@frozen
class UvSettings:
    """How uv is told: most options have a variable, some only an argument."""

    variables: Mapping[str, str]
    arguments: tuple[str, ...] = ()


def uv_settings(environment: Mapping[str, str]) -> UvSettings:
    """What makes uv look where pip would look; what uv is told itself stays as it is."""
    told = _from_files(environment)
    told |= {
        option: environment[name]
        for option in ("no-index", *(setting.option for setting in _SETTINGS))
        if (name := "PIP_" + option.upper().replace("-", "_")) in environment
    }
    told.setdefault("timeout", environment.get("PIP_DEFAULT_TIMEOUT", ""))
    settings = {}
    for setting in _SETTINGS:
        value = told.get(setting.option, "").strip()
        names = (setting.variable, *_OTHER_NAMES.get(setting.variable, ()))
        if value and not any(name in environment for name in names):
            settings[setting.variable] = setting.separator.join(value.split()) if setting.separator else value
    if "UV_EXTRA_INDEX_URL" in settings and "UV_INDEX_STRATEGY" not in environment:
        settings["UV_INDEX_STRATEGY"] = (
            "unsafe-best-match"  # pip takes the best version of all indexes, not of the first
        )
    without_index = told.get("no-index", "").lower() in ("1", "true", "yes", "on", "y", "t")
    return UvSettings(settings, ("--no-index",) if without_index else ())


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Options of the sections `global` and `install` of pip's files, later files winning."""
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
