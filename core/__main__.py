"""`python -m core`, and what the installed script calls."""

from __future__ import annotations

import sys

from core.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
