from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import tailrace_runner_docker
from core.registry.convert import convert
from core.sdk import Command, CommandResult, Described, Forbidden, Invalid, RunContext, prop, properties
from core.sdk.containers import Cpu, Credentials, DeviceRequest, Memory
from core.sdk.script_workspace import Workspace
from core.sdk.scripts import Launch, ScriptTask
from core.testing.plain_context import PlainContext
from tailrace_runner_docker.options import login, ports, size
from tailrace_runner_docker.plan import Plan
from tailrace_runner_docker.runner import Docker


class Sh(ScriptTask, type="tests.Sh"):
    """Commands of a shell."""

    commands: list[str] = prop("The commands.")

    def launch(self, space: Workspace) -> Launch:
        return Launch(self.shell(space, self.commands))


class Recording(Docker, type="tests.Recording"):
    """Plans a container and starts none."""

    plans: list[Plan] = prop("What was planned.", factory=list)

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        self.plans.append(self.plan(ctx, command))
        return CommandResult(0)

    def reattach(self, ctx: RunContext, command: Command) -> None:
        return None


def planned(runner: Docker, root: Path, **environment: str) -> Any:
    ctx = PlainContext(root, environment, attempt_id="1")
    command = Command(("echo", "a b"), ctx.working_dir, lambda stream, line: None, {"X": "1"}, "img:1")
    return runner.plan(ctx, command)


def test_the_light_module_names_the_class_as_it_names_itself() -> None:
    (ref,) = tailrace_runner_docker.task_runners()
    assert (ref.target, ref.kind) == (f"{Docker.__module__}:{Docker.__name__}", "runner")
    assert (ref.name, ref.aliases) == (Docker.type, Docker.aliases)


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (
            Docker,
            "host config credentials user entryPoint extraHosts networkMode portBindings volumes pullPolicy "
            "deviceRequests cpu memory shmSize privileged fileHandlingStrategy delete wait killGracePeriod resume",
        ),
        (Credentials, "registry username password registryToken identityToken auth"),
        (Memory, "memory memorySwap memorySwappiness memoryReservation kernelMemory oomKillDisable"),
        (Cpu, "cpus"),
        (DeviceRequest, "driver count deviceIds capabilities options"),
    ],
)
def test_properties_have_the_names_of_the_reference(cls: type[Described], names: str) -> None:
    assert [declared.name for _, declared in properties(cls)] == names.split()


def test_a_plain_container_is_asked_for(tmp_path: Path) -> None:
    work = str(tmp_path.resolve() / "work")
    assert planned(Docker(), tmp_path).body == {
        "Image": "img:1",
        "Cmd": ["echo", "a b"],
        "Entrypoint": [""],
        "Env": ["X=1"],
        "WorkingDir": work,
        "User": "",
        "Labels": {"tailrace.attempt": "1", "tailrace.namespace": "tests", "tailrace.task": "task"},
        "ExposedPorts": {},
        "HostConfig": {
            "Binds": [],
            "NetworkMode": "default",
            "PortBindings": {},
            "ExtraHosts": [],
            "DeviceRequests": [],
            "Privileged": False,
            "AutoRemove": False,
            "LogConfig": {"Type": "json-file", "Config": {}},
        },
    }


def test_every_option_reaches_the_request(tmp_path: Path) -> None:
    runner = Docker(
        user="me",
        entry_point=["/init"],
        extra_hosts=["a:1.2.3.4"],
        network_mode="host",
        port_bindings=["8080:80/udp"],
        volumes=["/a:/b"],
        device_requests=[DeviceRequest(driver="nvidia", count=-1, capabilities=[["gpu"]], options={"o": "1"})],
        cpu=Cpu(cpus=1.5),
        memory=Memory(
            memory="1g", memory_swap="-1", memory_swappiness=10, memory_reservation="512MB", kernel_memory="64mb",
            oom_kill_disable=True,
        ),
        shm_size="64m",
        privileged=True,
        file_handling_strategy="MOUNT",
        kill_grace_period=timedelta(seconds=3),
        delete=False,
        resume=False,
    )  # fmt: skip
    plan = planned(runner, tmp_path, TAILRACE_DOCKER_VOLUMES="allow", TAILRACE_DOCKER_PRIVILEGED="allow")
    work = str(tmp_path.resolve() / "work")
    assert (plan.grace, plan.delete, plan.resume, plan.mount) == (3.0, False, False, True)
    assert (plan.body["User"], plan.body["Entrypoint"]) == ("me", ["/init"])
    assert plan.body["ExposedPorts"] == {"80/udp": {}}
    assert plan.body["HostConfig"] == {
        "Binds": ["/a:/b", f"{work}:{work}"],
        "NetworkMode": "host",
        "PortBindings": {"80/udp": [{"HostIp": "", "HostPort": "8080"}]},
        "ExtraHosts": ["a:1.2.3.4"],
        "DeviceRequests": [
            {"Driver": "nvidia", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {"o": "1"}}
        ],
        "Privileged": True,
        "AutoRemove": False,
        "LogConfig": {"Type": "json-file", "Config": {}},
        "NanoCpus": 1_500_000_000,
        "Memory": 1 << 30,
        "MemorySwap": -1,
        "MemorySwappiness": 10,
        "MemoryReservation": 512 << 20,
        "KernelMemory": 64 << 20,
        "OomKillDisable": True,
        "ShmSize": 64 << 20,
    }


