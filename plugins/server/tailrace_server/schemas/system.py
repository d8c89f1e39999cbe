"""Shapes of what a server says of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from attrs import frozen
from msgspec import Meta

Condition = Literal["ok", "unavailable"]


@frozen
class Health:
    """How a server is. What is wrong with a part stands in its log, not here, where everybody may look."""

    status: Annotated[Condition, Meta(description="`ok` when every part is.")]
    parts: Annotated[
        dict[str, Condition],
        Meta(description="`records`: rows and files can be read. `engine`: executions are worked on; only where this "
                         "server has one.", examples=[{"records": "ok", "engine": "ok"}]),
    ]  # fmt: skip
