"""The files of a new plugin: one task type, its entry point and its test."""

from __future__ import annotations

import os
import re
from pathlib import Path

from core.cli.command import UsageError
from core.errors import Conflict, Unreachable
from core.registry.load import GROUP
from core.settings import Product

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PYPROJECT = """\
[project]
name = "{distribution}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["{product}"]
[project.entry-points."{group}"]
{name} = "{package}.tasks"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""

_PACKAGE = '''\
"""Task types for {title}."""
'''

_TASKS = '''\
"""The task types of this plugin: every class here is one."""

from __future__ import annotations

from core.sdk import RunContext, RunnableTask, TaskOutput, prop


class Shout(RunnableTask, type="{prefix}.Shout"):
    """Write a text in capitals."""

    text: str = prop("Text to shout.")

    class Output(TaskOutput):
        text: str = prop("The text in capitals.")

    def run(self, ctx: RunContext) -> Output:
        return self.Output(text=self.text.upper())
'''

_TEST = '''\
from core.testing import TaskContract, run_task
from {package}.tasks import Shout


class TestShout(TaskContract):
    task = Shout
    valid = {{"text": "hello"}}

    def test_it_shouts(self) -> None:
        assert run_task(Shout(text="hello")).outputs.text == "HELLO"
'''

_FLOW = """\
id: try_{prefix}
namespace: example
tasks:
  - id: shout
    type: {prefix}.Shout
    text: hello
"""


def write_plugin(name: str, parent: Path, product: Product) -> Path:
    """Write a plugin that works as it stands into a new folder below `parent`; the folder.

    Raises UsageError for a name that can't be one, Conflict when the folder exists, Unreachable.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` can't be a plugin's name", expected="small letters, digits and hyphens, such as shout"
        )
    prefix = name.replace("-", "_")
    words = {
        "name": name,
        "prefix": prefix,
        "title": name.replace("-", " "),
        "product": product.name,
        "group": GROUP,
        "distribution": f"{product.name}-{name}",
        "package": f"{product.name}_{name}".replace("-", "_"),
    }
    folder = parent / words["distribution"]
    files = {
        "pyproject.toml": _PYPROJECT,
        f"{words['package']}/__init__.py": _PACKAGE,
        f"{words['package']}/tasks.py": _TASKS,
        "tests/test_tasks.py": _TEST,
        "flow.yaml": _FLOW,
    }
    if os.path.exists(folder):  # unlike that of Path, it takes any text
        raise Conflict("the folder exists already", where=str(folder), hint="choose another name, or --into DIR")
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text.format(**words), "utf-8")
    except OSError as error:
        raise Unreachable(f"the folder can't be written: {error.strerror}", where=str(folder)) from error
    return folder
