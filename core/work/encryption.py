"""Texts kept encrypted in the record: AES-GCM under the key of the settings."""

from __future__ import annotations

import binascii
from typing import Any

from core.errors import Invalid, Unreachable

_VECTOR = 12
KEY = "setting encryption_key"


def encrypt(key: str, text: str, vector: bytes) -> str:
    """base64 of the vector (12 bytes nobody can guess) and the encrypted text. Raises Invalid for a wrong key."""
    sealed: bytes = _cipher(key).encrypt(vector, text.encode("utf-8"), None)
    return binascii.b2a_base64(vector + sealed, newline=False).decode("ascii")


def decrypt(key: str, sealed: str) -> str:
    """The text again. Raises Invalid when it was sealed with another key."""
    cipher = _cipher(key)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 # heavy, and optional

    data = binascii.a2b_base64(sealed)
    try:
        plain: bytes = cipher.decrypt(data[:_VECTOR], data[_VECTOR:], None)
    except InvalidTag:
        raise Invalid("a secret was encrypted with another key", where=KEY, hint="set the earlier key again") from None
    return plain.decode("utf-8")


def _cipher(key: str) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 # heavy, and optional
    except ImportError:
        raise Unreachable(
            "encryption needs the package `cryptography`", hint="pip install 'tailrace[encrypt]'"
        ) from None
    try:
        return AESGCM(binascii.a2b_base64(key, strict_mode=True))
    except (binascii.Error, ValueError):
        raise Invalid("the key can't be used", where=KEY, expected="base64 of 16, 24 or 32 bytes") from None
