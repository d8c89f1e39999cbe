"""What a flow says about its container, as the engine wants to hear it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from core.sdk import Invalid
from core.sdk.containers import Cpu, Credentials, DeviceRequest, Memory

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", re.IGNORECASE)
_PORT = re.compile(
    r"(?:(?:(?P<ip>[^:\[\]]+|\[[^\[\]]+\]):)?(?P<host>\d*):)?(?P<container>\d+)(?:/(?P<protocol>tcp|udp|sctp))?"
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def login(credentials: Credentials) -> dict[str, str]:
    """A login as the engine wants it."""
    named = {
        "serveraddress": credentials.registry,
        "username": credentials.username,
        "password": credentials.password,
        "registrytoken": credentials.registry_token,
        "identitytoken": credentials.identity_token,
        "auth": credentials.auth,
    }
    return {name: value for name, value in named.items() if value}


def devices(request: DeviceRequest) -> dict[str, Any]:
    """A request for devices as the engine wants it."""
    return {
        "Driver": request.driver,
        "Count": request.count or 0,
        "DeviceIDs": request.device_ids,
        "Capabilities": request.capabilities,
        "Options": request.options,
    }


def limits(cpu: Cpu | None, memory: Memory | None, shm_size: str) -> dict[str, Any]:
    """Limits as the engine wants them; only what is given. Raises Invalid."""
    named = {
        **({} if cpu is None or cpu.cpus is None else {"NanoCpus": round(cpu.cpus * 1_000_000_000)}),
        **(_memory(memory) if memory else {}),
        "ShmSize": size("shmSize", shm_size),
    }
    return {name: value for name, value in named.items() if value is not None}


def _memory(memory: Memory) -> dict[str, int | None]:
    return {
        "Memory": size("memory.memory", memory.memory),
        "MemorySwap": size("memory.memorySwap", memory.memory_swap, unlimited=True),
        "MemoryReservation": size("memory.memoryReservation", memory.memory_reservation),
        "KernelMemory": size("memory.kernelMemory", memory.kernel_memory),
        "MemorySwappiness": memory.memory_swappiness,
        "OomKillDisable": memory.oom_kill_disable,
    }


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
