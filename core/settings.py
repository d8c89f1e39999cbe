"""Settings: the only place that reads the environment.

In order of precedence: the command line, `TAILRACE_*` variables, `settings.toml` in the home, the distribution's
defaults.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import Invalid, Unreachable
from core.model.data import data, evolve, field

DIGITS = 18
"""Of a number, at most."""
RUNNERS = ("auto", "docker", "process")
DURABILITIES = ("process", "power-loss")
ORGANIZATION = r"[a-z0-9][a-z0-9_-]{0,62}"
ORGANIZATION_TOLD = "small letters, digits, `_` and `-`, a letter or digit first, at most 63"
"""What the id of an organization can be, and the same for people; it is the name of a folder, too."""
SECRET = ("api_key", "encryption_key", "records")
"""What is not handed on in the environment: a script of a flow has no use for it."""


@data
class Product:
    """The names a vendor's distribution changes. key_prefix: what the secrets of API keys begin with."""

    name: str = "tailrace"
    title: str = "Tailrace"
    command: str = "python -m core"
    prefix: str = "TAILRACE_"
    key_prefix: str = "tr_"
    version: str = "0.1.0"


@data
class Settings:
    """Everything that can be set. inline_limit: bytes of an output kept in the record; larger ones become files.

    workers: task executions at once. zone: the time zone of dates without one. runner: where scripts run when the
    flow does not say. durability: `process` survives any crash of a process, `power-loss` also one of the machine.
    records: the URL of a record store, "" for the file in the home; it may hold a password: show `records_shown`.
    server, api_key: the URL of a server that commands speak to instead of a home, and who they are there.
    encryption_key: base64 of 16, 24 or 32 bytes; without it inputs of the type SECRET are refused. globals: what
    expressions read as `globals.…`; a table of settings.toml, or JSON.
    """

    home: Path
    product: Product = Product()
    organization: str = "default"
    runner: str = "auto"
    durability: str = "process"
    records: str = field(default="", repr=False)
    server: str = ""
    api_key: str = field(default="", repr=False)
    storage: str = "local"
    zone: str = "UTC"
    workers: int = 16
    inline_limit: int = 64 * 1024
    plugins_dir: Path | None = None
    secrets_file: Path | None = None
    encryption_key: str = field(default="", repr=False)
    globals: Mapping[str, Any] = field(factory=dict)
    environment: Mapping[str, str] = field(factory=dict, repr=False)

    @property
    def durable(self) -> bool:
        return self.durability == "power-loss"

    @property
    def records_shown(self) -> str:
        """Where the records are, for people: a URL without its user, password and options, or the file."""
        if not self.records:
            return str(self.home / "records.db")
        plain = re.match(r"([^:/]+://)(?:[^@/?#]*@)?([^@?#]*)(?:[?#][^@]*)?$", self.records)
        return "".join(plain.groups()) if plain else self.records.partition("://")[0] + "://…"

    def make_home(self) -> None:
        """Create the home directory. Raises Unreachable when that can't be done or it can't be written."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            writable = os.access(self.home, os.W_OK | os.X_OK)
            reason = "it is not writable"
        except FileExistsError:
            writable, reason = False, "it is a file"
        except OSError as error:
            writable, reason = False, str(error.strerror or error).lower()
        if not writable:
            raise Unreachable(
                f"the home directory can't be used: {reason}",
                where=str(self.home),
                expected="a directory on a local disk that you may write",
                hint=f"give another one with --home DIR or {self.product.prefix}HOME",
            )


def constants(settings: Settings) -> dict[str, Any]:
    """Variables that expressions see everywhere: `envs`, out of the environment by prefix, and `globals`."""
    envs: dict[str, str] = {}
    for prefix in ("ENV_", "KESTRA_", f"{settings.product.prefix}ENV_"):
        for name, value in settings.environment.items():
            if name.startswith(prefix):
                envs[name.removeprefix(prefix).lower()] = value
    return {"envs": envs, "globals": settings.globals}


def load_settings(
    *,
    home: Path | str | None = None,
    product: Product | None = None,
    environment: Mapping[str, str] | None = None,
    **given: object,
) -> Settings:
    """Settings from everywhere.

    given: settings by their names, as `runner="process"`; they come first, and None says nothing. environment: that of
    the process when it is not given. Raises Invalid.
    """
    product = product or Product()
    environment = dict(os.environ) if environment is None else environment
    place = home or environment.get(f"{product.prefix}HOME") or _default_home(product, environment)
    settings = Settings(home=Path(place), product=product, environment=environment)
    from_file = _from_file(settings.home / "settings.toml")
    _check_names(given, "load_settings")
    from_environment = {
        setting: environment[name]
        for setting in _changeable()
        if environment.get(name := f"{product.prefix}{setting.upper()}")
    }
    chosen = {**from_file, **from_environment, **{name: value for name, value in given.items() if value is not None}}
    checked: dict[str, Any] = {name: _checked(name, value) for name, value in chosen.items()}
    kept = {f"{product.prefix}{setting.upper()}" for setting in SECRET}
    handed_on = {name: value for name, value in environment.items() if name not in kept}
    return evolve(settings, environment=handed_on, **checked)


def _changeable() -> set[str]:
    """The names of settings that a file or a variable may set."""
    return set(Settings.__annotations__) - {"home", "product", "environment"}


def _check_names(names: Iterable[str], where: str) -> None:
    known = _changeable()
    unknown = sorted(set(names) - known)
    if unknown:
        raise Invalid(f"unknown setting `{unknown[0]}`", where=where, expected="one of " + ", ".join(sorted(known)))


def _checked(name: str, value: object) -> object:
    where = f"setting {name}"
    if name in ("workers", "inline_limit"):
        text = str(value)
        if not text.isdecimal() or len(text) > DIGITS or int(text) < 1:
            raise Invalid(f"`{value}` is not a whole number from 1 up", where=where)
        return int(text)
    if name == "organization" and not re.fullmatch(ORGANIZATION, str(value)):
        raise Invalid(f"`{value}` can't be the id of an organization", where=where, expected=ORGANIZATION_TOLD)
    if name == "zone":
        return _zone(str(value), where)
    if name == "records" and value and not re.match(r"[a-z][a-z0-9+.-]*://", str(value)):
        raise Invalid("this is not the URL of a record store", where=where, expected="such as postgresql://host/database")
    if name in ("plugins_dir", "secrets_file"):
        return Path(os.path.expanduser(str(value)))  # as it stands when there is no such user: no such file then
    if name == "globals":
        return _table(value, where)
    allowed = {"runner": RUNNERS, "durability": DURABILITIES}.get(name)
    if allowed and value not in allowed:
        raise Invalid(f"`{value}` is not one of the choices", where=where, expected=" | ".join(allowed))
    return str(value)


def _zone(name: str, where: str) -> str:
    if name != "UTC":
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 # reads files; most homes are set to UTC

        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise Invalid(f"there is no time zone `{name}`", where=where, expected="such as Europe/Vienna") from error
    return name


def _table(value: object, where: str) -> dict[str, Any]:
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, dict):
        raise Invalid("this is not a table of values", where=where, expected="a table, or the JSON text of a map")
    return found


def _from_file(path: Path) -> dict[str, object]:
    if not os.path.exists(path):  # unlike that of Path, it takes any text
        return {}
    import tomllib  # noqa: PLC0415  # only where there is such a file

    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the settings can't be read: {error}", where=str(path), expected="TOML") from error
    except OSError as error:
        why = str(error.strerror or error).lower()
        raise Unreachable(f"the settings can't be read: {why}", where=str(path)) from error
    _check_names(content, str(path))
    return content


def _default_home(product: Product, environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or _user_folder(product) / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = _user_folder(product) / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or _user_folder(product) / ".local" / "share")
    return base / product.name


def _user_folder(product: Product) -> Path:
    """Where the user's own files are. Raises Invalid for one who has no such place, as in some containers."""
    try:
        return Path.home()
    except RuntimeError as error:
        raise Invalid(
            "this user has no home directory to keep records in",
            where="setting home",
            hint=f"say where with --home DIR or {product.prefix}HOME",
        ) from error
