"""Writes docs/reference out of the code: `python -m docs.generate`, in the root of the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from docs._generator import BY_HAND, reference

REFERENCE = Path(__file__).parent / "reference"


def main() -> None:
    """Write every page; what the code does not say any more is gone. Nothing is, when the code can't be read."""
    pages = reference() | {name: (REFERENCE / name).read_text("utf-8") for name in BY_HAND}
    shutil.rmtree(REFERENCE, ignore_errors=True)
    for name, text in pages.items():
        (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
        (REFERENCE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
