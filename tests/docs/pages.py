"""Pages of the documentation as programs: their files are written, their commands run, their output compared.

A fenced block whose first line is `# some/path.ext` is that file. In a block of `console` each line that begins with
`$ ` is a command; the lines below it are what it prints: all of standard output, or of standard error when there is
nothing else. `…` stands for anything within a line, alone on a line for any number of lines; how many spaces separate
two words does not matter. `exit=N` behind `console` is the exit code, `network` says that it can't run everywhere.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"# ((?:[\w-]+/)*[\w-]+\.\w+)")


@frozen
class Block:
    """A fenced block. info: what stands behind the opening fence."""

    info: str
    text: str

    @property
    def path(self) -> str:
        """The file that this block is, or ""."""
        match = _PATH.fullmatch(self.text.partition("\n")[0])
        return match[1] if match else ""

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command with the lines it is shown to print."""
        if self.info.split()[:1] != ["console"]:
            return []
        pieces = re.split(r"^\$ ", self.text, flags=re.MULTILINE)
        assert pieces[0] == "", f"this does not begin with a command: {self.text}"
        return [(lines[0], lines[1:]) for lines in (piece.rstrip("\n").split("\n") for piece in pieces[1:])]

    @property
    def exit_code(self) -> int:
        match = re.search(r"\bexit=(\d+)", self.info)
        return int(match[1]) if match else 0

    @property
    def needs_network(self) -> bool:
        return "network" in self.info.split()


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page below docs/, in order."""
    return [Block(match[1], match[2]) for match in _BLOCK.finditer((ROOT / "docs" / page).read_text("utf-8"))]


def follow(
    page: list[Block],
    folder: Path,
    environment: Mapping[str, str],
    adapt: Callable[[str], str] = lambda command: command,
) -> Iterator[str]:
    """Do what a page says inside a folder: write its files, run its commands, compare what they print.

    adapt: what to run instead of a command. Gives each command after it has run, as the page shows it.
    """
    for block in page:
        if block.path:
            path = folder / block.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        if block.needs_network:
            continue
        for command, shown in block.commands:
            ended = subprocess.run(
                ["bash", "-c", adapt(command)], cwd=folder, env=dict(environment), capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert ended.returncode == block.exit_code, f"$ {command}\n{ended.stdout}{ended.stderr}"
            printed = ended.stdout or ended.stderr
            assert matches(shown, printed), f"$ {command}\n{printed}\n-- the page says:\n" + "\n".join(shown)
            yield command


def matches(shown: list[str], printed: str) -> bool:
    """Whether a program printed what a page shows."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "…" else _line(line) + r"\n" for line in shown)
    text = "".join(" ".join(line.split()) + "\n" for line in printed.rstrip("\n").split("\n")) if printed else ""
    return re.fullmatch(pattern, text) is not None


def _line(shown: str) -> str:
    words = (r".*".join(map(re.escape, word.split("…"))) for word in shown.split())
    return r" ".join(words)
