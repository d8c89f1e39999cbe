"""Draws docs/images/demo.svg out of a real run: `python -m docs.picture`, in the root of the repository.

The table that `demo` shows while its tasks run vanishes when they have ended; the picture keeps its last state.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from core.settings import load_settings

PICTURE = Path(__file__).parent / "images" / "demo.svg"
WIDTH = 104
COMMANDS = (
    ("demo",),
    ("eval", "last", '{{ outputs.api.body | jq(".products[0].title") | first }}'),
)
_DRAWN_AGAIN = re.compile(r"\x1b\[\d*A|\x1b\[2K|\x1b\[\?25[lh]|\r")
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Run the commands and draw what a terminal shows of them."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    with TemporaryDirectory() as home:
        for words in COMMANDS:
            console.print(Text("$ ", "bold green") + Text(" ".join(["python -m core", *map(_quoted, words)]), "bold"))
            console.print(Text.from_ansi(_shown(_on_terminal(words, home)), no_wrap=True, overflow="ellipsis"))
    svg = console.export_svg(title="Tailrace", unique_id="demo")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(_FONTS.sub("", svg), "utf-8")


def _quoted(word: str) -> str:
    return f"'{word}'" if re.search(r"[\s{|]", word) else word


def _on_terminal(words: tuple[str, ...], home: str) -> str:
    """Everything that a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=_environment(home)
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            written += chunk
    except OSError:  # how Linux tells that nobody writes any more
        pass
    os.close(ours)
    if process.wait():
        sys.exit(written.decode())
    return written.decode()


def _environment(home: str) -> Mapping[str, str]:
    size = {"COLUMNS": str(WIDTH), "LINES": "40", "TERM": "xterm-256color"}
    return {**load_settings().environment, **size, "TAILRACE_HOME": home}


def _shown(written: str) -> str:
    """What was written, without all but the last state of what was drawn in its place."""
    pieces = [piece for piece in _DRAWN_AGAIN.split(written.replace("\r\n", "\n")) if piece.strip()]
    tables = [number for number, piece in enumerate(pieces) if "TASK" in piece and "STATE" in piece]
    kept = [piece for number, piece in enumerate(pieces) if number not in tables[:-1]]
    return "\n".join(piece.strip("\n") for piece in kept) + "\n"


if __name__ == "__main__":
    main()
