"""A whole installation, as servers and commands of plugins see it: all organizations, the engine, the keys."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from core.host.product import ApiKey, Organization, Role
from core.host.services import Services
from core.model.data import data


class Keys(Protocol):
    """API keys and organizations."""

    def create(
        self, organization: str, name: str, role: Role, *, days: int | None = None, by: str = "system"
    ) -> tuple[ApiKey, str]:
        """A new key, and its secret: shown once, only a hash of it is kept. Raises NotFound, Invalid."""

    def find(self, secret: str) -> ApiKey | None:
        """The key of a secret, unless it is unknown, revoked or expired; notes that it was used."""

    def list(self, organization: str) -> tuple[ApiKey, ...]:
        """In the order they were made, revoked and expired ones too."""

    def revoke(self, organization: str, key_id: str, *, by: str = "system") -> None:
        """Let it open nothing any more; other processes know that within two seconds. Raises NotFound."""

    def sign_in(self, secret: str, *, hours: int = 12) -> str | None:
        """A new session of a key, for a browser: its token, of which only a hash is kept; None for a key that opens
        nothing."""

    def signed_in(self, token: str) -> ApiKey | None:
        """The key of a session, unless the session has ended or the key opens nothing any more."""

    def sign_out(self, token: str) -> None:
        """End a session; of one that has ended already nothing is said."""

    def exist(self) -> bool:
        """Whether any key of any organization was ever made: revoking the last one lets nobody in without."""

    def organizations(self) -> tuple[Organization, ...]: ...
    def create_organization(self, organization_id: str, name: str = "") -> None:
        """Raises Conflict, Invalid."""


class Serving(Protocol):
    """An engine that goes on until it is closed: it works on what is submitted, becomes due, or was left by others."""

    def start(self) -> None:
        """Begin, in threads of its own; what a dead engine left is taken over. Raises Unreachable."""

    @property
    def failure(self) -> BaseException | None:
        """Why it does not work now, though it was not closed; it tries again by itself. None while it is well."""

    def working_on(self) -> int:
        """How many executions it owns."""

    def close(self, seconds: float = 10.0) -> None:
        """Decide nothing more; what runs is stopped, and left to be taken over. Returns then, or after so long."""


class Deployment(Protocol):
    """One installation. To be closed. Safe for many threads."""

    def services(self, organization: str) -> Services:
        """Everything, bound to one organization; cheap to call again. Raises NotFound (no such organization)."""

    @property
    def keys(self) -> Keys: ...
    @property
    def home(self) -> Path: ...
    @property
    def organization(self) -> str:
        """The one that is meant where nobody says so."""

    @property
    def title(self) -> str:
        """The product's name for people."""

    @property
    def version(self) -> str: ...
    @property
    def command(self) -> str:
        """How the program is called, for people to copy: `python -m …`."""

    def variable(self, name: str) -> str:
        """The environment variable of a setting: of `API_KEY` the one that holds an API key."""

    def token(self) -> str:
        """A new random text that nobody can guess: letters, digits, `-` and `_`."""

    def engine(self, *, workers: int | None = None, processes: bool = True) -> Serving:
        """An engine for this process. processes: tasks run in worker processes, else in threads of this one."""

    def healthy(self) -> None:
        """Raises Unreachable when the records or the storage can't be used."""

    def close(self) -> None: ...


class Console(Protocol):
    """Where commands write: results to standard output, everything else to standard error."""

    @property
    def json(self) -> bool:
        """Whether the result is to be JSON."""

    def result(self, text: str) -> None: ...
    def data(self, value: Any) -> None:
        """A result as JSON."""

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None: ...
    def note(self, text: str) -> None: ...
    def flush(self) -> None:
        """Let results be read now: for a command that goes on after them."""


@data
class CommandCall:
    """One use of a plugin's command. open: the installation that its options name. to_type: a command line that
    continues from here, for people to copy."""

    args: Namespace
    out: Console
    open: Callable[[], AbstractContextManager[Deployment]]
    to_type: Callable[..., str]


@data
class PluginCommand:
    """A command that a plugin brings (hook `commands`). words: how it is called (`api-keys create`).

    configure: adds its options; those that say which installation is meant (--home, --json and others) are there
    already. execute: does it and gives the exit code.
    """

    words: str
    summary: str
    configure: Callable[[ArgumentParser], None]
    execute: Callable[[CommandCall], int]
    details: str = ""
