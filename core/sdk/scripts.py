"""Scripts: the base of task types that run a program text or commands, here or in a container."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal, dataclass_transform

from core.errors import Invalid, TailraceError, TaskFailed, Unreachable
from core.model.data import data, evolve, field
from core.sdk.containers import Cpu, Credentials, DeviceRequest, Memory
from core.sdk.context import RunContext
from core.sdk.files import collect_files, store_output, write_input_files
from core.sdk.namespace_files import NamespaceFiles, write_namespace_files
from core.sdk.properties import Described, prop, properties, yaml_name
from core.sdk.runners import Command, TaskRunner
from core.sdk.script_lines import ScriptLines
from core.sdk.script_workspace import Workspace
from core.sdk.tasks import RunnableTask, TaskOutput
from core.sdk.wishes import MACHINE, Requirement, RunnerChoice

DEFAULT_INTERPRETER = ("/bin/sh", "-c")
_SHELLS = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh"})
_LONG = 100_000
"""Bytes from which commands go through a file: Linux takes no argument of 131 072 bytes or more."""
_WILD = re.compile(r"[*?\[{\\]")
_IMAGE = re.compile(r"(?:docker\.io/)?(?:library/)?([^:@]+)(?::([^@]*))?(?:@.*)?")


class DockerOptions(Described):
    """The old `docker` map. Today these are properties of the runner: `taskRunner: {type: runner.Docker, …}`."""

    image: str | None = prop("Image to run in.", default=None)
    host: str | None = prop("Address of the Docker engine.", default=None, aliases=("dockerHost",))
    config: str | dict[str, Any] | None = prop(
        "A Docker configuration as text or map, for logins to registries.",
        default=None, aliases=("dockerConfig",), secret=True,
    )  # fmt: skip
    credentials: Credentials | None = prop("Login to the registry of the image.", default=None)
    user: str | None = prop("User inside the container.", default=None)
    entry_point: list[str] | None = prop("Entry point in place of the image's.", default=None)
    extra_hosts: list[str] | None = prop("Lines `name:address` for the container's hosts file.", default=None)
    network_mode: str | None = prop("Network of the container.", default=None)
    volumes: list[str] | None = prop("Directories to mount.", default=None)
    pull_policy: Literal["ALWAYS", "IF_NOT_PRESENT", "NEVER"] | None = prop("When to pull the image.", default=None)
    device_requests: list[DeviceRequest] | None = prop("Devices such as graphics cards.", default=None)
    cpu: Cpu | None = prop("Limits on processors.", default=None)
    memory: Memory | None = prop("Limits on memory.", default=None)
    shm_size: str | None = prop("Size of the container's shared memory.", default=None)


@data
class Launch:
    """What a script type wants to have run: program and arguments, and variables beside the task's own `env`."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(factory=dict)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(prop,))
