"""A mistake of this program itself: what is kept of it for its authors, and what people are told."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir

from core.cli.output import Output
from core.errors import TailraceError
from core.settings import Product, load_settings


class ProgramError(TailraceError):
    """The program made a mistake; the user did not."""


def report(error: Exception, words: Sequence[str], out: Output, product: Product) -> None:
    """Write the traceback to a file, and say so in one message. Of the command only its name is kept, no values."""
    command = " ".join(word for word in words[:2] if word.isidentifier() or "-" in word[1:])
    text = "\n".join(
        (
            f"{product.title} {product.version}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {command}",
            "",
            *traceback.format_exception(error),
        )
    )
    out.error(
        ProgramError(
            f"this is a mistake of {product.title}, not yours: {type(error).__name__}: {error}",
            where=_written(text, _folder(words, product)),
            hint="tell its authors, with that file; what was recorded so far is kept",
        )
    )


def _folder(words: Sequence[str], product: Product) -> Path | None:
    """Where the home of the command keeps such files; None when there is no such home."""
    given = [after for word, after in pairwise(words) if word == "--home"]
    given += [word.removeprefix("--home=") for word in words if word.startswith("--home=")]
    try:
        folder = load_settings(home=Path(given[-1]) if given else None, product=product).home
        if not folder.is_dir():
            return None
        (folder / "crashes").mkdir(exist_ok=True)
    except (TailraceError, OSError):
        return None
    return folder / "crashes"


def _written(text: str, folder: Path | None) -> str:
    """The path of the file; "" when it can be written nowhere."""
    for place in (folder, Path(gettempdir())):
        if place is None:
            continue
        try:
            with NamedTemporaryFile(
                "w", encoding="utf-8", errors="backslashreplace", prefix="crash-", suffix=".txt", dir=place,
                delete=False,
            ) as file:  # fmt: skip
                file.write(text)
        except OSError:
            continue
        return file.name
    return ""
