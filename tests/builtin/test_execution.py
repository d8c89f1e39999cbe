from __future__ import annotations

from typing import Any

import pytest

from core.builtin.execution import Fail
from core.sdk import TaskFailed


def test_fail_without_a_condition_fails_with_its_message(ctx: Any) -> None:
    with pytest.raises(TaskFailed) as failure:
        Fail(error_message="No stock left").run(ctx)

    assert str(failure.value) == "No stock left"
    assert ctx.log.lines == []


def test_the_message_is_task_failure_unless_told_otherwise(ctx: Any) -> None:
    with pytest.raises(TaskFailed) as failure:
        Fail().run(ctx)

    assert str(failure.value) == "Task failure"


@pytest.mark.parametrize("condition", ["true", "1", "False", " false", "null", "-1"])
def test_fail_on_a_true_condition_logs_the_message_and_names_the_condition(ctx: Any, condition: str) -> None:
    with pytest.raises(TaskFailed) as failure:
        Fail(condition=condition, error_message="No stock left").run(ctx)

    assert str(failure.value) == "Fail on a condition"
    assert ctx.log.lines == [("ERROR", "No stock left")]


@pytest.mark.parametrize("condition", ["", "0", "-0", "false"])
def test_fail_on_a_false_condition_succeeds(ctx: Any, condition: str) -> None:
    Fail(condition=condition).run(ctx)

    assert ctx.log.lines == []
