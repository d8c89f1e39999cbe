"""Where the engine that serves in this process hears at once of an execution that is to begin."""

from __future__ import annotations

from collections.abc import Callable

Heard = Callable[[str, str], None]
"""Called with the organization and the execution."""


class Bell:
    """Shared by the apps of all organizations of an installation."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []

    def ring(self, organization: str, execution_id: str) -> bool:
        """Tell whoever listens; False when nobody does."""
        listening = tuple(self._heard)
        for heard in listening:
            heard(organization, execution_id)
        return bool(listening)

    @property
    def is_heard(self) -> bool:
        """Whether an engine serves in this process."""
        return bool(self._heard)

    def listen(self, heard: Heard) -> None:
        """Be told from now on."""
        self._heard.append(heard)

    def leave(self, heard: Heard) -> None:
        """Be told no more."""
        if heard in self._heard:
            self._heard.remove(heard)
