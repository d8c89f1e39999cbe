"""Every type keeps the contract of task types, and is announced as its class says."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from core.sdk import TypeRef
from core.testing import TaskContract
from tailrace_essentials import task_types


def class_of(ref: TypeRef) -> Any:
    module, name = ref.target.split(":")
    return getattr(import_module(module), name)


def _contract_of(ref: TypeRef) -> type[TaskContract]:
    body = {"task": class_of(ref), "__module__": __name__}
    return type(f"Test_{ref.name.replace('.', '_')}", (TaskContract,), body)


globals().update({contract.__name__: contract for contract in map(_contract_of, task_types())})


@pytest.mark.parametrize("ref", task_types(), ids=lambda ref: ref.name)
def test_what_the_plugin_announces_is_what_the_class_says(ref: TypeRef) -> None:
    task = class_of(ref)
    assert (ref.name, ref.aliases, ref.title) == (task.type, task.aliases, task.__doc__.splitlines()[0])
