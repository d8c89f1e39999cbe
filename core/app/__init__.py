"""The composition root: settings → plugins → records → engine. The only place where everything meets.

Also the door for programs that embed it: `open_app(load_settings(home=…))` gives an `App`, and `App.run` runs a flow.
`open_deployment` opens a whole installation: all its organizations, its keys, an engine that serves.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.app.compose import App, open_app
from core.settings import load_settings

if TYPE_CHECKING:
    from core.app.deployment import Installation, open_deployment

__all__ = ["App", "Installation", "load_settings", "open_app", "open_deployment"]

_LATER = ("Installation", "open_deployment")
"""What a run has no use for is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module `{__name__}` has no `{name}`")
    found = globals()[name] = getattr(import_module(f"{__name__}.deployment"), name)
    return found
