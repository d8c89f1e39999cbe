"""What every task type keeps to: that people can find it, read about it and be told what they did wrong. Inherit:

    class TestShout(TaskContract):
        task = Shout
        valid = {"text": "hello"}       # values under which it can be built; not needed where `prop` has examples

Nothing is run here; for that there is `run_task`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from core.errors import ConversionError
from core.model.codec import encode
from core.registry import Registry, build, convert, load_registry, problems
from core.registry.convert import type_hints
from core.registry.docs import type_page
from core.registry.language import TASK
from core.registry.schema import type_schema
from core.sdk.properties import Attribute, Described, Prop, properties, to_plain
from core.sdk.tasks import FlowTask, RunnableTask, Task
from core.testing.task_rules import (
    ALIAS,
    HEAVY,
    IMPORT_ALONE,
    TYPE_NAME,
    YAML_NAME,
    described_in,
    is_sentence,
    sample,
    unrecordable,
    wrong_value,
)  # fmt: skip

Declared = tuple[Attribute, Prop]

INSTALLED = pytest.StashKey[Registry]()


class TaskContract:
    """Inherited in a class whose name begins with `Test`; what it asks is in the names of its tests."""

    task: ClassVar[type[Task]]
    valid: ClassVar[Mapping[str, object]] = {}
    """Properties as in YAML under which the task can be built; those with examples need not be given."""
    examples: ClassVar[tuple[Mapping[str, object], ...]] = ()
    """More maps of properties that must be accepted, expressions allowed."""

    @pytest.fixture
    def registry(self, pytestconfig: pytest.Config) -> Registry:
        """The installed plugins, looked up once a session, and the task when none of them brings it."""
        if INSTALLED not in pytestconfig.stash:
            pytestconfig.stash[INSTALLED] = load_registry(None)
        return pytestconfig.stash[INSTALLED].including(self.task)

    @property
    def declared(self) -> list[Declared]:
        return list(properties(self.task))

    @property
    def outputs(self) -> list[Declared]:
        found = getattr(self.task, "Output", None)
        return list(properties(found)) if found is not None else []

    @property
    def given(self) -> dict[str, object]:
        """`valid`, filled up with the examples of properties that must be given."""
        required = [known for attribute, known in self.declared if attribute.required]
        missing = [known.name for known in required if known.name not in self.valid and not known.examples]
        assert not missing, f"say in `valid` what can stand for {', '.join(missing)}"
        return {known.name: known.examples[0] for known in required if known.examples} | dict(self.valid)

    def with_nested(self) -> Iterator[tuple[type[Described], Declared]]:
        """Every property of the task, of its outputs, and of the maps inside of them, with the class it stands in."""
        waiting, seen = [self.task, getattr(self.task, "Output", None)], set[type]()
        while waiting:
            cls = waiting.pop()
            if cls is None or cls in seen:
                continue
            seen.add(cls)
            yield from ((cls, found) for found in properties(cls))
            waiting += [inner for hint in type_hints(cls).values() for inner in described_in(hint)]

    # What people read

    def test_its_title_is_a_sentence(self) -> None:
        title = (self.task.__doc__ or "").strip().partition("\n")[0]
        assert is_sentence(title), f"the first line of the docstring is the title of its page: {title!r}"

    def test_every_property_and_output_is_described_by_a_sentence(self) -> None:
        found = [
            f"{cls.__qualname__}.{at.name}: {known.description!r}"
            for cls, (at, known) in self.with_nested()
            if not is_sentence(known.description)
        ]
        assert found == []

    def test_deprecated_properties_say_what_to_use(self) -> None:
        for cls, (_, known) in self.with_nested():
            if known.deprecated and not known.deprecated.startswith("nothing"):
                others = {other.name for _, other in properties(cls)} - {known.name}
                assert others & set(re.findall(r"\w+", known.deprecated)), f"`{known.name}`: {known.deprecated!r}"
        required = [known.name for at, known in self.declared if known.deprecated and at.required]
        assert required == [], "what is deprecated can't be required"

    def test_it_has_a_page(self, registry: Registry) -> None:
        page = type_page(registry, self.task.type)
        assert page.startswith(f"# {self.task.type}\n")
        names = [known.name for _, known in (*self.declared, *self.outputs)]
        assert [name for name in names if f"| `{name}` |" not in page] == []

    def test_it_has_a_schema(self, registry: Registry) -> None:
        schema = json.loads(json.dumps(type_schema(registry, self.task.type)))
        words = {name for _, known in self.declared for name in (known.name, *known.aliases)}
        assert (schema["title"], set(schema["properties"])) == (self.task.type, words)

    # Names

    def test_its_type_name_is_well_formed(self) -> None:
        assert TYPE_NAME.fullmatch(self.task.type), f"`{self.task.type}` is not like `group.Name`"

    def test_its_aliases_are_well_formed_and_differ(self) -> None:
        words = (self.task.type, *self.task.aliases)
        assert len(set(words)) == len(words), f"there are doubles in {words}"
        assert [alias for alias in self.task.aliases if not ALIAS.fullmatch(alias)] == []

    def test_it_is_found_by_its_name_and_aliases(self, registry: Registry) -> None:
        found = {word: registry.resolve(word) for word in (self.task.type, *self.task.aliases)}
        assert found == dict.fromkeys(found, self.task)

    def test_names_in_yaml_are_camel_case(self) -> None:
        words = [word for _, (_, known) in self.with_nested() for word in (known.name, *known.aliases)]
        assert [word for word in words if not YAML_NAME.fullmatch(word)] == []

    def test_names_in_yaml_are_given_once(self) -> None:
        for declared in (self.declared, self.outputs):
            words = [word for _, known in declared for word in (known.name, *known.aliases)]
            assert sorted(set(words)) == sorted(words)

    def test_no_property_hides_one_that_every_task_has(self) -> None:
        words = {word for _, known in self.declared for word in (known.name, *known.aliases)}
        # A time limit of the engine's counts for work; on a task that holds others its own meaning hides nothing.
        hidden = {"type", *TASK} - ({"timeout"} if issubclass(self.task, FlowTask) else set())
        assert sorted(words & hidden) == []

    # Conversion

    def test_what_is_valid_is_accepted(self, registry: Registry) -> None:
        assert isinstance(build(self.task, self.given, registry), self.task)
        assert problems(self.task, self.given, registry) == []

    def test_examples_are_accepted(self, registry: Registry) -> None:
        for example in self.examples:
            own = {name: value for name, value in example.items() if name not in TASK and name != "type"}
            build(self.task, own, registry, expressions=True)
        for _, known in self.declared:
            for value in known.examples:
                build(self.task, {**self.given, known.name: value}, registry, expressions=True)

    def test_an_unknown_property_is_refused(self, registry: Registry) -> None:
        with pytest.raises(ConversionError) as caught:
            build(self.task, {**self.given, "noSuchProperty": 1}, registry)
        assert caught.value.what == "there is no property `noSuchProperty`"
        assert caught.value.where == "$.noSuchProperty"

    def test_a_missing_property_is_named(self, registry: Registry) -> None:
        for attribute, known in self.declared:
            if attribute.required:
                rest = {name: value for name, value in self.given.items() if name not in (known.name, *known.aliases)}
                with pytest.raises(ConversionError) as caught:
                    build(self.task, rest, registry)
                assert caught.value.what == f"`{known.name}` is missing"

    def test_a_value_of_a_wrong_type_is_refused_and_named(self, registry: Registry) -> None:
        hints = type_hints(self.task)
        for attribute, known in self.declared:
            wrong = wrong_value(hints[attribute.name])
            if wrong is not None:
                with pytest.raises(ConversionError) as caught:
                    build(self.task, {**self.given, known.name: wrong}, registry)
                assert str(caught.value).partition(":")[0].startswith(f"$.{known.name}"), str(caught.value)

    def test_a_rendered_property_may_be_an_expression(self, registry: Registry) -> None:
        for _, known in self.declared:
            if known.render:
                build(self.task, {**self.given, known.name: "{{ outputs.a.b }}"}, registry, expressions=True)

    def test_defaults_have_the_declared_type(self) -> None:
        for cls, (attribute, known) in self.with_nested():
            if attribute.required:
                continue
            value = attribute.default()
            converted = convert(value, type_hints(cls)[attribute.name])
            assert (type(converted), converted) == (type(value), value), f"the default of `{known.name}`"

    def test_instances_do_not_change(self, registry: Registry) -> None:
        built = build(self.task, self.given, registry)
        for attribute, _ in self.declared:
            with pytest.raises(AttributeError):
                setattr(built, attribute.name, None)

    # Work

    def test_it_says_what_it_does(self) -> None:
        runs = issubclass(self.task, RunnableTask) and self.task.run is not RunnableTask.run
        plans = issubclass(self.task, FlowTask) and (
            self.task.plan is not FlowTask.plan or self.task.plan_as is not FlowTask.plan_as
        )
        assert runs or plans, "a task overrides `run`, or `plan` (or `plan_as`)"

    def test_every_output_can_be_recorded(self) -> None:
        output = getattr(self.task, "Output", None)
        hints = type_hints(output) if output is not None else {}
        assert [f"{name}: {found}" for name, hint in hints.items() for found in unrecordable(hint)] == []

    def test_the_summary_is_made_of_any_output(self) -> None:
        if not issubclass(self.task, RunnableTask):
            assert not hasattr(self.task, "summary")
            return
        hints = type_hints(self.task.Output) if self.task.Output is not None else {}
        full = {known.name: to_plain(sample(hints[at.name])) for at, known in self.outputs}
        for output in ({}, full):
            summary = self.task.summary(output)
            assert all(isinstance(name, str) for name in summary)
            encode(summary)

    def test_declaring_it_imports_nothing_heavy(self) -> None:
        module = sys.modules[self.task.__module__]
        asked = {"path": [str(Path(entry).absolute()) for entry in sys.path], "module": module.__name__,
                 "file": module.__file__, "heavy": HEAVY}  # fmt: skip
        ended = subprocess.run(
            [sys.executable, "-c", IMPORT_ALONE], input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout.split()) == (0, []), ended.stderr
