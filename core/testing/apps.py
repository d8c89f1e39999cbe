"""An app that lives as long as a `with` block."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile, copytree
from tempfile import TemporaryDirectory
from typing import Any

from core.app import App, open_app
from core.errors import Invalid
from core.model.codec import SecretText
from core.sdk.files import inside
from core.sdk.properties import PluginType
from core.settings import RUNNERS, Product, load_settings
from core.work.secrets import Redactor

Files = Mapping[str, str | bytes | Path]
"""Files of a namespace by name: their text, their bytes, or where to copy them from."""


@contextmanager
def temporary_app(*types: type[PluginType], secrets: Mapping[str, str] | None = None, **settings: Any) -> Iterator[App]:
    """An App in a home of its own: records in a SQLite file, files in a local storage, all gone after the block.

    types: classes to know beside those of the installed plugins. secrets: name → value; no others are known.
    settings: those of `core.settings.Settings`; scripts run as processes of this machine unless `runner` says
    otherwise, and the `TAILRACE_…` and `SECRET_…` variables of the machine are left aside.
    """
    # A task that ignores its stop may still write when the home goes: that must not fail the test that stopped it.
    with TemporaryDirectory(prefix="tailrace-", ignore_cleanup_errors=True) as directory:
        home = Path(directory, "home")
        environment = _environment(secrets or {})
        chosen = load_settings(home=home, environment=environment, **{"runner": "process", **settings})
        with open_app(chosen) as app:
            app.registry = app.registry.including(*types)
            yield app


@contextmanager
def app_for(
    app: App | None, types: tuple[type[PluginType], ...] = (), secrets: Mapping[str, str] | None = None
) -> Iterator[App]:
    """The app that was given, left open, or a temporary one. Raises Invalid for what comes too late for a given one."""
    if app is None:
        with temporary_app(*types, secrets=secrets) as made:
            yield made
        return
    for name, value in (("types", types), ("secrets", secrets)):
        if value:
            raise Invalid(f"`{name}` can't be given together with `app`", hint=f"temporary_app(…) takes {name}")
    yield app


def known_runner(runner: str | None) -> str | None:
    """The setting `runner` of one run; None leaves it to the app. Raises Invalid."""
    if runner is not None and runner not in RUNNERS:
        raise Invalid(f"`{runner}` is not one of the choices", where="runner", expected=" | ".join(RUNNERS))
    return runner


@contextmanager
def folder_of(files: Files | None, beside: Path | None = None) -> Iterator[Path | None]:
    """A folder of namespace files, as `_files/` beside a flow: what lies there already, and the given ones."""
    if not files:
        yield beside
        return
    with TemporaryDirectory(prefix="tailrace-") as directory:
        folder = Path(directory)
        if beside is not None and beside.is_dir():
            copytree(beside, folder, dirs_exist_ok=True)
        for name, content in files.items():
            target = inside(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                copyfile(content, target)
            else:
                target.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        yield folder


def read_file(app: App, uri: str) -> bytes:
    """The bytes of a stored file."""
    with app.files.open(uri) as source:
        return source.read()


def revealed(app: App, value: Any) -> Any:
    """A recorded value as an expression of its flow reads it: secrets, which are only recorded by name, filled in."""
    if isinstance(value, SecretText):
        return value.reveal(Redactor(app.secrets).get)
    if isinstance(value, dict):
        return {key: revealed(app, item) for key, item in value.items()}
    return [revealed(app, item) for item in value] if isinstance(value, list) else value


def _environment(secrets: Mapping[str, str]) -> dict[str, str]:
    """The machine's environment without what would make a test depend on the machine, and with its secrets.

    Secrets are written in base64, so that one which happens to look like base64 is not decoded.
    """
    aside = (Product().prefix, "SECRET_")
    kept = {name: value for name, value in load_settings().environment.items() if not name.startswith(aside)}
    coded = {name.upper(): base64.b64encode(value.encode()).decode() for name, value in secrets.items()}
    return kept | {f"SECRET_{name}": value for name, value in coded.items()}
