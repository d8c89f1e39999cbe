"""Maps of the flow language that belong to no type: how to try again, how many at once, how long, under which checks.

Declared like the properties of a type, so that one class is parsing, checking, schema and reference page. None of
them is rendered: they are read before anything runs (but expressions inside a check or an assertion are its value).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from core.sdk.properties import Described, prop


class Retry(Described):
    """What every kind of retry has."""

    max_attempts: int | None = prop(
        "How often at most, the first attempt counted; without it and `maxDuration`, for ever.", default=None,
        aliases=("maxAttempt",), render=False,
    )  # fmt: skip
    max_duration: timedelta | None = prop(
        "Not again when this has passed since the first attempt began.", default=None, render=False
    )
    warning_on_retry: bool = prop("A task that needed retries ends as a warning.", default=False, render=False)
    behavior: Literal["RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"] = prop(
        "Whether the task runs again, or a new execution goes on from there.", default="RETRY_FAILED_TASK", render=False
    )


class ConstantRetry(Retry):
    """After the same span each time."""

    type_: Literal["constant"] = prop("The kind of retry.", name="type", render=False)
    interval: timedelta = prop("The span.", render=False)


class ExponentialRetry(Retry):
    """After a span that grows each time."""

    type_: Literal["exponential"] = prop("The kind of retry.", name="type", render=False)
    interval: timedelta = prop("The first span.", render=False)
    max_interval: timedelta = prop("The longest span.", render=False)
    delay_factor: float | None = prop("By which it grows; 2 when not given.", default=None, render=False)


class RandomRetry(Retry):
    """After a random span."""

    type_: Literal["random"] = prop("The kind of retry.", name="type", render=False)
    min_interval: timedelta = prop("The shortest span.", render=False)
    max_interval: timedelta = prop("The longest span.", render=False)


RETRIES: dict[str, type[Retry]] = {"constant": ConstantRetry, "exponential": ExponentialRetry, "random": RandomRetry}


class TaskCache(Described):
    """Outputs of a task that are used again instead of running it."""

    enabled: bool = prop("Whether they are.", render=False)
    ttl: timedelta | None = prop("For how long; for ever when not given.", default=None, render=False)


class Concurrency(Described):
    """How many executions of a flow run at once."""

    limit: int = prop("How many.", render=False)
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] = prop(
        "What becomes of one more: it waits, is cancelled, or fails.", default="QUEUE", render=False
    )


class Sla(Described):
    """What every promise about executions has."""

    id: str = prop("Its name.", render=False)
    behavior: Literal["FAIL", "CANCEL", "NONE"] = prop("What becomes of an execution that breaks it.", render=False)
    labels: Any = prop("Labels that such an execution gets.", default=None, render=False)


class MaxDuration(Sla):
    """An execution ends within a span."""

    type_: Literal["MAX_DURATION"] = prop("The kind of promise.", name="type", render=False)
    duration: timedelta = prop("The span.", render=False)


class ExecutionAssertion(Sla):
    """Something is true whenever an execution changes."""

    type_: Literal["EXECUTION_ASSERTION"] = prop("The kind of promise.", name="type", render=False)
    assert_: str = prop("An expression; broken when it gives nothing, `0` or `false`.", render=False)


SLAS: dict[str, type[Sla]] = {"MAX_DURATION": MaxDuration, "EXECUTION_ASSERTION": ExecutionAssertion}


class Check(Described):
    """What has to be true of the inputs before an execution is created."""

    condition: str = prop("An expression over `inputs`.", aliases=("when",), render=False)
    message: str = prop("What is said when it is not true.", render=False)
    style: Literal["ERROR", "SUCCESS", "WARNING", "INFO"] = prop("How it is shown.", default="INFO", render=False)
    behavior: Literal["BLOCK_EXECUTION", "FAIL_EXECUTION", "CREATE_EXECUTION"] = prop(
        "What happens then.", default="BLOCK_EXECUTION", render=False
    )


class Listener(Described):
    """Tasks that run after an execution has ended; an older word for `afterExecution`."""

    conditions: list[Any] = prop("All of them must hold.", factory=list, render=False)
    tasks: list[Any] = prop("The tasks.", render=False)
    description: str = prop("For people.", default="", render=False)
