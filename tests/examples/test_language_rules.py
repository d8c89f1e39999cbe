"""Rules of the flow language, each by a small flow beside those of the reference: what runs, and how it ends.

A row of `ran` is a task execution: `name STATE`, below loops `name[value, …] STATE`, in the order they were opened;
after `=` stands its output `value`.
"""

from __future__ import annotations

from textwrap import dedent

import pytest

from core.app import App
from core.testing import run_flow, temporary_app
from tests.examples.language_rules import GROUPS, Rule
from tests.examples.language_rules_of_ends import ENDS

RULES = {**GROUPS, **ENDS}


def rows(app: App, execution_id: str) -> list[str]:
    found = []
    for task in app.executions.tasks(execution_id):
        output = app.outputs.value(task.id) or {}
        place = f"[{', '.join(task.path)}]" if task.path else ""
        value = f" = {output['value']}" if task.type == "debug.Return" and output.get("value") is not None else ""
        found.append(f"{task.task_name}{place} {task.state}{value}")
    return found


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_of_the_language(rule: Rule) -> None:
    with temporary_app() as app:
        for called in rule.calls:
            app.flows.push(called)
        run = run_flow("id: rule\nnamespace: io.rules\n" + dedent(rule.text), app=app)

        assert (run.state, rows(app, run.id)) == (rule.state, dedent(rule.ran).strip().splitlines()), run.error
        assert run.outputs == rule.outputs
