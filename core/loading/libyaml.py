"""libyaml's parser, as ruamel.yaml brings it, without the rest of ruamel.yaml.

Importing `_ruamel_yaml` needs four small modules of the package `ruamel.yaml`, but the package's own `__init__` imports
its loaders, dumpers and representers as well: more than all other imports of reading a flow together. So the package's
`__init__` runs only when somebody asks it for a name.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

PACKAGE = "ruamel.yaml"


def import_parser() -> Any:
    """The module `_ruamel_yaml`."""
    if PACKAGE not in sys.modules:
        _import_later(PACKAGE)
    import _ruamel_yaml  # type: ignore[import-not-found] # noqa: PLC0415 # after the package stands ready

    return _ruamel_yaml


def _import_later(name: str) -> None:
    """Put a package into `sys.modules` whose `__init__` runs at the first access to a name that it lacks."""
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def complete(attribute: str) -> Any:
        if package.__dict__.pop("__getattr__", None) is not None:
            loader.exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = complete
    sys.modules[name] = package
    parent, _, own = name.rpartition(".")
    setattr(sys.modules[parent], own, package)


_libyaml = import_parser()
AliasEvent = _libyaml.AliasEvent
CParser = _libyaml.CParser
DocumentStartEvent = _libyaml.DocumentStartEvent
MappingEndEvent = _libyaml.MappingEndEvent
MappingStartEvent = _libyaml.MappingStartEvent
ScalarEvent = _libyaml.ScalarEvent
SequenceEndEvent = _libyaml.SequenceEndEvent
StreamEndEvent = _libyaml.StreamEndEvent
YAMLError = _libyaml.YAMLError
