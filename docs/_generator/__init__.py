"""The reference pages, made of what the code says of itself. One module for each kind of page."""

from __future__ import annotations

from docs._generator import (
    commands,
    conversion,
    doors,
    errors,
    expressions,
    flows,
    hooks,
    index,
    records,
    settings,
    types,
)
from docs._generator.markdown import NOTICE

BY_HAND = ("api.md",)
"""Pages that stand beside those that are made of the code."""


def reference() -> dict[str, str]:
    """Every page below docs/reference: its path → its text."""
    made = {
        "README.md": index.page(),
        "app.md": doors.embedding(),
        "cli.md": commands.page(),
        "conversion.md": conversion.page(),
        "errors.md": errors.page(),
        "expressions.md": expressions.page(),
        "flows.md": flows.page(),
        "hooks.md": hooks.page(),
        "host.md": doors.extending(),
        "records.md": records.page(),
        "sdk.md": doors.page("core.sdk"),
        "settings.md": settings.page(),
        "testing.md": doors.page("core.testing"),
        **types.pages(),
    }
    return {name: NOTICE + "\n\n" + text.strip() + "\n" for name, text in made.items()}
