"""Shell scripts and shell commands."""

from __future__ import annotations

from core.sdk import prop
from core.sdk.script_workspace import Workspace
from core.sdk.scripts import Launch, ScriptTask


class ShellTask(ScriptTask):
    """What both tasks share: the image, and which images are no more than a system with a shell."""

    default_image = "ubuntu"
    official_images = frozenset({"alpine", "bash", "busybox", "debian", "ubuntu"})


class Script(ShellTask, type="scripts.shell.Script", aliases=("io.kestra.plugin.scripts.shell.Script",)):
    """Run a shell script."""

    script: str = prop("The script.", examples=("echo one\necho two",))

    def launch(self, space: Workspace) -> Launch:
        return Launch(self.shell(space, [self.script]))


class Commands(ShellTask, type="scripts.shell.Commands", aliases=("io.kestra.plugin.scripts.shell.Commands",)):
    """Run shell commands."""

    commands: list[str] = prop("The commands, run one after another in one shell.", examples=(["echo one", "ls -l"],))

    def launch(self, space: Workspace) -> Launch:
        return Launch(self.shell(space, self.commands))
