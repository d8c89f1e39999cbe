"""How one server is to behave; the command line fills it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from attrs import field, frozen

KIB = 1024
MIB = 1024 * KIB


@frozen
class Options:
    """host, port: where it listens; port 0 takes a free one. threads: how many requests work at once.

    rate: requests a second of each key, with as many more at once; None is no limit. max_request: bytes of a request's
    body, max_upload: of files in it, which do not count there. max_result: bytes of outputs inside of one answer; the
    rest of them are given as references.
    behind_proxy: the last proxy before it says who asks, and by which scheme (`X-Forwarded-For`, `-Proto`).
    note: takes a line for whoever runs the server.
    """

    note: Callable[[str], None] = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 16
    rate: float | None = None
    max_request: int = 10 * MIB
    max_upload: int = 1024 * MIB
    max_result: int = 16 * MIB
    behind_proxy: bool = False

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False
