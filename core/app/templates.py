"""Templates of the deprecated `flow.Template`: files in `_templates/` beside a flow, and what the home kept of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from core.errors import Invalid
from core.loading import parse_yaml

FOLDER = "_templates"
Name = tuple[str, str]
_PLAIN = r"[a-zA-Z0-9][a-zA-Z0-9._-]*"


class Templates:
    """kept: where the home keeps those of the flows it keeps, so that a revision can be read without its folder."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._used: dict[Name, str] = {}

    def finder(self, folders: tuple[Path, ...]) -> Callable[[str, str], str | None]:
        """How a flow's templates are found: beside it, in the folders of other flows, in the home."""

        def find(namespace: str, template_id: str) -> str | None:
            name = (namespace, template_id)
            for folder in folders:
                text = _named(folder / FOLDER, name)
                if text is not None:
                    self._used[name] = text
                    return text
            path = self._path(name)
            return path.read_text("utf-8") if path is not None and path.is_file() else None

        return find

    def keep(self) -> None:
        """Keep what flows used that are kept now."""
        while self._used:
            name, text = self._used.popitem()
            path = self._path(name)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")

    def _path(self, name: Name) -> Path | None:
        if not all(re.fullmatch(_PLAIN, part) for part in name):
            return None
        return self._kept / name[0] / f"{name[1]}.yaml"


def _named(folder: Path, name: Name) -> str | None:
    """The text of the template in a folder that says it has this namespace and id; the file's name does not matter."""
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        text = path.read_text("utf-8", errors="replace")
        try:
            found = parse_yaml(text)
        except Invalid:
            continue
        if isinstance(found, dict) and (found.get("namespace"), found.get("id")) == name:
            return text
    return None
