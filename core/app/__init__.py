"""The composition root: settings → plugins → records → engine. The only place where everything meets.

Also the door for programs that embed it: `open_app(load_settings(home=…))` gives an `App`, and `App.run` runs a flow.
"""

from core.app.compose import App, open_app
from core.settings import load_settings

__all__ = ["App", "load_settings", "open_app"]