def test_the_old_docker_map_of_a_script_says_the_same(tmp_path: Path) -> None:
    written = {
        "image": "img:1",
        "dockerHost": "unix:///nowhere",
        "dockerConfig": {"auths": {}},
        "credentials": {"registry": "r", "username": "u"},
        "user": "me",
        "deviceRequests": [{"count": -1, "capabilities": [["gpu"]]}],
        "cpu": {"cpus": "0.5"},
        "memory": {"memory": "64MB"},
        "shmSize": "1m",
    }
    runner = Recording()
    task: Sh = convert({"commands": ["true"], "docker": written}, Sh)
    task.run(PlainContext(tmp_path, runner=runner))
    (plan,) = runner.plans
    assert (plan.host, plan.image, plan.body["User"]) == ("unix:///nowhere", "img:1", "me")
    assert (plan.config, plan.credentials) == ({"auths": {}}, {"serveraddress": "r", "username": "u"})
    limits = {name: plan.body["HostConfig"][name] for name in ("DeviceRequests", "NanoCpus", "Memory", "ShmSize")}
    assert limits == {
        "DeviceRequests": [{"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}],
        "NanoCpus": 500_000_000,
        "Memory": 64 << 20,
        "ShmSize": 1 << 20,
    }


def test_a_container_nobody_waits_for_is_removed_by_the_engine(tmp_path: Path) -> None:
    assert planned(Docker(wait=False), tmp_path).body["HostConfig"]["AutoRemove"] is True
    assert planned(Docker(wait=False, delete=False), tmp_path).body["HostConfig"]["AutoRemove"] is False


@pytest.mark.parametrize(
    ("runner", "name"), [(Docker(volumes=["/etc:/etc"]), "volumes"), (Docker(privileged=True), "privileged")]
)
def test_power_over_the_machine_needs_a_permission(runner: Docker, name: str, tmp_path: Path) -> None:
    permission = f"TAILRACE_DOCKER_{name.upper()}"
    for value in ("", "true", "Allow"):
        with pytest.raises(Forbidden) as caught:
            planned(runner, tmp_path, **{permission: value})
        assert str(caught.value) == (
            f"{name}: `{name}` gives the container power over the machine, which is not allowed here\n"
            f"  to do: whoever runs the engine allows it by {permission}=allow in its environment"
        )
    planned(runner, tmp_path, **{permission: "allow"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("512", 512),
        ("1b", 1),
        ("1k", 1024),
        ("512MB", 512 << 20),
        ("512mb", 512 << 20),
        ("0.5GB", 512 << 20),
        ("524288KB", 512 << 20),
        ("1.5 GiB", 3 << 29),
        ("1t", 1 << 40),
    ],
)
def test_sizes_have_units(text: str, expected: int | None) -> None:
    assert size("memory.memory", text) == expected


@pytest.mark.parametrize("text", ["-1", "much", "1.MB", "1 2", "1x", "MB"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        size("shmSize", text)
    assert str(caught.value) == (
        f"shmSize: `{text}` is not a size\n  expected: a number and a unit, as in 512MB or 1.5g"
    )


@pytest.mark.parametrize(
    ("binding", "port", "place"),
    [
        ("80", "80/tcp", ("", "")),
        ("8080:80", "80/tcp", ("", "8080")),
        ("8080:80/udp", "80/udp", ("", "8080")),
        ("127.0.0.1:8080:80", "80/tcp", ("127.0.0.1", "8080")),
        ("127.0.0.1::80", "80/tcp", ("127.0.0.1", "")),
        ("[::1]:8080:80", "80/tcp", ("::1", "8080")),
    ],
)
def test_ports_are_bound_as_docker_writes_it(binding: str, port: str, place: tuple[str, str]) -> None:
    assert ports([binding]) == {port: [{"HostIp": place[0], "HostPort": place[1]}]}


def test_one_port_of_the_container_may_be_bound_twice() -> None:
    assert [place["HostPort"] for place in ports(["1:80", "2:80"])["80/tcp"]] == ["1", "2"]


@pytest.mark.parametrize("binding", ["", "http", "80/icmp", "1:2:3:4", "80-90"])
def test_other_bindings_are_refused(binding: str) -> None:
    with pytest.raises(Invalid) as caught:
        ports([binding])
    assert str(caught.value) == (
        f"portBindings: `{binding}` binds no port\n"
        "  expected: [ip:][port of this machine:]port of the container[/tcp|udp|sctp]"
    )


def test_credentials_are_named_as_the_engine_names_them() -> None:
    given = Credentials(registry="r", username="u", password="p", registry_token="t", identity_token="i", auth="a")
    assert login(given) == {
        "serveraddress": "r", "username": "u", "password": "p", "registrytoken": "t", "identitytoken": "i", "auth": "a",
    }  # fmt: skip
    assert login(Credentials(username="u")) == {"username": "u"}
