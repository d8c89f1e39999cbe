"""The name a downloaded file is stored under. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_EXTENDED = re.compile(r"filename\*\s*=\s*([\w-]+)'[^']*'([^;\s]+)", re.IGNORECASE)
_PLAIN = re.compile(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]+))', re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 200  # bytes, with room for what storage adds; file systems allow 255


def file_name(disposition: str, url: str) -> str:
    """The name that Content-Disposition gives, url-decoded and without its path, else the last part of the URL."""
    return _safe(_disposed(disposition)) or _safe(unquote(urlsplit(url).path)) or "download"


def _disposed(disposition: str) -> str:
    extended = _EXTENDED.search(disposition)
    if extended is not None:
        try:
            return unquote(extended[2], encoding=extended[1])
        except LookupError:
            return unquote(extended[2])
    plain = _PLAIN.search(disposition)
    if plain is None:
        return ""
    return unquote(plain[2] or plain[1].replace('\\"', '"'))


def _safe(path: str) -> str:
    name = _UNSAFE.sub("", path.replace("\\", "/").rpartition("/")[2]).strip()
    if name in ("", ".", ".."):
        return ""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 20:
        stem, dot, extension = name, "", ""
    room = _LONGEST - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + extension
