"""Python scripts, and commands that call Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.sdk import Invalid, prop
from core.sdk.script_workspace import Workspace
from core.sdk.scripts import DEFAULT_INTERPRETER, Launch, ScriptTask, split_image
from tailrace_scripts_python.environments import Maker, Recipe, is_own_version, overlay
from tailrace_scripts_python.pip_commands import are_plain, leading_installs
from tailrace_scripts_python.prelude import write_prelude

_SETTINGS = {"PYTHONUNBUFFERED": "true", "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
_VERSION = re.compile(r"\w[\w.+-]*")
_VERSION_IN_TAG = re.compile(r"\d+(?:\.\d+)*")


class PythonTask(ScriptTask):
    """What both tasks share: the packages and the environment they are in.

    On this machine that is an isolated environment, kept for the next run; in a container the image's own, into which
    the packages are installed first.
    """

    default_image = "python:3.13-slim"
    official_images = frozenset({"python"})
    stand_in = "an isolated environment"

    dependencies: list[str] | None = prop(
        "Packages to install first.", default=None, examples=(["polars>=1.0", "requests"],)
    )
    dependency_cache_enabled: bool = prop("Keep the environment for the next run with the same packages.", default=True)
    package_manager: Literal["UV", "PIP"] = prop(
        "What makes environments on this machine; pip takes uv's place where there is no uv. Containers use pip.",
        default="UV",
    )
    python_version: str | None = prop(
        "Version of Python; by default what the tag of the image says, else the engine's own.",
        default=None,
        examples=("3.12",),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.python_version and not _VERSION.fullmatch(self.python_version):
            raise Invalid(f"`{self.python_version}` is not a version of Python", expected="a version such as 3.12")

    @property
    def image(self) -> str:
        if self.python_version and not self.image_written:
            return f"python:{self.python_version}-slim"
        return super().image

    def start(self, space: Workspace, commands: list[str], python_path: str = "", alone: Sequence[str] = ()) -> Launch:
        """Run commands where Python and the packages are.

        python_path: a directory whose modules come first. alone: program and arguments that do the same as the
        commands when nothing has to come before them; saves a shell.
        """
        env = {name: value for name, value in _SETTINGS.items() if name not in (self.env or {})}
        search = [path for path in (python_path, (self.env or {}).get("PYTHONPATH", "")) if path]
        if space.runner.containers:
            before = self._container_installs(space) + (self.before_commands or [])
            if search:
                env["PYTHONPATH"] = ":".join(search)
        else:
            environment, before = self._environment(space)
            path = (self.env or {}).get("PATH") or space.ctx.environment.get("PATH", "")
            env |= {"PATH": f"{environment / 'bin'}:{path}", "VIRTUAL_ENV": str(environment)}
            # Set even when empty: what the engine's own Python is told must not reach the script's.
            env |= {"PYTHONPATH": ":".join(search), "PYTHONHOME": ""}
        if alone and not before and tuple(self.interpreter) == DEFAULT_INTERPRETER:
            return Launch(tuple(alone), env)
        return Launch(self.shell(space, commands, before), env)

    def _environment(self, space: Workspace) -> tuple[Path, list[str]]:
        """The environment of this run, and the commands that are left to be run in it."""
        installs, rest = leading_installs(self.before_commands or ())
        wanted = [space.localized(package) for package in self.dependencies or ()]
        recipe = Recipe(self.local_version(), ((tuple(wanted),) if wanted else ()) + installs)
        maker = Maker(space.ctx, space.runner, self.package_manager)
        path = space.private / "python"
        if self.dependency_cache_enabled and are_plain(wanted):
            overlay(maker.cached(recipe), path)
        else:
            maker.make(recipe, path)
        return path, list(rest)

    def local_version(self) -> str:
        """The version of Python that the flow asks for; "" when the engine's own will do."""
        version = self.python_version or ""
        name, tag = split_image(self.image)
        if not version and self.image_written and name in self.official_images:
            match = _VERSION_IN_TAG.match(tag)
            version = match[0] if match else ""
        return "" if is_own_version(version) else version

    def _container_installs(self, space: Workspace) -> list[str]:
        version, (name, tag) = self.python_version, split_image(self.image)
        if version and self.image_written and not (name in self.official_images and tag.startswith(version)):
            space.ctx.log.warn(
                f"The image `{self.image}` brings its own Python; `pythonVersion: {version}` has no effect"
            )
        return [shlex.join(("pip", "install", *self.dependencies))] if self.dependencies else []


class Script(PythonTask, type="scripts.python.Script", aliases=("io.kestra.plugin.scripts.python.Script",)):
    """Run a Python script.

    `true`, `false` and `null` are known in it, so that JSON can be rendered into the script as it is.
    """

    script: str = prop("The script.", examples=("print('hello')",))

    def launch(self, space: Workspace) -> Launch:
        path = space.write(space.localized(self.script), ".py")
        prelude = space.private / "prelude"
        write_prelude(prelude)
        return self.start(space, [f"python {shlex.quote(str(path))}"], str(prelude), alone=("python", str(path)))


class Commands(PythonTask, type="scripts.python.Commands", aliases=("io.kestra.plugin.scripts.python.Commands",)):
    """Run commands that call Python."""

    commands: list[str] = prop(
        "The commands, run one after another in one shell.",
        examples=(["python main.py", "python -m json.tool a.json"],),
    )

    def launch(self, space: Workspace) -> Launch:
        return self.start(space, self.commands)
