"""The properties of `runner.Docker`, and what they mean for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from core.sdk import Command, CommandResult, Forbidden, Invalid, RunContext, TaskRunner, prop
from core.sdk.containers import Cpu, Credentials, DeviceRequest, Memory
from tailrace_runner_docker.locate import find_engine
from tailrace_runner_docker.options import devices, limits, login, ports
from tailrace_runner_docker.plan import ATTEMPT, NAMESPACE, TASK, Plan, PullPolicy


class Docker(
    TaskRunner,
    type="runner.Docker",
    aliases=(
        "io.kestra.plugin.scripts.runner.docker.Docker",
        "io.kestra.plugin.scripts.runner.docker.DockerTaskRunner",
    ),
):
    """Run commands in a container of Docker or Podman.

    The working directory has the same absolute path in the container as on this machine. It is copied in before and
    copied back afterwards, so the engine may be on another machine and what is left there belongs to the engine's user.
    """

    containers: ClassVar[bool] = True

    host: str = prop(
        "Address of the container engine; without it DOCKER_HOST, else the usual sockets of Docker and Podman.",
        default="",
        examples=("unix:///var/run/docker.sock", "tcp://docker.example:2375"),
    )
    config: str | dict[str, Any] = prop(
        "A Docker configuration (`~/.docker/config.json`) as text or map, for logins to registries.",
        default="",
        secret=True,
    )
    credentials: Credentials | None = prop("Login to the registry of the image.", default=None)
    user: str = prop("User, or user:group, in the container; the image's own by default.", default="")
    entry_point: list[str] = prop("What is run with the command as arguments; by default nothing but the command.",
                                  factory=lambda: [""])  # fmt: skip
    extra_hosts: list[str] = prop("More names of hosts, `name:address`.", factory=list)
    network_mode: str = prop("Network of the container: bridge, none, host or the name of one.", default="")
    port_bindings: list[str] = prop(
        "Ports of the container that this machine offers.", factory=list, examples=(["8080:80/udp"],)
    )
    volumes: list[str] = prop(
        "Directories of the engine's machine to share, `/here:/there:ro`; "
        "only where TAILRACE_DOCKER_VOLUMES=allow is in the environment.",
        factory=list,
    )
    pull_policy: PullPolicy = prop("When the image is pulled.", default="IF_NOT_PRESENT")
    device_requests: list[DeviceRequest] = prop("Devices such as graphics cards.", factory=list)
    cpu: Cpu | None = prop("Limits on processors.", default=None)
    memory: Memory | None = prop("Limits on memory.", default=None)
    shm_size: str = prop("Size of /dev/shm, a number with a unit.", default="", examples=("64MB",))
    privileged: bool = prop(
        "Give the container all rights over the machine; only where TAILRACE_DOCKER_PRIVILEGED=allow is in the "
        "environment.",
        default=False,
    )
    file_handling_strategy: Literal["VOLUME", "MOUNT"] = prop(
        "VOLUME copies the working directory in and out, MOUNT shares it (with an engine on this machine only).",
        default="VOLUME",
    )
    delete: bool = prop("Remove the container when it has ended.", default=True)
    wait: bool = prop("Follow the container to its end; otherwise it is started and the task succeeds.", default=True)
    kill_grace_period: timedelta = prop(
        "How long a stopped container may take to end by itself before it is killed.", default=timedelta(0)
    )
    resume: bool = prop("After a crash of the engine, go on with the container that still runs.", default=True)

    @classmethod
    def unavailable(cls, environment: Mapping[str, str]) -> str:
        """Why no container can run, asked within 0.3 s and without importing the SDK."""
        return find_engine("", environment).reason

    @property
    def elsewhere(self) -> bool:
        """An engine named by `host` is asked when it is used; it may need longer to answer than one on this machine."""
        return bool(self.host)

    def run(self, ctx: RunContext, command: Command) -> CommandResult:
        plan = self.plan(ctx, command)
        from tailrace_runner_docker import session  # noqa: PLC0415 - imports the Docker SDK

        return session.run(plan, ctx, command)

    def reattach(self, ctx: RunContext, command: Command) -> CommandResult | None:
        if find_engine(self.host, ctx.environment).reason:
            return None
        plan = self.plan(ctx, command)
        from tailrace_runner_docker import session  # noqa: PLC0415 - imports the Docker SDK

        return session.reattach(plan, ctx, command)

    def stop_left(self, ctx: RunContext) -> None:
        from tailrace_runner_docker import left  # noqa: PLC0415 - imports the Docker SDK

        left.stop(ctx, self.host, self.kill_grace_period.total_seconds(), delete=self.delete)

    def plan(self, ctx: RunContext, command: Command) -> Plan:
        """What is to happen, for one command. Raises Invalid, Forbidden."""
        self._refuse(ctx, command)
        return Plan(
            host=self.host,
            image=command.image,
            body=self._body(ctx, command),
            pull_policy=self.pull_policy,
            credentials=login(self.credentials) if self.credentials else {},
            config=self.config,
            mount=self.file_handling_strategy == "MOUNT",
            wait=self.wait,
            delete=self.delete,
            resume=self.resume,
            grace=self.kill_grace_period.total_seconds(),
        )

    def _refuse(self, ctx: RunContext, command: Command) -> None:
        if not command.image:
            raise Invalid("A container needs an image", where="containerImage", expected="the name of an image")
        if not command.argv:
            raise Invalid("There is no command to run", expected="a program and its arguments")
        for name, given in (("volumes", bool(self.volumes)), ("privileged", self.privileged)):
            permission = f"TAILRACE_DOCKER_{name.upper()}"
            if given and ctx.environment.get(permission) != "allow":
                raise Forbidden(
                    f"`{name}` gives the container power over the machine, which is not allowed here",
                    where=name,
                    hint=f"whoever runs the engine allows it by {permission}=allow in its environment",
                )
        if self.file_handling_strategy == "MOUNT" and not self.wait:
            raise Invalid(
                "A container that nobody waits for can't share the working directory, which goes with the task",
                where="fileHandlingStrategy",
                expected="VOLUME, or `wait: true`",
            )

    def _body(self, ctx: RunContext, command: Command) -> dict[str, Any]:
        """The request that creates the container, as in the engine's API."""
        bound = ports(self.port_bindings)
        shared = list(self.volumes)
        if self.file_handling_strategy == "MOUNT":
            shared.append(f"{command.working_dir}:{command.working_dir}")
        return {
            "Image": command.image,
            "Cmd": list(command.argv),
            "Entrypoint": self.entry_point,
            "Env": [f"{name}={value}" for name, value in command.env.items()],
            "WorkingDir": str(command.working_dir),
            "User": self.user,
            "Labels": {ATTEMPT: ctx.attempt_id, NAMESPACE: ctx.namespace, TASK: ctx.task_id},
            "ExposedPorts": {port: {} for port in bound},
            "HostConfig": {
                "Binds": shared,
                "NetworkMode": self.network_mode or "default",
                "PortBindings": bound,
                "ExtraHosts": self.extra_hosts,
                "DeviceRequests": [devices(request) for request in self.device_requests],
                "Privileged": self.privileged,
                "AutoRemove": self.delete and not self.wait,
                "LogConfig": {"Type": "json-file", "Config": {}},  # where a re-attached container's output is
                **limits(self.cpu, self.memory, self.shm_size),
            },
        }