class ScriptTask(RunnableTask):
    """Base of script types. A subclass declares its text (`script` or `commands`) and says in `launch` how it is run.

    Properties and outputs are the reference's `AbstractExecScript`.
    """

    default_image: ClassVar[str] = ""
    """The image of a container runner when the flow names none."""
    official_images: ClassVar[frozenset[str]] = frozenset()
    """Names of images, without registry and tag, for which this machine can stand in."""
    stand_in: ClassVar[str] = MACHINE
    """What stands in for them, in words for people."""

    container_image: str | None = prop("Image for runners that have images; by default the type's.", default=None)
    task_runner: TaskRunner | None = prop("Where the commands run; by default what the engine is set to.", default=None)
    runner: Literal["PROCESS", "DOCKER"] | None = prop("Where the commands run.", default=None, deprecated="taskRunner")
    docker: DockerOptions | None = prop(
        "Options of the Docker runner.", default=None, deprecated="taskRunner: {type: runner.Docker, …}"
    )
    before_commands: list[str] | None = prop("Commands to run first, in the same shell.", default=None)
    input_files: dict[str, Any] | str | None = prop(
        "Files to put into the working directory: name → text or storage URI, or the JSON text of such a map.",
        default=None,
    )
    output_files: list[str] | None = prop("Names or patterns of the files to keep.", default=None)
    namespace_files: NamespaceFiles | bool | None = prop(
        "Namespace files to put into the working directory.", default=None
    )
    env: dict[str, str] | None = prop("Environment variables.", default=None)
    warning_on_std_err: bool = prop("End as WARNING when something was written to standard error.", default=False)
    fail_fast: bool = prop("Stop at the first command that fails (`set -e`).", default=True)
    interpreter: list[str] = prop(
        "Program and arguments that take the commands as one argument.", factory=lambda: list(DEFAULT_INTERPRETER)
    )
    output_directory: bool = prop("Keep every file of `{{ outputDir }}`.", default=False, deprecated="outputFiles")
    target_os: Literal["AUTO", "LINUX"] = prop(
        "System the commands are written for; Windows is not supported.", name="targetOS", default="AUTO"
    )

    class Output(TaskOutput):
        """What a script gives."""

        vars: dict[str, Any] = prop('Values the script gave with `::{"outputs": …}::`.')
        exit_code: int = prop("The script's exit code.")
        output_files: dict[str, str] = prop("Name of each kept file → its URI.")
        task_runner: dict[str, Any] | None = prop("What the runner tells of itself.", default=None)

    def __post_init__(self) -> None:
        if not self.interpreter:
            raise Invalid("`interpreter` is empty", expected="a program and its arguments, such as [/bin/sh, -c]")

    def launch(self, space: Workspace) -> Launch:
        """What to run; texts that may hold storage URIs go through `space.localized`."""
        raise NotImplementedError(f"{type(self).__name__} has no launch()")

    def run(self, ctx: RunContext) -> Any:
        runner = self._chosen_runner(ctx)
        lines = ScriptLines(ctx)
        self._bring_files(ctx)
        with Workspace(ctx, runner) as space:
            launch = self.launch(space)
            env = {**self._own_environment(ctx), **(self.env or {}), **launch.env}
            command = Command(launch.argv, space.root, lines, env, self.image)
            # After a crash of the engine the same attempt is made again, and its container may still be running.
            result = runner.reattach(ctx, command) or runner.run(ctx, command)
        return self._ended(ctx, lines, result.exit_code, result.details)

    def stop_left(self, ctx: RunContext) -> None:
        choice = self.runner_choice()
        if choice.requested is None and not choice.setting:
            # The engine that died may have been told otherwise than this one (`--runner`).
            for setting in _SETTINGS.values():
                with suppress(Unreachable):
                    self._chosen_runner(ctx, setting).stop_left(ctx)
        self._chosen_runner(ctx).stop_left(ctx)

    def requires(self) -> tuple[Requirement, ...]:
        undecided = (self.container_image, self.docker, self.task_runner, self.runner)
        if any(map(_is_template, undecided)) or _is_template(self.image):
            return ()
        choice = self.runner_choice()
        if choice.elsewhere:
            return ()
        requested = choice.requested.type if choice.requested else ""
        return (Requirement("runner", "", choice.image, choice.official, requested, choice.setting, choice.stand_in),)

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **super().summary(output.get("vars") or {}),
            "exit_code": output.get("exitCode"),
            "output_files": len(output.get("outputFiles") or ()),
        }

    @property
    def image(self) -> str:
        """The image a container runner is to use."""
        return (self.docker and self.docker.image) or self.container_image or self.default_image

    @property
    def image_written(self) -> bool:
        """Whether the flow names an image."""
        return bool((self.docker and self.docker.image) or self.container_image)

    def runner_choice(self) -> RunnerChoice:
        """Where this script wants to run. The old `runner` wins over `taskRunner`, as in the reference."""
        name, _ = split_image(self.image)
        container_only = self.docker is not None and bool(_given(self.docker))
        requested = None if self.runner else self.task_runner
        return RunnerChoice(
            image=self.image,
            official=name in self.official_images and not container_only,
            requested=requested,
            setting=_SETTINGS.get(self.runner or "", ""),
            stand_in=self.stand_in,
            elsewhere=requested.elsewhere if requested else bool(self.docker and self.docker.host),
        )

    def shell(self, space: Workspace, commands: Iterable[str], before: Iterable[str] | None = None) -> tuple[str, ...]:
        """The interpreter with all commands joined into its one argument.

        before: commands to run first, in place of `beforeCommands`.
        """
        first = self.before_commands or () if before is None else before
        text = "\n".join([*(["set -e"] if self.fail_fast else []), *first, *commands])
        text = space.localized(text)
        if len(text.encode()) > _LONG and Path(self.interpreter[0]).name in _SHELLS:
            text = f". {shlex.quote(str(space.write(text, '.sh')))}"
        return (*self.interpreter, text)

    def _chosen_runner(self, ctx: RunContext, setting: Literal["process", "docker", ""] = "") -> TaskRunner:
        """setting: instead of the task's own and the engine's."""
        choice = self.runner_choice()
        runner: TaskRunner = ctx.choose_runner(evolve(choice, setting=setting) if setting else choice)
        options = _given(self.docker) if self.docker and runner.containers else {}
        known = {attribute.name for attribute, _ in properties(type(runner))}
        for name in options:
            if name not in known:
                raise Invalid(f"`docker.{yaml_name(name)}` means nothing to the runner `{runner.type}`")
        return evolve(runner, **options) if options else runner

    def _own_environment(self, ctx: RunContext) -> dict[str, str]:
        env = {"WORKING_DIR": str(ctx.working_dir)}
        if self._keeps_output_dir(ctx):
            env["OUTPUT_DIR"] = str(ctx.output_dir)
        return env

    def _keeps_output_dir(self, ctx: RunContext) -> bool:
        return self.output_directory or self.runner is not None or ctx.output_dir_used

    def _bring_files(self, ctx: RunContext) -> None:
        wanted = self.namespace_files
        if isinstance(wanted, bool):
            wanted = NamespaceFiles(enabled=wanted)
        if wanted is not None:
            write_namespace_files(ctx, wanted, ctx.working_dir)
        if self.input_files is not None:
            write_input_files(ctx, self.input_files, ctx.working_dir)
        # A pattern that leads out is refused now instead of after hours of work.
        collect_files(ctx.working_dir, self._patterns())

    def _patterns(self) -> Sequence[str]:
        """The reference takes a name that ends with `/` for everything below that directory."""
        return [f"{pattern}**" if pattern.endswith("/") else pattern for pattern in self.output_files or ()]

    def _ended(self, ctx: RunContext, lines: ScriptLines, code: int, details: Mapping[str, Any]) -> Any:
        exit_code = 128 - code if code < 0 else code  # as a shell reports it
        files: dict[str, str] = {}
        try:
            files = self._keep_files(ctx)
        except TailraceError as error:
            if exit_code == 0:
                raise
            ctx.log.warn(f"The output files could not be kept: {error.what}")
        output = self.Output(
            vars=lines.vars, exit_code=exit_code, output_files=files, task_runner=dict(details) or None
        )
        if exit_code:
            raise TaskFailed(_failure(code), hint=_advice(exit_code), output=output)
        self._check_complete(ctx, files, output)
        if self.warning_on_std_err and lines.stderr_used:
            ctx.end_with_warning("The script wrote to standard error")
        return output

    def _keep_files(self, ctx: RunContext) -> dict[str, str]:
        """Store what is to be kept: relative name → URI."""
        kept = {}
        if self._keeps_output_dir(ctx):
            for name in collect_files(ctx.output_dir, ("**",)):
                kept[name] = store_output(ctx, ctx.output_dir, name)
        for name in collect_files(ctx.working_dir, self._patterns()):
            kept[name] = store_output(ctx, ctx.working_dir, name)
        return kept

    def _check_complete(self, ctx: RunContext, files: Mapping[str, str], output: TaskOutput) -> None:
        """A pattern may match nothing; a plain name stands for a file that must be there."""
        names = [name.removeprefix(f"{ctx.working_dir}/").removeprefix("./") for name in self._patterns()]
        missing = [name for name in names if name not in files and not _WILD.search(name)]
        if not missing:
            return
        folder = next((name for name in missing if (ctx.working_dir / name).is_dir()), None)
        raise TaskFailed(
            "The script did not produce " + " and ".join(f"`{name}`" for name in missing),
            expected="every file that `outputFiles` names without a pattern",
            hint=f"write `{folder}/**` for the files of a directory" if folder else _WHERE_TO_WRITE,
            output=output,
        )


