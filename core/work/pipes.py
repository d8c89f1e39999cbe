"""How a process and its helper talk: JSON behind its length. Errors cross as data and come out as what they were."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from core import errors
from core.errors import ExpressionError, TailraceError, TooLarge
from core.expressions.faults import Fault

MAX_MESSAGE = 96 * 1024 * 1024
"""Bytes."""

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


def send(target: BinaryIO, message: object) -> None:
    """Raises TooLarge, OSError when nobody reads."""
    body = _ENCODE(message).encode("ascii")
    if len(body) > MAX_MESSAGE:
        raise TooLarge(
            f"an expression works on {len(body):,} bytes at once",
            expected=f"at most {MAX_MESSAGE:,}",
            hint="work on a file in a task instead",
        )
    target.write(len(body).to_bytes(4, "big") + body)
    target.flush()


def receive(source: BinaryIO) -> Any:
    """The next message. Raises EOFError when the other side has ended."""
    size = int.from_bytes(_exactly(source, 4), "big")
    if size > MAX_MESSAGE:
        raise EOFError
    return json.loads(_exactly(source, size))


def _exactly(source: BinaryIO, size: int) -> bytes:
    body = source.read(size)
    if body is None or len(body) < size:
        raise EOFError
    return body


def plain_error(error: Fault | TailraceError) -> dict[str, str]:
    """An error as it crosses."""
    return {"class": type(error).__name__, **{key: text for key, text in vars(error).items() if isinstance(text, str)}}


def raise_error(plain: dict[str, str]) -> None:
    """Raise the error that crossed."""
    what, expected, hint = plain["what"], plain["expected"], plain["hint"]
    if plain["class"] == "Fault":
        raise Fault(what, expected=expected, hint=hint)
    cls = getattr(errors, plain["class"], ExpressionError)
    error = cls(what, where=plain.get("where", ""), expected=expected, hint=hint)
    if isinstance(error, ExpressionError):
        error.undefined = plain.get("undefined", "")
    raise error
