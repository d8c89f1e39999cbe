"""A mistake in a plugin's `summary` costs the summary and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.errors import Invalid
from core.sdk import RunnableTask, prop
from core.testing.apps import temporary_app
from core.testing.flows import run_flow

WRONG: Mapping[str, Any] = {
    "ours": Invalid("no"), "any": ValueError("no"), "exit": SystemExit(3), "interrupt": KeyboardInterrupt(),
}  # fmt: skip
MADE: Mapping[str, Any] = {"no map": 3, "no data": {"a": object()}}


class Summed(RunnableTask, type="test.Summed"):
    """Succeeds, or fails, with a summary that can't be made."""

    how: str = prop("What goes wrong.")

    def run(self, ctx: Any) -> dict[str, str]:
        return {"how": self.how}

    @classmethod
    def summary(cls, output: Mapping[str, Any]) -> Mapping[str, Any]:
        how = output["how"]
        if how in WRONG:
            raise WRONG[how]
        made: Mapping[str, Any] = MADE[how]
        return made


@pytest.mark.parametrize("how", [*WRONG, *MADE])
def test_the_output_is_recorded_without_a_summary(how: str) -> None:
    with temporary_app(Summed) as app:
        ran = run_flow(
            f"id: f\nnamespace: n\ntasks:\n  - {{id: a, type: test.Summed, how: {how}}}\n"
            "  - {id: b, type: debug.Return, format: after}\n",
            app=app,
        )
        assert (ran.state, ran.tasks["a"].output) == ("SUCCESS", {"how": how})
        assert [(level, line.partition(":")[0]) for level, line in ran.logs if level != "DEBUG"] == [
            ("WARN", "no summary could be made of the output")
        ]
        assert app.executions.tasks(ran.id)[0].summary == {}
