"""What gives JSON's words a meaning in Python scripts."""

from __future__ import annotations

from pathlib import Path

# A line before the script would shift its line numbers and could not stand before `from __future__` imports. As
# `sitecustomize` it is loaded before any script, also in processes that a script starts (multiprocessing), by every
# Python 3. It then leaves the path and loads the `sitecustomize` it hides. Nothing is imported that Python has not
# loaded anyway.
_SITECUSTOMIZE = """\
import builtins, os, sys

builtins.true, builtins.false, builtins.null = True, False, None
sys.path[:] = [path for path in sys.path if path != os.path.dirname(__file__)]
this = sys.modules.pop(__name__)
try:
    import sitecustomize
except ImportError:
    sys.modules[__name__] = this
"""


def write_prelude(directory: Path) -> None:
    """Make a directory for PYTHONPATH in which scripts know `true`, `false` and `null`."""
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
