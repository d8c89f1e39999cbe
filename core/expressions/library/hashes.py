"""Digests and encryption."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any

from core.expressions.faults import Fault
from core.expressions.library.declare import Frame, Table

table = Table()
_IV_BYTES = 12


def _digest(algorithm: str, text: str) -> str:
    import hashlib  # noqa: PLC0415 (loads OpenSSL)

    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


@table.filter("md5")
def md5(text: str) -> str:
    return _digest("md5", text)


@table.filter("sha1")
def sha1(text: str) -> str:
    return _digest("sha1", text)


@table.filter("sha256")
def sha256(text: str) -> str:
    return _digest("sha256", text)


@table.filter("sha512")
def sha512(text: str) -> str:
    return _digest("sha512", text)


@table.function("encrypt")
def encrypt(frame: Frame, key: str, plaintext: str) -> str:
    """base64 of a random 12-byte vector and the AES-GCM text. key: base64 of 16, 24 or 32 bytes."""
    vector = frame.runtime.random_bytes(_IV_BYTES)
    sealed: bytes = _cipher(key).encrypt(vector, plaintext.encode(), None)
    return b64encode(vector + sealed).decode("ascii")


@table.function("decrypt")
def decrypt(key: str, encrypted: str) -> str:
    """The reverse of `encrypt`."""
    cipher = _cipher(key)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (heavy and optional; `_cipher` says if it lacks)

    data = _base64(encrypted, "the encrypted text")
    try:
        plain: bytes = cipher.decrypt(data[:_IV_BYTES], data[_IV_BYTES:], None)
    except (InvalidTag, ValueError):
        raise Fault("the text can't be decrypted", expected="a text that `encrypt` made with the same key") from None
    return plain.decode("utf-8", errors="replace")


def _cipher(key: str) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (heavy and optional)
    except ImportError:
        raise Fault("encryption needs the package `cryptography`", hint="pip install cryptography") from None
    try:
        return AESGCM(_base64(key, "the key"))
    except ValueError:
        raise Fault("the key has the wrong length", expected="base64 of 16, 24 or 32 bytes") from None


def _base64(text: str, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise Fault(f"{what} is not base64") from None
