"""Filters and tests on text."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.expressions import native
from core.expressions.faults import Fault, within_items, within_limit, within_slow
from core.expressions.library.declare import AnyText, Frame, Items, Patterns, Program, Table
from core.expressions.values import is_list, kind_of, text_of
from core.expressions.written import Written

table = Table()

_BREAK = re.compile(r"\r\n|\n\r|\n|\r")
_WORD_START = re.compile(r"(?:^|(?<=\s))\S")
_ASCII_BLANKS = "".join(map(chr, range(33)))
_PER_CONTAINER = 2000
"""Steps of the meter."""
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
    return text[:start] + _title_case(text[start : start + 1]) + text[start + 1 :]


@table.filter("title")
def title(text: str) -> str:
    """The first letter of each word in title case, the rest as it is."""
    within_slow(len(text))
    return _WORD_START.sub(lambda match: _title_case(match.group()), text)


def _title_case(char: str) -> str:
    """A character in title case; one that would become two (`ß`) stays as it is."""
    changed = char.title()
    return changed if len(changed) == len(char) else char


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
def replace(frame: Frame, value: object, replace_pairs: Patterns, regexp: bool = False) -> Any:
    """Every pair of the map in turn, as text or as regular expressions with `$1`; lists and maps are walked."""
    if value is None:
        return None
    pairs: dict[str, str] = {}
    for old, new in replace_pairs.value.items():
        if new is None:
            raise Fault("a replacement of `replace` is null", expected="a text")
        pairs[text_of(old)] = text_of(new)
    if regexp:
        return _walked(frame, value, lambda texts: native.replace(frame, Written(pairs, replace_pairs.literal), texts))
    return _walked(frame, value, lambda texts: _replaced(texts, list(pairs.items())))


def _replaced(texts: list[str], pairs: list[tuple[str, str]]) -> list[str]:
    for old, new in pairs:
        within_limit(sum(len(text) + text.count(old) * (len(new) - len(old)) for text in texts))
        texts = [text.replace(old, new) for text in texts]
    return texts


def _walked(frame: Frame, value: Any, change: Callable[[list[str]], list[str]]) -> Any:
    """Lists and maps with their values changed, all at once; all that is no text becomes text first."""
    if isinstance(value, str):
        return change([value])[0]
    texts: list[str] = []
    _collect(value, texts, frame.spend)
    within_items(len(texts))
    return _rebuilt(value, iter(change(texts)))


def _collect(value: Any, texts: list[str], spend: Callable[[int], None]) -> None:
    """The texts of a value in their order. A list that stands in a value many times is met as often."""
    if isinstance(value, Mapping) or is_list(value):
        within_items(len(texts))
        spend(_PER_CONTAINER)
        texts.append("")
        for item in value.values() if isinstance(value, Mapping) else value:
            _collect(item, texts, spend)
    elif value is not None:
        texts.append(text_of(value))


def _rebuilt(value: Any, texts: Iterator[str]) -> Any:
    if isinstance(value, Mapping):
        next(texts)
        return {key: _rebuilt(item, texts) for key, item in value.items()}
    if is_list(value):
        next(texts)
        return [_rebuilt(item, texts) for item in value]
    return None if value is None else next(texts)


_ESCAPES: dict[str, tuple[str, str]] = {"single": ("'", "\\'"), "double": ('"', '\\"'), "shell": ("'", "'\\''")}


@table.filter("escapeChar")
def escape_char(frame: Frame, value: object, type: str) -> Any:
    """Quotes escaped for a text in `single` or `double` quotes, or for a word in single quotes of a `shell`."""
    if value is None:
        return None
    if type.lower() not in _ESCAPES:
        raise Fault(f"`{type}` is not a way to escape", expected="`single`, `double` or `shell`")
    old, new = _ESCAPES[type.lower()]
    return _walked(frame, value, lambda texts: _replaced(texts, [(old, new)]))


@table.filter("slugify")
def slugify(text: str) -> str:
    """`Crème brûlée` → `creme-brulee`."""
    within_slow(len(text))
    dashed = re.sub(r"\s", "-", text)
    # Character by character: the order of many marks on one letter, found in quadratic time, is of no interest here.
    parts = {ord(char): unicodedata.normalize("NFD", char) for char in set(dashed) if not char.isascii()}
    plain = re.sub(r"[^\w-]", "", dashed.translate(parts), flags=re.ASCII)
    return re.sub(r"-+", "-", plain.replace("_", "-")).strip("-").lower()


@table.filter("startsWith")
def starts_with(text: object, value: AnyText) -> bool:
    return _present(text, "startsWith").startswith(value)


@table.filter("endsWith")
def ends_with(text: object, value: AnyText) -> bool:
    return _present(text, "endsWith").endswith(value)


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
    within_slow(len(text))
    breaks = _BREAK.findall(text)
    within_limit(len(text) + (len(breaks) + 1) * (amount * len(prefix) + 2))
    margin = prefix * amount
    own = breaks[0] if breaks else "\n"
    return (own + margin if first else "") + _BREAK.sub(lambda match: match.group() + margin, text)


@table.filter("split")
def split(frame: Frame, text: str, delimiter: Program, limit: int = 0) -> Items:
    """Split at a regular expression; trailing empty texts are dropped unless `limit` is negative."""
    return list(native.split(frame, delimiter, text, limit))


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

    within_slow(len(text))
    return quote_plus(text, safe="*").replace("~", "%7E")


@table.filter("urldecode")
def urldecode(text: str) -> str:
    from urllib.parse import unquote_to_bytes  # noqa: PLC0415 (slow to load)

    if _BAD_PERCENT.search(text):
        raise Fault("the text is not URL-encoded: a `%` is not followed by two hexadecimal digits")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", errors="replace")
