"""What a plain (unquoted) YAML text means: the one table that reading values and checking them against it share.

The reference reads YAML with SnakeYAML's YAML 1.1 rules and Jackson's own idea of numbers on top. Hence `010` is 8,
`yes` and `on` are true, `1_000` is 1000, while dates and `1:30` stay text.
"""

from __future__ import annotations

import re

_WORDS: dict[str, object] = {"": None, "~": None, " ": None}
for _value, _spellings in ((None, ("null",)), (True, ("true", "yes", "on")), (False, ("false", "no", "off"))):
    for _spelling in _spellings:
        _WORDS |= dict.fromkeys((_spelling, _spelling.title(), _spelling.upper()), _value)

_INT = r"[-+]?(?:0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0_*[0-7][0-7_]*|0|[1-9][0-9_]*)"
_FLOAT = (
    r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
)
_SPECIAL = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_MAX_DIGITS = 1000

_NUMERIC = frozenset("-+.0123456789")
MEANINGFUL = frozenset({*_NUMERIC, *"~ nNyYtTfFoO", ""})
"""How plain texts begin that may mean something else than themselves; a fast test before `resolve`."""


def resolve(text: str) -> object:
    """The value of a plain text; the text itself when it means nothing else."""
    return _number(text) if text[:1] in _NUMERIC else _WORDS.get(text, text)


def _number(text: str) -> object:
    if len(text) > _MAX_DIGITS:
        return text
    if re.fullmatch(_INT, text):
        return _whole(text.replace("_", ""))
    if re.fullmatch(_FLOAT, text):
        return float(text.replace("_", ""))
    if re.fullmatch(_SPECIAL, text):
        return float(text.replace(".", ""))
    return text


def _whole(text: str) -> int:
    digits = text.lstrip("+-")
    prefix = digits[:2]
    size = int(digits, 0) if prefix in ("0b", "0x") else int(digits, 8 if prefix.startswith("0") else 10)
    return -size if text.startswith("-") else size
