"""Tasks on the key-value stores of namespaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from core.sdk import (
    Described,
    Invalid,
    KeyEntry,
    RunContext,
    RunnableTask,
    TaskFailed,
    TaskOutput,
    parse_duration,
    prop,
)
from core.sdk.files import matching

KvType = Literal["STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON"]


class Set(RunnableTask, type="kv.Set", aliases=("io.kestra.plugin.core.kv.Set",)):
    """Give a key of a namespace's store a value."""

    key: str = prop("Name of the key: letters, digits, `.`, `_` and `-`.", examples=("last_run",))
    value: Any = prop(
        "The value; one expression alone keeps its type.", render=False, examples=("{{ outputs.count.rows }}", 5)
    )
    namespace: str | None = prop("Whose store; the flow's namespace when missing.", default=None)
    overwrite: bool = prop("Whether a key that is there gets the new value; otherwise the task fails.", default=True)
    ttl: timedelta | None = prop("How long the value lives; for ever when missing.", default=None)
    kv_type: KvType | None = prop("What a value given as text is to be.", default=None)
    kv_description: str | None = prop("What the key is for, for people.", default=None)

    def run(self, ctx: RunContext) -> None:
        if not self.overwrite and ctx.kv.has(self.key, self.namespace or ctx.namespace):
            raise TaskFailed(
                f"Cannot set value for key '{self.key}'. Key already exists and `overwrite` is set to `false`."
            )
        value = ctx.render(self.value, typed=True)
        if self.kv_type is not None and isinstance(value, str):
            value = typed(value, self.kv_type)
        ctx.kv.set(
            self.key, value, self.namespace, overwrite=self.overwrite, ttl=self.ttl, description=self.kv_description
        )


class Get(RunnableTask, type="kv.Get", aliases=("io.kestra.plugin.core.kv.Get",)):
    """Read the value of a key.

    Without `namespace` the parents of the flow's namespace are looked at too.
    """

    key: str = prop("Name of the key.", examples=("last_run",))
    namespace: str | None = prop("Whose store; the flow's namespace when missing.", default=None)
    error_on_missing: bool = prop("Whether the task fails when there is no such key.", default=False)

    class Output(TaskOutput):
        value: Any = prop("The value, null when there is none.")

    def run(self, ctx: RunContext) -> Output:
        namespace = self.namespace or ctx.namespace
        value = ctx.kv.get(self.key, self.namespace)
        if value is None and not ctx.kv.has(self.key, namespace):
            if ctx.kv.expired(self.key, namespace):
                raise TaskFailed("The requested value has expired")
            if self.error_on_missing:
                raise _missing(self.key, namespace)
        return self.Output(value=value)


class GetKeys(RunnableTask, type="kv.GetKeys", aliases=("io.kestra.plugin.core.kv.GetKeys",)):
    """List the keys of a namespace's store."""

    prefix: str | None = prop("How they begin; all when missing.", default=None)
    namespace: str | None = prop("Whose store; the flow's namespace when missing.", default=None)

    class Output(TaskOutput):
        keys: list[str] = prop("The keys, in order.")

    def run(self, ctx: RunContext) -> Output:
        found = ctx.kv.keys([self.namespace or ctx.namespace], self.prefix or "")
        return self.Output(keys=[entry.key for entry in found if not entry.expired])


class Delete(RunnableTask, type="kv.Delete", aliases=("io.kestra.plugin.core.kv.Delete",)):
    """Remove a key from a namespace's store."""

    key: str = prop("Name of the key.", examples=("last_run",))
    namespace: str | None = prop("Whose store; the flow's namespace when missing.", default=None)
    error_on_missing: bool = prop("Whether the task fails when there is no such key.", default=False)

    class Output(TaskOutput):
        deleted: bool = prop("Whether there was such a key.")

    def run(self, ctx: RunContext) -> Output:
        namespace = self.namespace or ctx.namespace
        there = ctx.kv.has(self.key, namespace)
        if not there and self.error_on_missing:
            raise _missing(self.key, namespace)
        if there:
            ctx.kv.delete(self.key, namespace)
        return self.Output(deleted=there)


