from __future__ import annotations

import importlib

import pytest

from core import builtin
from core.sdk import FlowTask, RunnableTask, TypeRef
from core.sdk.triggers import Condition, Trigger

BASES = {"task": (RunnableTask, FlowTask), "trigger": (Trigger,), "condition": (Condition,)}


@pytest.mark.parametrize("ref", [*builtin.task_types(), *builtin.triggers()], ids=lambda ref: ref.name)
def test_a_type_ref_says_the_same_as_its_class(ref: TypeRef) -> None:
    module, name = ref.target.split(":")
    cls = getattr(importlib.import_module(module), name)

    assert issubclass(cls, BASES[ref.kind])
    assert cls.plugin_kind == ref.kind
    assert (ref.name, ref.aliases) == (cls.type, cls.aliases)
    assert ref.title == cls.__doc__.splitlines()[0]


def test_every_name_is_given_once() -> None:
    refs = (*builtin.task_types(), *builtin.task_runners(), *builtin.triggers())
    names = [name for ref in refs for name in (ref.name, *ref.aliases)]

    assert len(names) == len(set(names))


def test_the_process_runner_is_announced_as_a_runner() -> None:
    (ref,) = builtin.task_runners()

    assert (ref.target, ref.name, ref.kind) == ("core.builtin.process:Process", "runner.Process", "runner")
    assert ref.aliases == ("io.kestra.plugin.core.runner.Process",)
