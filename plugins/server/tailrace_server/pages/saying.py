"""What is said once, on the page that an action leads to: until then it is in a cookie that only we can write."""

from __future__ import annotations

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any

from litestar import Request

from tailrace_server.access import Caller
from tailrace_server.cookies import cookie, set_cookie

SAID = "said"
"""The cookie."""
SECONDS = 60
"""So long it waits for its page."""
LONGEST, ALL = 400, 2400
"""Characters of one text, bytes of all: browsers keep cookies of 4096."""


def say_on(request: Request[Any, Any, Any], url: str, texts: Sequence[str]) -> str:
    """The header `Set-Cookie` that lets a page of ours say these texts to the caller; "" where nobody looks at pages.

    url: a path without a query.
    """
    caller: Caller | None = request.scope["state"].get("caller")
    if caller is None or not caller.csrf or not re.fullmatch(r"[\w/.~-]+", url, re.ASCII):
        return ""
    packed = urlsafe_b64encode(_fitting(texts)).decode("ascii")
    return set_cookie(request, SAID, f"{_sign(caller, url, packed)}.{packed}", SECONDS, url)


def said_on(request: Request[Any, Any, Any]) -> tuple[tuple[str, ...], str]:
    """What is said on a page, and the header `Set-Cookie` that forgets it ("" where there is nothing to forget)."""
    caller: Caller | None = request.scope["state"].get("caller")
    signature, _, packed = cookie(request.headers, SAID).partition(".")
    if caller is None or not signature:
        return (), ""
    path: str = request.scope["path"]
    forget = set_cookie(request, SAID, "", 0, path)
    if not caller.csrf or not compare_digest(signature.encode(), _sign(caller, path, packed).encode()):
        return (), forget
    try:
        return tuple(json.loads(urlsafe_b64decode(packed))), forget
    except (ValueError, binascii.Error):
        return (), forget


def _sign(caller: Caller, path: str, packed: str) -> str:
    """For this session and this page alone."""
    return hmac(f"said {caller.csrf}".encode(), f"{path} {packed}".encode(), sha256).hexdigest()


def _fitting(texts: Sequence[str]) -> bytes:
    """As many of the texts as there is room for, as JSON."""
    short = [text if len(text) <= LONGEST else f"{text[:LONGEST]}…" for text in texts]
    for kept in range(len(short), -1, -1):
        left = len(short) - kept
        told = [*short[:kept], *([f"… and {left} more"] if left else ())]
        body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        if len(body) <= ALL:
            return body
    return b"[]"
