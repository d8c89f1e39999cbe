"""Regular expressions as the reference writes them (java.util.regex) → Python's."""

from __future__ import annotations

import re
from functools import lru_cache

from core.errors import TooLarge
from core.expressions.faults import Fault, within_limit

_CLASSES = {
    "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9", "Upper": "A-Z", "Lower": "a-z", "XDigit": "0-9a-fA-F",
    "Space": r"\s", "Punct": r"!-/:-@\[-`{-~", "Blank": r" \t", "ASCII": r"\x00-\x7f", "Cntrl": r"\x00-\x1f\x7f",
}  # fmt: skip
_UNICODE = {"L": r"[^\W\d_]", "IsAlphabetic": r"[^\W\d_]", "N": r"\d", "Nd": r"\d", "IsDigit": r"\d"}
_PIECE = re.compile(
    r"\\p\{(\w+)\}|\\P\{(\w+)\}|\\Q(.*?)(?:\\E|$)|\\z|\\Z|\\h|\(\?<(?=[a-zA-Z])|\\k<(\w+)>|\\.|\[|\]", re.DOTALL
)
_GROUP = re.compile(r"\\(.)|\$(\d+)|\$\{(\w+)\}|\$", re.DOTALL)

MAX_PATTERN = 10_000
"""Characters."""
MAX_MATCHES = 500_000


def refuse_long(pattern: str) -> None:
    """Raises Fault for a pattern that nobody writes: asked before anything is done with it."""
    if len(pattern) > MAX_PATTERN:
        raise Fault(f"the regular expression has {len(pattern):,} characters", expected=f"at most {MAX_PATTERN:,}")


@lru_cache(maxsize=512)
def java_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. Raises Fault."""
    refuse_long(pattern)
    inside = False

    def translate(match: re.Match[str]) -> str:
        nonlocal inside
        text = match.group()
        if text in ("[", "]"):
            inside = text == "["
            return text
        return _piece(match, inside)

    try:
        return re.compile(_PIECE.sub(translate, pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise Fault(f"`{pattern[:80]}` is not a regular expression: {error}") from None


def _piece(match: re.Match[str], inside: bool) -> str:
    text = match.group()
    if name := match.group(1):
        return _class(name, inside)
    if name := match.group(2):
        return f"[^{_CLASSES[name]}]" if name in _CLASSES else _class(name, inside)
    if match.group(3) is not None:
        return re.escape(match.group(3))
    if name := match.group(4):
        return f"(?P={name})"
    fixed = {"\\z": r"\Z", "\\Z": r"(?=\n?\Z)", "\\h": r" \t\xa0" if inside else r"[ \t\xa0]", "(?<": "(?P<"}
    return fixed.get(text, text)


def _class(name: str, inside: bool) -> str:
    if name in _CLASSES:
        return _CLASSES[name] if inside else f"[{_CLASSES[name]}]"
    if name in _UNICODE and not (inside and name in ("L", "IsAlphabetic")):
        return _UNICODE[name]
    raise Fault(f"the character class \\p{{{name}}} is not supported", expected=", ".join([*_CLASSES, *_UNICODE]))


def replace_all(texts: list[str], pattern: str, replacement: str) -> list[str]:
    """Every match replaced; `$1` and `${name}` stand for groups, a backslash takes the next character as it is."""
    compiled = java_pattern(pattern)
    parts = _replacement(replacement)
    results: list[str] = []
    matches = size = 0
    for text in texts:
        result: list[str] = []
        last = 0
        for match in compiled.finditer(text):
            piece = text[last : match.start()] + "".join(_filled(match, part) for part in parts)
            last = match.end()
            size += len(piece)
            matches += 1
            within_limit(size)
            _within_matches(matches)
            result.append(piece)
        result.append(text[last:])
        results.append("".join(result))
    return results


def _within_matches(count: int) -> None:
    if count > MAX_MATCHES:
        raise TooLarge(
            f"a regular expression matches more than {MAX_MATCHES:,} times",
            expected=f"at most {MAX_MATCHES:,}",
            hint="work on a file in a task instead",
        )


def _replacement(text: str) -> list[str | tuple[str]]:
    """Texts, and one-tuples for groups."""
    parts: list[str | tuple[str]] = []
    last = 0
    for match in _GROUP.finditer(text):
        parts.append(text[last : match.start()])
        last = match.end()
        group = match.group(2) or match.group(3)
        if match.group(1):
            parts.append(match.group(1))
        elif group:
            parts.append((group,))
        else:
            raise Fault("`$` in a replacement stands for a group", expected="`$1`, `${name}` or `\\$`")
    parts.append(text[last:])
    return parts


def _filled(match: re.Match[str], part: str | tuple[str]) -> str:
    if isinstance(part, str):
        return part
    name = part[0]
    if name.isdigit():
        # `$12` is group 1 and a 2 when there is no group 12, as in the reference.
        for length in range(len(name), 0, -1):
            if int(name[:length]) <= match.re.groups:
                return (match.group(int(name[:length])) or "") + name[length:]
        raise Fault(f"the regular expression has no group {name}")
    if name not in match.re.groupindex:
        raise Fault(f"the regular expression has no group `{name}`")
    return match.group(name) or ""


def split(text: str, pattern: str, limit: int) -> list[str]:
    """`String.split`: trailing empty texts are dropped when limit is 0, kept when it is negative."""
    if text == "":
        return [""]
    parts: list[str] = []
    last = 0
    for match in java_pattern(pattern).finditer(text):
        if 0 < limit <= len(parts) + 1:
            break
        if match.end() == 0 or (match.start() == match.end() == len(text)):
            continue
        parts.append(text[last : match.start()])
        last = match.end()
        _within_matches(len(parts))
    parts.append(text[last:])
    while limit == 0 and len(parts) > 1 and parts[-1] == "":
        parts.pop()
    return [] if limit == 0 and parts == [""] else parts
