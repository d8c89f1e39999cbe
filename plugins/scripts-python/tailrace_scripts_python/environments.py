"""Isolated Python environments for scripts that run on this machine: made once for each recipe, never changed after."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from attrs import frozen

from core.sdk import Command, Interrupted, RunContext, TaskFailed, TaskRunner, Unreachable
from tailrace_scripts_python.pip_commands import Install, requirements
from tailrace_scripts_python.pip_settings import uv_settings

_READY = "ready"
"""The last file written into an environment, with the path of its packages; without it the environment is half-made."""
_LAST_LINES = 15
_WAIT = 0.05
"""Seconds between two looks at a lock that somebody else holds."""


def own_version() -> str:
    """The Python version of the engine, as in `3.12`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def is_own_version(version: str) -> bool:
    """Whether the engine's Python is of a version, given as `3`, `3.12` or `3.12.1`."""
    parts = version.split(".")
    return parts == [str(part) for part in sys.version_info[: len(parts)]]


@frozen
class Recipe:
    """What an environment is made from; equal recipes make equal environments.

    version: of Python; "" for the engine's own. installs: arguments of one installation after another.
    """

    version: str
    installs: tuple[Install, ...] = ()

    def key(self) -> str:
        """A name for the environment, the same for equal recipes."""
        version = self.version or own_version()
        text = json.dumps([version, self.installs])
        return f"{version}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"

    def describe(self) -> str:
        """For people: version and packages, without options, which may hold passwords."""
        named = [word for install in self.installs for word in requirements(install)]
        return f"Python {self.version or own_version()}" + (f" with {', '.join(named)}" if named else "")


