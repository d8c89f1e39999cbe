from __future__ import annotations

from typing import Any

from core.builtin.log import Log


def test_log_writes_a_text_at_info(ctx: Any) -> None:
    Log(message="hello").run(ctx)

    assert ctx.log.lines == [("INFO", "hello")]


def test_log_writes_each_element_of_a_list_at_the_level_asked_for(ctx: Any) -> None:
    Log(message=["one", "two"], level="WARN").run(ctx)

    assert ctx.log.lines == [("WARN", "one"), ("WARN", "two")]


def test_log_writes_an_empty_text(ctx: Any) -> None:
    Log(message="").run(ctx)

    assert ctx.log.lines == [("INFO", "")]


def test_log_has_no_output(ctx: Any) -> None:
    assert Log.Output is None
