"""What a flow can say about a container, wherever it says so: the properties that runners with images share."""

from __future__ import annotations

from core.sdk.properties import Described, prop


class Credentials(Described):
    """How to log in to the registry of the image."""

    registry: str = prop("Address of the registry.", default="")
    username: str = prop("User name.", default="")
    password: str = prop("Password.", default="", secret=True)
    registry_token: str = prop("Token sent to the registry as it is.", default="", secret=True)
    identity_token: str = prop("Token that is exchanged for access to the registry.", default="", secret=True)
    auth: str = prop("User name and password, `name:password` in base64.", default="", secret=True)


class DeviceRequest(Described):
    """Devices that the container may use, graphics cards above all."""

    driver: str = prop("Name of the device driver.", default="")
    count: int | None = prop("How many devices; -1 for all.", default=None)
    device_ids: list[str] = prop("Which devices.", factory=list)
    capabilities: list[list[str]] = prop("Alternatives of what the devices must be capable of.", factory=list)
    options: dict[str, str] = prop("Options of the driver.", factory=dict)


class Cpu(Described):
    """Limits on processors."""

    cpus: float | None = prop("How many processors may be used, 1.5 for one and a half.", default=None)


class Memory(Described):
    """Limits on memory. Sizes are numbers with a unit, `512MB`; units are powers of 1024."""

    memory: str = prop("The most the container may use.", default="")
    memory_swap: str = prop("Memory and swap together; -1 for unlimited swap.", default="")
    memory_swappiness: int | None = prop("How readily memory is swapped, 0 to 100.", default=None)
    memory_reservation: str = prop("What the engine tries to keep to when the machine runs short.", default="")
    kernel_memory: str = prop("The most the kernel may use for the container.", default="")
    oom_kill_disable: bool | None = prop("Let a container wait for memory instead of ending it.", default=None)
