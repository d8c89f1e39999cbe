from __future__ import annotations

from typing import Any

from core.builtin.debug import Echo, Return


def test_return_gives_its_format_as_value(ctx: Any) -> None:
    output = Return(format="hello").run(ctx)

    assert output.value == "hello"
    assert ctx.log.lines == [("DEBUG", "hello")]
    assert ctx.metrics == [("length", 5)]


def test_return_without_a_format_gives_null_and_logs_nothing(ctx: Any) -> None:
    output = Return().run(ctx)

    assert output.value is None
    assert ctx.log.lines == []
    assert ctx.metrics == [("length", 0)]


def test_echo_logs_at_info_unless_told_otherwise(ctx: Any) -> None:
    Echo(format="a").run(ctx)
    Echo(format="b", level="ERROR").run(ctx)

    assert ctx.log.lines == [("INFO", "a"), ("ERROR", "b")]
