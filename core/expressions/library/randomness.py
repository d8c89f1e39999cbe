"""Functions whose results differ each time."""

from __future__ import annotations

from core.expressions.faults import Fault
from core.expressions.library.declare import Frame, Table

table = Table()
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_URL_SAFE = "ModuleSymbhasOwnPr-0123456789ABCDEFGHNRVfgctiUvz_KqYTJkLxpZXIjQW"
_KSUID_EPOCH = 1_400_000_000
_MAX_NANO_ID = 1000


@table.function("uuid")
def uuid(frame: Frame) -> str:
    """A time-ordered UUID (version 7)."""
    millis = int(frame.runtime.now().timestamp() * 1000)
    rest = int.from_bytes(frame.runtime.random_bytes(10), "big")
    value = millis << 80 | 7 << 76 | (rest >> 68 & 0xFFF) << 64 | 2 << 62 | rest & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@table.function("id")
def id_(frame: Frame) -> str:
    """A short random text of 22 letters and digits."""
    return _base62(int.from_bytes(frame.runtime.random_bytes(16), "big"), 22)


@table.function("ksuid")
def ksuid(frame: Frame) -> str:
    """27 letters and digits that sort by time, to the second."""
    seconds = int(frame.runtime.now().timestamp()) - _KSUID_EPOCH
    payload = int.from_bytes(frame.runtime.random_bytes(16), "big")
    return _base62((seconds & 0xFFFFFFFF) << 128 | payload, 27)


def _base62(value: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))


@table.function("nanoId")
def nano_id(frame: Frame, length: int = 21, alphabet: str = _URL_SAFE) -> str:
    """`length` random characters of `alphabet`."""
    if not 1 <= length <= _MAX_NANO_ID:
        raise Fault(f"the length of `nanoId` is {length}", expected=f"1 to {_MAX_NANO_ID}")
    if not alphabet:
        raise Fault("the alphabet of `nanoId` is empty", expected="at least one character")
    return "".join(alphabet[_below(frame, len(alphabet))] for _ in range(length))


@table.function("randomInt")
def random_int(frame: Frame, lower: int, upper: int) -> int:
    """lower ≤ n < upper; equal bounds give that number."""
    if upper < lower:
        raise Fault(f"there is no number from {lower} to {upper}", expected="`lower` ≤ `upper`")
    return lower + _below(frame, max(1, upper - lower))


def _below(frame: Frame, limit: int) -> int:
    """A uniform number from 0 up to `limit`, which is not included."""
    bits = (limit - 1).bit_length()
    size = (bits + 7) // 8
    while True:
        value = int.from_bytes(frame.runtime.random_bytes(size), "big") >> (size * 8 - bits)
        if value < limit:
            return value


@table.function("randomPort")
def random_port() -> int:
    """A TCP port that is free on this machine now."""
    import socket  # noqa: PLC0415 (slow to load)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