_WHERE_TO_WRITE = (
    "write it into the directory where the script starts (`{{ workingDir }}`); "
    "a pattern such as `*.csv` may match nothing"
)
_SETTINGS: Mapping[str, Literal["process", "docker"]] = {"PROCESS": "process", "DOCKER": "docker"}


def split_image(image: str) -> tuple[str, str]:
    """`docker.io/library/python:3.12-slim` → (`python`, `3.12-slim`); the tag is empty when there is none."""
    match = _IMAGE.fullmatch(image)
    return (match[1], match[2] or "") if match else (image, "")


def _given(options: DockerOptions) -> dict[str, Any]:
    """The options beside the image that the flow gives, by attribute."""
    values = {attribute.name: getattr(options, attribute.name) for attribute, _ in properties(DockerOptions)}
    return {name: value for name, value in values.items() if value is not None and name != "image"}


def _is_template(value: object) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _failure(code: int) -> str:
    """What happened, with the signal that ended the script or, as a shell tells it by 128 + n, a command in it."""
    if code < 0:
        return f"Command failed with exit code {128 - code}: it was ended by {_signal_name(-code)}"
    name = _signal_name(code - 128)
    return f"Command failed with exit code {code}" + (f", which stands for {name}" if name else "")


def _advice(exit_code: int) -> str:
    if exit_code != 128 + signal.SIGKILL:
        return ""
    return "a machine or a container that runs out of memory ends processes with SIGKILL: give it more, or use less"


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}" if 0 < number < 65 else ""
