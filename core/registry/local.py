"""Plugins without packaging: the Python files and packages of a folder (`--plugins-dir`)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from core.errors import NotFound

_PREFIX = "tailrace_local_"


def local_modules(folder: Path) -> Iterator[tuple[str, str, Callable[[], ModuleType]]]:
    """Plugin name, module name and loader of every file and package in a folder, by name.

    Names that begin with `_` or `.` are left out. Raises NotFound when there is no such folder.
    """
    if not os.path.isdir(folder):  # unlike that of Path, it takes any text
        raise NotFound(f"there is no plugins folder `{folder}`", expected="a folder that holds Python files")
    for path in sorted(folder.iterdir()):
        source = path / "__init__.py" if path.is_dir() else path
        if path.name.startswith(("_", ".")) or source.suffix != ".py" or not source.is_file():
            continue
        module_name = _module_name(path.stem, source.resolve())
        yield path.stem, module_name, partial(_load, module_name, source.resolve())


def _module_name(stem: str, source: Path) -> str:
    """`tailrace_local_<stem>`; numbered when a file of the same name in another folder has that one already."""
    wanted = name = _PREFIX + re.sub(r"\W", "_", stem)
    number = 2
    while name in sys.modules and getattr(sys.modules[name], "__file__", None) != str(source):
        name = f"{wanted}_{number}"
        number += 1
    return name


def _load(module_name: str, source: Path) -> ModuleType:
    """Run a file as a module. It stands in sys.modules first, or its annotations could not be read later."""
    package = [str(source.parent)] if source.name == "__init__.py" else None
    spec = spec_from_file_location(module_name, source, submodule_search_locations=package)
    if spec is None or spec.loader is None:
        raise ImportError(f"{source.name} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module