class KeyBehavior(Described):
    """Which of the keys that match go."""

    type_: Literal["key", "version"] = prop(
        "Whole keys, or versions of them; of a key the newest version is kept here and no other.", name="type",
        default="key",
    )  # fmt: skip
    expired_only: bool = prop("With `key`: whether only keys go whose time is over.", default=True)
    before: datetime | None = prop("With `version`: only versions older than this, never the newest one.", default=None)
    keep_amount: int | None = prop("With `version`: how many of the newest versions stay.", default=None)

    def __post_init__(self) -> None:
        if self.type_ == "key" and (self.before is not None or self.keep_amount is not None):
            raise Invalid("`before` and `keepAmount` are about versions", expected="type: version")
        if self.before is not None and self.keep_amount is not None:
            raise Invalid("`before` and `keepAmount` are both given", expected="one of them")
        if self.keep_amount is not None and self.keep_amount < 1:
            raise Invalid("`keepAmount` is less than 1", expected="a number of versions to keep")


class PurgeKV(RunnableTask, type="kv.PurgeKV", aliases=("io.kestra.plugin.core.kv.PurgeKV",)):
    """Remove expired keys, or all that match a pattern.

    A key has one version here, the newest. So `behavior` with `type: version` removes nothing when it says `before` or
    `keepAmount`, and without them all keys that match.
    """

    key_pattern: str | None = prop("Which keys: a pattern with `*`; all when missing.", default=None)
    namespaces: list[str] | None = prop("Whose stores; all when this and the pattern are missing.", default=None)
    namespace_pattern: str | None = prop("Whose stores, by a pattern with `*`.", default=None)
    include_child_namespaces: bool = prop("Whether namespaces below those in `namespaces` count.", default=True)
    behavior: KeyBehavior = prop("Which of the keys that match go.", factory=KeyBehavior)
    expired_only: bool | None = prop(
        "Whether only keys go whose time is over.", default=None, deprecated="behavior with `expiredOnly`"
    )

    class Output(TaskOutput):
        size: int = prop("How many keys were removed.")

    def run(self, ctx: RunContext) -> Output:
        if self.namespaces is not None and self.namespace_pattern is not None:
            raise Invalid("`namespaces` and `namespacePattern` are both given", expected="one of them")
        behavior = self.behavior
        if behavior.before is not None or behavior.keep_amount is not None:
            ctx.log.info("Nothing to purge: earlier versions of keys are not kept")
            return self.Output(size=0)
        expired_only = behavior.type_ == "key" and behavior.expired_only
        expired_only = expired_only if self.expired_only is None else self.expired_only
        by_namespace: dict[str, list[str]] = {}
        for entry in self._matching(ctx):
            if entry.expired or not expired_only:
                by_namespace.setdefault(entry.namespace, []).append(entry.key)
        for namespace, keys in by_namespace.items():
            if expired_only:
                ctx.kv.delete_expired(keys, namespace)
            else:
                for key in keys:
                    ctx.kv.delete(key, namespace)
        return self.Output(size=sum(map(len, by_namespace.values())))

    def _matching(self, ctx: RunContext) -> Iterator[KeyEntry]:
        below = self.include_child_namespaces
        wanted = [f"{one}.*" if below and not one.endswith(".*") else one for one in self.namespaces or ()]
        for entry in ctx.kv.keys(wanted):
            in_place = self.namespace_pattern is None or matching([entry.namespace], [self.namespace_pattern])
            if in_place and (self.key_pattern is None or matching([entry.key], [self.key_pattern])):
                yield entry


def _missing(key: str, namespace: str) -> TaskFailed:
    return TaskFailed(
        f"No value found for key '{key}' in namespace '{namespace}' and `errorOnMissing` is set to true"
    )


def typed(text: str, kind: KvType) -> Any:
    """A text as what it is said to be. Raises Invalid."""
    try:
        return _typed(text, kind)
    except ValueError:
        expected = {"NUMBER": "a number", "JSON": "JSON text"}.get(kind, "a date as in ISO 8601")
        raise Invalid(f"`{text}` can't be a value of type {kind}", where="$.value", expected=expected) from None


def _typed(text: str, kind: KvType) -> Any:
    if kind == "NUMBER":
        number = float(text)
        return int(text) if text.strip().lstrip("+-").isdigit() else number
    if kind == "BOOLEAN":
        return text.strip().lower() == "true"
    if kind == "JSON":
        return json.loads(text)
    if kind == "DURATION":
        return parse_duration(text)
    if kind == "DATE" and len(text) == len("2024-01-31"):
        return date.fromisoformat(text)
    if kind in ("DATE", "DATETIME"):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text
