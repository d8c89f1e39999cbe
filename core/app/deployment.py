"""A whole installation: all its organizations, its keys, and an engine that serves."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from core.app.compose import App
from core.app.keys import KeyService
from core.engine.clock import chance, now
from core.errors import NotFound
from core.host.deployment import Keys, Serving
from core.sdk.storage import checked_path
from core.settings import Settings

TOKEN_BYTES = 32


class Installation:
    """Implements `core.host.deployment.Deployment`: one set of records and files, an `App` for each organization.

    Safe for many threads. To be closed: `open_deployment` does so.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._own = App(settings)
        self._apps: dict[str, App] = {}
        self._opening = threading.Lock()

    def services(self, organization: str) -> App:
        found = self._apps.get(organization)
        return found if found is not None else self._open(organization)

    def _open(self, organization: str) -> App:
        with self._opening:
            if organization not in self._apps:
                self._check(organization)
                self._apps[organization] = self._own.for_organization(organization)
            return self._apps[organization]

    def _check(self, organization: str) -> None:
        """That it is there; the one of the settings is made when it is not. Raises NotFound."""
        product = self._own.records.product
        if any(known.id == organization for known in product.organizations()):
            return
        if organization != self.organization:
            raise NotFound(f"there is no organization `{organization}`")
        product.create_organization(organization, organization, now())

    @cached_property
    def _keys(self) -> KeyService:
        return KeyService(self._own.records, self.settings.product.key_prefix)

    @property
    def keys(self) -> Keys:
        return self._keys

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def organization(self) -> str:
        return self.settings.organization

    @property
    def title(self) -> str:
        return self.settings.product.title

    @property
    def version(self) -> str:
        return self.settings.product.version

    @property
    def command(self) -> str:
        return self.settings.product.command

    def variable(self, name: str) -> str:
        return f"{self.settings.product.prefix}{name}"

    def token(self) -> str:
        return urlsafe_b64encode(chance(TOKEN_BYTES)).decode("ascii").rstrip("=")

    def engine(self, *, workers: int | None = None, processes: bool = True) -> Serving:
        from core.app.serving import ServingEngine  # noqa: PLC0415 - what only asks the record needs no engine

        return ServingEngine(self, workers=workers, processes=processes)

    def healthy(self) -> None:
        app = self._own
        app.records.product.organizations()
        try:
            app.storage.stat(self.organization, checked_path("health"))
        except NotFound:  # it answers, and there is no such file
            return

    def close(self) -> None:
        self._own.close()


@contextmanager
def open_deployment(settings: Settings) -> Iterator[Installation]:
    """An installation, closed when the block ends; nothing is opened before it is needed.

    What it raises then: Unreachable for a home or a database that can't be used, NotFound for a record store that no
    plugin brings.
    """
    installation = Installation(settings)
    try:
        yield installation
    finally:
        installation.close()
