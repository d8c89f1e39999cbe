"""Filters and tests on text."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import Any

from core.expressions import java_regex
from core.expressions.faults import Fault, within_limit
from core.expressions.library.declare import AnyText, Entries, Items, Table
from core.expressions.values import is_list, kind_of, text_of

table = Table()

_BREAK = re.compile(r"\r\n|\n\r|\n|\r")
_WORD_START = re.compile(r"(?:^|(?<=\s))\S")
_ASCII_BLANKS = "".join(map(chr, range(33)))
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


@table.filter("upper")
def upper(text: AnyText) -> str:
    return text.upper()


@table.filter("lower")
def lower(text: AnyText) -> str:
    return text.lower()


@table.filter("capitalize")
def capitalize(text: str) -> str:
    """The first character that is not blank in title case, the rest as it is."""
    start = len(text) - len(text.lstrip())
    return text[:start] + text[start : start + 1].title() + text[start + 1 :]


@table.filter("title")
def title(text: str) -> str:
    """The first letter of each word in title case, the rest as it is."""
    return _WORD_START.sub(lambda match: match.group().title(), text)


@table.filter("trim")
def trim(text: str) -> str:
    """Without the blanks and control characters (up to U+0020) around it."""
    return text.strip(_ASCII_BLANKS)


@table.filter("string")
def string(value: object) -> str | None:
    """The text of a value; null stays null."""
    return None if value is None else text_of(value)


@table.filter("abbreviate")
def abbreviate(text: str, length: int) -> str:
    """Cut to `length` characters, the last three of them dots; a text exactly as long is cut, too."""
    if length < 0:
        raise Fault(f"the length of `abbreviate` is {length}", expected="a whole number from 0 up")
    if length <= 3:
        return text[:length]
    return text if len(text) < length else text[: length - 3] + "..."


@table.filter("replace")
def replace(value: object, replace_pairs: Entries, regexp: bool = False) -> Any:
    """Every pair of the map in turn, as text or as regular expressions with `$1`; lists and maps are walked."""
    if value is None:
        return None
    for new in replace_pairs.values():
        if new is None:
            raise Fault("a replacement of `replace` is null", expected="a text")
    pairs = [(text_of(old), text_of(new)) for old, new in replace_pairs.items()]
    return _walked(value, lambda text: _replaced(text, pairs, regexp))


def _replaced(text: str, pairs: list[tuple[str, str]], regexp: bool) -> str:
    for old, new in pairs:
        if regexp:
            text = java_regex.replace_all(text, old, new)
        else:
            within_limit(len(text) + text.count(old) * (len(new) - len(old)))
            text = text.replace(old, new)
    return text


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    """Lists and maps with their values changed; all that is no text becomes text first."""
    if isinstance(value, Mapping):
        return {key: _walked(item, change) for key, item in value.items()}
    if is_list(value):
        return [_walked(item, change) for item in value]
    return None if value is None else change(text_of(value))


_ESCAPES: dict[str, tuple[str, str]] = {"single": ("'", "\\'"), "double": ('"', '\\"'), "shell": ("'", "'\\''")}


@table.filter("escapeChar")
def escape_char(value: object, type: str) -> Any:
    """Quotes escaped for a text in `single` or `double` quotes, or for a word in single quotes of a `shell`."""
    if value is None:
        return None
    if type.lower() not in _ESCAPES:
        raise Fault(f"`{type}` is not a way to escape", expected="`single`, `double` or `shell`")
    old, new = _ESCAPES[type.lower()]
    return _walked(value, lambda text: _replaced(text, [(old, new)], False))


@table.filter("slugify")
def slugify(text: str) -> str:
    """`Crème brûlée` → `creme-brulee`."""
    dashed = re.sub(r"\s", "-", text)
    plain = re.sub(r"[^\w-]", "", unicodedata.normalize("NFD", dashed), flags=re.ASCII)
    return re.sub(r"-+", "-", plain.replace("_", "-")).strip("-").lower()


@table.filter("startsWith")
def starts_with(value: object, prefix: AnyText) -> bool:
    return _present(value, "startsWith").startswith(prefix)


@table.filter("endsWith")
def ends_with(value: object, suffix: AnyText) -> bool:
    return _present(value, "endsWith").endswith(suffix)


def _present(value: object, name: str) -> str:
    if value is None:
        raise Fault(f"`{name}` is given null", expected="a text")
    return text_of(value)


@table.filter("substringBefore")
def substring_before(text: str, separator: str | None) -> str:
    return text if separator is None else text.partition(separator)[0] if separator else ""


@table.filter("substringBeforeLast")
def substring_before_last(text: str, separator: str | None) -> str:
    return text.rpartition(separator)[0] if separator and separator in text else text


@table.filter("substringAfter")
def substring_after(text: str, separator: str | None) -> str:
    return "" if separator is None else text.partition(separator)[2] if separator else text


@table.filter("substringAfterLast")
def substring_after_last(text: str, separator: str | None) -> str:
    return text.rpartition(separator)[2] if separator and separator in text else ""


@table.filter("indent")
def indent(text: AnyText, amount: int, prefix: str = " ") -> str:
    """`prefix`, `amount` times, after each line break; the first line stays as it is."""
    return _indented(text, amount, prefix, first=False)


@table.filter("nindent")
def nindent(text: AnyText, amount: int, prefix: str = " ") -> str:
    """A line break, then every line behind `prefix`, `amount` times,."""
    return _indented(text, amount, prefix, first=True)


def _indented(text: str, amount: int, prefix: str, first: bool) -> str:
    if amount < 0:
        raise Fault(f"the amount of an indent is {amount}", expected="a whole number from 0 up")
    if not text:
        return text
    breaks = _BREAK.findall(text)
    within_limit(len(text) + (len(breaks) + 1) * (amount * len(prefix) + 2))
    margin = prefix * amount
    own = breaks[0] if breaks else "\n"
    return (own + margin if first else "") + _BREAK.sub(lambda match: match.group() + margin, text)


@table.filter("split")
def split(text: str, delimiter: str, limit: int = 0) -> Items:
    """Split at a regular expression; trailing empty texts are dropped unless `limit` is negative."""
    return list(java_regex.split(text, delimiter, limit))


@table.filter("slice")
def slice_(value: object, from_index: int = 0, to_index: int | None = None) -> Any:
    """A part of a text or list, `toIndex` not included. Raises Fault for places that are not in it."""
    if value is None:
        return None
    if not isinstance(value, str) and not is_list(value):
        raise Fault(f"`slice` is given {kind_of(value)}", expected="a text or a list")
    sequence: Any = value if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    end = len(sequence) if to_index is None else to_index
    if not 0 <= from_index < end <= len(sequence):
        raise Fault(f"there is no slice from {from_index} to {end}", expected=f"places from 0 to {len(sequence)}")
    return sequence[from_index:end]


@table.filter("base64encode")
def base64encode(text: str) -> str:
    within_limit(len(text) * 2)
    return b64encode(text.encode()).decode("ascii")


@table.filter("base64decode")
def base64decode(text: str) -> str:
    """Missing padding is accepted."""
    try:
        data = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (Base64Error, ValueError):
        raise Fault("the text is not base64") from None
    return data.decode("utf-8", errors="replace")


@table.filter("urlencode")
def urlencode(text: str) -> str:
    """As in forms: a blank is `+`; `*-._` stay."""
    from urllib.parse import quote_plus  # noqa: PLC0415 (slow to load)

    within_limit(len(text) * 3)
    return quote_plus(text, safe="*").replace("~", "%7E")


@table.filter("urldecode")
def urldecode(text: str) -> str:
    from urllib.parse import unquote_to_bytes  # noqa: PLC0415 (slow to load)

    if _BAD_PERCENT.search(text):
        raise Fault("the text is not URL-encoded: a `%` is not followed by two hexadecimal digits")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", errors="replace")