@frozen
class Maker:
    """Makes environments with uv where it is on this machine, otherwise with `venv` and pip.

    runner: runs the tools, on this machine. prefer: PIP when uv is not to be used even where it is.
    """

    ctx: RunContext
    runner: TaskRunner
    prefer: Literal["UV", "PIP"] = "UV"

    def cached(self, recipe: Recipe) -> Path:
        """The environment of a recipe, made when there is none yet; safe with any number of processes.

        Raises Unreachable when there is no such Python, TaskFailed when a package can't be installed, Interrupted.
        """
        # Programs of packages hold the path of their environment: it must be the same whatever links lead to it.
        path = self.ctx.cache_dir.resolve() / "python" / recipe.key()
        if not is_ready(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock(path.with_name(f"{path.name}.lock")):
                if not is_ready(path):
                    shutil.rmtree(path, ignore_errors=True)
                    self.make(recipe, path)
        return path

    def make(self, recipe: Recipe, path: Path) -> None:
        """Make an environment at a path where nothing is. Raises as `cached` does."""
        uv = self._uv()
        self.ctx.log.info(f"Making an environment of {recipe.describe()}, with {'uv' if uv else 'pip'}")
        settings, arguments = uv_settings(self.ctx.environment) if uv else ({}, ())
        if uv:
            self._create((uv, "venv", "--python", recipe.version or sys.executable, str(path)), recipe, settings)
            install: Install = (uv, "pip", "install", "--python", str(path / "bin" / "python"))
            self._seed_pip(path, install, settings)
            install += arguments
        else:
            self._create((self._interpreter(recipe.version), "-m", "venv", str(path)), recipe, settings)
            install = (str(path / "bin" / "python"), "-m", "pip", "install")
        for packages in recipe.installs:
            lines = self._run((*install, *packages), settings)
            if lines is not None:
                names = ", ".join(requirements(packages))
                raise TaskFailed(f"The Python environment could not be made: installing {names} failed\n{lines}")
        site_packages = next(path.glob("lib/python*/site-packages")).relative_to(path)
        unfinished = path / f"{_READY}.new"
        unfinished.write_text(str(site_packages), encoding="utf-8")
        unfinished.replace(path / _READY)

    def _create(self, argv: tuple[str, ...], recipe: Recipe, settings: Mapping[str, str]) -> None:
        lines = self._run(argv, settings)
        if lines is None:
            return
        if recipe.version:
            raise Unreachable(
                f"There is no Python {recipe.version} for this script\n{lines}",
                hint=f"install Python {recipe.version}, or run the task in a container",
            )
        raise TaskFailed(f"The Python environment could not be made\n{lines}")

    def _interpreter(self, version: str) -> str:
        """The Python of a version, "" for the engine's own. Raises Unreachable."""
        if not version:
            return sys.executable
        found = shutil.which(f"python{version}", path=self.ctx.environment.get("PATH", ""))
        if found is None:
            raise Unreachable(
                f"There is no Python {version} for this script on this machine",
                hint=f"install Python {version}, or uv, which fetches it; or run the task in a container",
            )
        return found

    def _uv(self) -> str | None:
        """Where uv is: on the path, or beside the engine's Python, where its package puts it."""
        if self.prefer == "PIP":
            return None
        beside = Path(sys.executable).parent
        return shutil.which("uv", path=f"{self.ctx.environment.get('PATH', '')}:{beside}")

    def _seed_pip(self, path: Path, install: Install, settings: Mapping[str, str]) -> None:
        """Give an environment of uv the pip that its Python brings along, for commands that call it."""
        wheels = sorted(_bundled_pip(path))
        source = ("--no-index", str(wheels[-1])) if wheels else ("pip",)
        if self._run((*install, *source), settings) is not None:
            self.ctx.log.debug("The environment has no pip")

    def _run(self, argv: tuple[str, ...], settings: Mapping[str, str]) -> str | None:
        """Run a tool; its last lines when it failed, else None."""
        last: deque[str] = deque(maxlen=_LAST_LINES)

        def on_line(stream: Literal["stdout", "stderr"], line: str) -> None:
            last.append(line)
            self.ctx.log.debug(line)

        env = {"PYTHONPATH": "", "PYTHONHOME": "", **settings}
        result = self.runner.run(self.ctx, Command(argv, self.ctx.working_dir, on_line, env))
        return "\n".join(last) if result.exit_code else None

    @contextmanager
    def _lock(self, path: Path) -> Iterator[None]:
        """Hold a file's lock, which its owner's end releases, however it ends."""
        with path.open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self.ctx.stop_requested:
                        raise Interrupted("stopped while another task made the same Python environment") from None
                    time.sleep(_WAIT)
            yield


def is_ready(path: Path) -> bool:
    """Whether an environment was made to its end and its Python is still there."""
    return (path / _READY).is_file() and (path / "bin" / "python").exists()


def overlay(base: Path, path: Path) -> None:
    """Make an environment that has everything `base` has and takes what is installed from now on, at next to no cost.

    Commands may do as they like in it: an environment that is used again stays what its recipe says.
    """
    packages = (base / _READY).read_text(encoding="utf-8")
    (path / packages).mkdir(parents=True)
    (path / "bin").mkdir()
    shutil.copyfile(base / "pyvenv.cfg", path / "pyvenv.cfg")
    (path / packages / "_base.pth").write_text(f"import site; site.addsitedir({str(base / packages)!r})\n", "utf-8")
    for source in (base / "bin").iterdir():
        target = path / "bin" / source.name
        if source.is_symlink():  # the interpreter under its names
            target.symlink_to(source.resolve())
            continue
        content = source.read_bytes()
        if str(base).encode() in content[:1024]:  # a program of a package names its interpreter in its first lines
            target.write_bytes(content.replace(str(base).encode(), str(path).encode()))
            target.chmod(0o755)
        else:
            target.symlink_to(source)


def _bundled_pip(environment: Path) -> Iterator[Path]:
    """The wheels of pip that the standard library of an environment's Python has, or that Debian keeps elsewhere."""
    config = (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    home = next((line.partition("=")[2].strip() for line in config if line.startswith("home")), "")
    version = next((environment / "lib").glob("python*")).name
    yield from Path(home).parent.glob(f"lib/{version}/ensurepip/_bundled/pip-*.whl")
    yield from Path(home).parent.glob("share/python-wheels/pip-*.whl")
