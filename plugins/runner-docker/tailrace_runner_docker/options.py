"""What a flow can say about its container, and how the engine wants to hear it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from core.sdk import Described, Invalid, prop

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", re.IGNORECASE)
_PORT = re.compile(
    r"(?:(?:(?P<ip>[^:\[\]]+|\[[^\[\]]+\]):)?(?P<host>\d*):)?(?P<container>\d+)(?:/(?P<protocol>tcp|udp|sctp))?"
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class Credentials(Described):
    """How to log in to the registry of the image."""

    registry: str = prop("Address of the registry.", default="")
    username: str = prop("User name.", default="")
    password: str = prop("Password.", default="", secret=True)
    registry_token: str = prop("Token sent to the registry as it is.", default="", secret=True)
    identity_token: str = prop("Token that is exchanged for access to the registry.", default="", secret=True)
    auth: str = prop("User name and password, `name:password` in base64.", default="", secret=True)

    def to_engine(self) -> dict[str, str]:
        """As the engine wants them."""
        named = {
            "serveraddress": self.registry,
            "username": self.username,
            "password": self.password,
            "registrytoken": self.registry_token,
            "identitytoken": self.identity_token,
            "auth": self.auth,
        }
        return {name: value for name, value in named.items() if value}


class DeviceRequest(Described):
    """Devices that the container may use, graphics cards above all."""

    driver: str = prop("Name of the device driver.", default="")
    count: int | None = prop("How many devices; -1 for all.", default=None)
    device_ids: list[str] = prop("Which devices.", factory=list)
    capabilities: list[list[str]] = prop("Alternatives of what the devices must be capable of.", factory=list)
    options: dict[str, str] = prop("Options of the driver.", factory=dict)

    def to_engine(self) -> dict[str, Any]:
        """As the engine wants it."""
        return {
            "Driver": self.driver,
            "Count": self.count or 0,
            "DeviceIDs": self.device_ids,
            "Capabilities": self.capabilities,
            "Options": self.options,
        }


class Cpu(Described):
    """Limits on processors."""

    cpus: float | None = prop("How many processors may be used, 1.5 for one and a half.", default=None)

    def to_engine(self) -> dict[str, Any]:
        """As the engine wants it."""
        return {} if self.cpus is None else {"NanoCpus": round(self.cpus * 1_000_000_000)}


class Memory(Described):
    """Limits on memory. Sizes are numbers with a unit, `512MB`; units are powers of 1024."""

    memory: str = prop("The most the container may use.", default="")
    memory_swap: str = prop("Memory and swap together; -1 for unlimited swap.", default="")
    memory_swappiness: int | None = prop("How readily memory is swapped, 0 to 100.", default=None)
    memory_reservation: str = prop("What the engine tries to keep to when the machine runs short.", default="")
    kernel_memory: str = prop("The most the kernel may use for the container.", default="")
    oom_kill_disable: bool | None = prop("Let a container wait for memory instead of ending it.", default=None)

    def to_engine(self) -> dict[str, Any]:
        """As the engine wants it."""
        sizes = {
            "Memory": size("memory.memory", self.memory),
            "MemorySwap": size("memory.memorySwap", self.memory_swap, unlimited=True),
            "MemoryReservation": size("memory.memoryReservation", self.memory_reservation),
            "KernelMemory": size("memory.kernelMemory", self.kernel_memory),
        }
        others = {"MemorySwappiness": self.memory_swappiness, "OomKillDisable": self.oom_kill_disable}
        return {name: value for name, value in {**sizes, **others}.items() if value is not None}


def size(where: str, text: str, *, unlimited: bool = False) -> int | None:
    """`512MB` → bytes; None for "". -1 where `unlimited` allows it. Raises Invalid."""
    if not text:
        return None
    if unlimited and text.strip() == "-1":
        return -1
    match = _SIZE.fullmatch(text)
    if match is None:
        raise Invalid(f"`{text}` is not a size", where=where, expected="a number and a unit, as in 512MB or 1.5g")
    unit: int = 1024 ** _POWERS[match[2].lower()]
    return round(float(match[1]) * unit)


def ports(bindings: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """`127.0.0.1:8080:80/udp`, `8080:80` or `80` (any free port) → the engine's map. Raises Invalid."""
    found: dict[str, list[dict[str, str]]] = {}
    for binding in bindings:
        match = _PORT.fullmatch(binding)
        if match is None:
            raise Invalid(
                f"`{binding}` binds no port",
                where="portBindings",
                expected="[ip:][port of this machine:]port of the container[/tcp|udp|sctp]",
            )
        place = {"HostIp": (match["ip"] or "").strip("[]"), "HostPort": match["host"] or ""}
        found.setdefault(f"{match['container']}/{match['protocol'] or 'tcp'}", []).append(place)
    return found
