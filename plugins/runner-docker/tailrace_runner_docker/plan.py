"""What is to happen with a container, in plain data: made from the properties, carried out by the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

PullPolicy = Literal["ALWAYS", "IF_NOT_PRESENT", "NEVER"]
ATTEMPT = "tailrace.attempt"
NAMESPACE = "tailrace.namespace"
TASK = "tailrace.task"


@frozen
class Plan:
    """How to reach the engine, what to ask of it, and what to do with the container.

    host: the engine's address, or "". image: its name. body: the request that creates the container.
    credentials and config: two ways to say how to log in to the registry; the first wins.
    mount: the working directory is shared instead of copied. wait: follow the container to its end.
    delete: remove it then. resume: take over what an attempt before a crash has left. grace: seconds between the
    request to stop and the end by force.
    """

    host: str
    image: str
    body: Mapping[str, Any]
    pull_policy: PullPolicy
    credentials: Mapping[str, str] = field(factory=dict)
    config: str | Mapping[str, Any] = ""
    mount: bool = False
    wait: bool = True
    delete: bool = True
    resume: bool = True
    grace: float = 0.0
