"""The composition root: settings → plugins → records → engine. The only place where everything meets."""

from core.app.compose import App, open_app

__all__ = ["App", "open_app"]
