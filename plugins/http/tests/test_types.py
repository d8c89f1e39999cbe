from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from core.sdk import TypeRef
from tailrace_http import task_types, triggers


@pytest.mark.parametrize("ref", [*task_types(), *triggers()], ids=lambda ref: ref.name)
def test_what_the_plugin_announces_is_what_the_class_says(ref: TypeRef) -> None:
    module, name = ref.target.split(":")
    task = getattr(import_module(module), name)
    assert (ref.name, ref.aliases, ref.title) == (task.type, task.aliases, task.__doc__.splitlines()[0])


def test_the_classes_are_loaded_without_httpx() -> None:
    code = (
        "import sys, tailrace_http, tailrace_http.request, tailrace_http.download, tailrace_http.trigger\n"
        "sys.exit(str([name for name in ('httpx', 'ssl', 'http') if name in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
