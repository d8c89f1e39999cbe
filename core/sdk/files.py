"""Files of a task's directory: what a flow asks to be put in, and what it asks to be kept afterwards.

Names come from flows, so none of them may lead out of its directory, symbolic links included.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from pathlib import Path, PurePosixPath

from core.errors import Forbidden, Invalid, NotFound
from core.model.durations import format_duration
from core.sdk.context import RunContext
from core.sdk.storage import is_storage_uri


def inside(directory: Path, relative: str) -> Path:
    """The path of a file below a directory, links resolved. Raises Forbidden for a name that leads out of it."""
    name = PurePosixPath(relative)
    if not name.parts or name.is_absolute() or ".." in name.parts or not _is_plain(relative):
        raise Forbidden(
            f"`{relative}` is not the name of a file inside the task's directory",
            expected="a relative path without `..`",
        )
    root = directory.resolve()
    path = (root / name).resolve()
    if path == root or not path.is_relative_to(root):
        raise Forbidden(
            f"`{relative}` leads out of the task's directory through a symbolic link",
            expected="a file inside the directory",
        )
    return path


def write_input_files(ctx: RunContext, files: Mapping[str, object] | str, into: Path) -> list[str]:
    """Write the property `inputFiles`, already rendered, into a directory; the names that were written.

    files: name → text, or the storage URI of a file; or the JSON text of such a map. Maps and lists become their
    JSON text, nothing is written for null. An existing file is replaced. Raises Invalid, Forbidden, NotFound.
    """
    written = []
    for name, content in _file_map(files).items():
        if content is None:
            continue
        target = inside(into, name)
        if target.is_dir():
            raise Invalid(f"the input file `{name}` has the name of a directory", expected="a name of its own")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as reason:
            raise Invalid(f"the input file `{name}` would lie below another file", expected="a directory") from reason
        target.unlink(missing_ok=True)  # it may be a link into the storage: writing must not go through it
        if isinstance(content, str) and is_storage_uri(content):
            ctx.storage.fetch(content, target)
        else:
            target.write_bytes(_content(content))
        written.append(name)
    return written


def store_output(ctx: RunContext, directory: Path, relative: str) -> str:
    """Store a file of a directory under its relative name; its URI. The file is moved where that is possible, but not
    out of a directory that other tasks share.

    Raises NotFound when there is no such file, Forbidden when its name or a link leads out of the directory.
    """
    path = inside(directory, relative)
    if not path.is_file():
        raise NotFound(f"the output file `{relative}` was not written", hint="write it or don't ask for it")
    name = str(PurePosixPath(relative))
    if path == directory.resolve() / name and not ctx.working_dir_shared:
        return ctx.storage.put(path, name).uri
    with path.open("rb") as stream:  # what is reached through a link has a name of its own, and stays there
        return ctx.storage.put(stream, name).uri


def collect_files(directory: Path, patterns: Iterable[str]) -> list[str]:
    """The relative names of the files that match any of the patterns, in order.

    `*` and `?` stay within a directory, `**` crosses directories (`**/` also none), `[ab]` and `{a,b}` choose; a dot
    at the beginning is a letter like any other. A pattern may begin with the directory itself. Links to directories
    are not followed. Raises Forbidden for a pattern that leads out, Invalid for one that can't be read.
    """
    matchers = [re.compile(_expression(_relative(pattern, directory))) for pattern in patterns]
    names = sorted(_file_names(directory)) if matchers else []
    return [name for name in names if any(matcher.fullmatch(name) for matcher in matchers)]


def matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """The names, `/`-separated and relative, that match any of the patterns (as in `collect_files`), in order.

    A `/` at the beginning of a pattern stands for the top directory. Raises Invalid for a pattern that can't be read.
    """
    matchers = [re.compile(_expression(pattern.removeprefix("/"))) for pattern in patterns]
    return [name for name in names if any(matcher.fullmatch(name) for matcher in matchers)]


def _file_map(files: Mapping[str, object] | str) -> Mapping[str, object]:
    if isinstance(files, str):
        try:
            files = json.loads(files)
        except json.JSONDecodeError as reason:
            raise Invalid("`inputFiles` is a text that is not JSON", expected="a map of file names") from reason
    if not isinstance(files, Mapping):
        raise Invalid(f"`inputFiles` is of type {type(files).__name__}", expected="a map of file names")
    return files


def _content(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_json_text)
    return text.encode("utf-8")


def _json_text(value: object) -> str:
    if isinstance(value, (date, time)):
        return value.isoformat()
    return format_duration(value) if isinstance(value, timedelta) else str(value)


def _is_plain(relative: str) -> bool:
    return "\\" not in relative and not any(ord(sign) < 32 for sign in relative)


def _file_names(directory: Path) -> Iterator[str]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            if path.is_file():
                yield path.relative_to(directory).as_posix()


def _relative(pattern: str, directory: Path) -> str:
    plain = pattern.removeprefix("glob:").removeprefix(f"{directory}/").removeprefix("./")
    if plain.startswith("/") or ".." in plain.split("/"):
        raise Forbidden(
            f"the pattern `{pattern}` leads out of the task's directory", expected="a relative pattern without `..`"
        )
    if plain.startswith("regex:"):
        raise Invalid(f"the pattern `{pattern}` is a regular expression", expected="a pattern like `**/*.csv`")
    return plain


_WILD = {"*": "[^/]*", "?": "[^/]"}
_TOKEN = re.compile(r"\*\*/|\*\*|\[[!^]?\]?[^\]/]*\]|\\.|.", re.DOTALL)


def _expression(pattern: str) -> str:
    """A pattern as a regular expression."""
    out, depth = [], 0
    for token in _TOKEN.findall(pattern):
        if token == "**/":
            out.append("(?:.*/)?")
        elif token == "**":
            out.append(".*")
        elif token in _WILD:
            out.append(_WILD[token])
        elif token.startswith("[") and len(token) > 1:
            out.append(_choice_of_signs(token))
        elif token == "{":
            depth += 1
            out.append("(?:")
        elif token == "}" and depth:
            depth -= 1
            out.append(")")
        elif token == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(token[-1]))
    if depth:
        raise Invalid(f"the pattern `{pattern}` has a `{{` that is not closed", expected="a pattern like `*.{csv,txt}`")
    return "".join(out)


def _choice_of_signs(token: str) -> str:
    """`[!a-z]` → `(?!/)[^a-z]`"""
    signs = token[1:-1]
    negated = signs[:1] in ("!", "^")
    body = (signs[1:] if negated else signs).replace("\\", "\\\\").replace("]", "\\]").replace("[", "\\[")
    return f"(?!/)[{'^' if negated else ''}{body}]"
