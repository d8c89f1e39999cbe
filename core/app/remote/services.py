"""A server's services, bound to the organization of the API key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from core.app.remote.connection import Connection
from core.app.remote.executions import RemoteExecutions
from core.app.remote.outputs import RemoteEvaluator, RemoteFiles, RemoteOutputs, refused
from core.engine.clock import now
from core.host.services import Changes, Feed, Flows, KeyValueStore
from core.model.data import evolve
from core.settings import Settings


class RemoteApp:
    """What an `App` shows of a home, shown of a server: executions, outputs, expressions, and the files they name.

    What the API has no request for is refused (Invalid).
    """

    def __init__(self, settings: Settings) -> None:
        self._given = settings
        self._connection = Connection(settings.server, settings.api_key)
        self.executions = RemoteExecutions(self._connection)
        self.files = RemoteFiles(self._connection)
        self.evaluator = RemoteEvaluator(self._connection, self.executions.resolve)

    @property
    def outputs(self) -> RemoteOutputs:
        return self.executions.outputs

    @cached_property
    def settings(self) -> Settings:
        """With the organization of the key, as the server's records name it."""
        newest = self._connection.get("/flow-executions", {"limit": 1})["data"]
        return evolve(self._given, organization=newest[0]["organization_id"]) if newest else self._given

    @property
    def flows(self) -> Flows:
        refused("read flows")

    @property
    def changes(self) -> Changes:
        refused("change what came out")

    @property
    def feed(self) -> Feed:
        refused("tell what was committed")

    @property
    def kv(self) -> KeyValueStore:
        refused("read key-value stores")

    def now(self) -> int:
        return now()

    def checks(self) -> Iterator[tuple[str, bool, str]]:
        refused("look at its machine")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def open_remote(settings: Settings) -> Iterator[RemoteApp]:
    """The services of the server that the settings name, closed when the block ends."""
    app = RemoteApp(settings)
    try:
        yield app
    finally:
        app.close()
