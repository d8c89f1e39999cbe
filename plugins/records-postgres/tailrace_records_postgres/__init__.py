"""The record store on PostgreSQL. Nothing heavy is imported before it is used."""

from __future__ import annotations

from core.sdk.hooks import CommandRef, RecordStoreRef, hookimpl

POSTGRESQL = RecordStoreRef(
    target="tailrace_records_postgres.store:open_records",
    scheme="postgresql",
    title="PostgreSQL, shared by engines and servers on many machines",
)
RECORDS = CommandRef(
    target="tailrace_records_postgres.cli:COMMANDS",
    word="records",
    summary="make, upgrade and fill a record store on PostgreSQL",
)


@hookimpl
def record_stores() -> tuple[RecordStoreRef, ...]:
    return (POSTGRESQL,)


@hookimpl
def commands() -> tuple[CommandRef, ...]:
    return (RECORDS,)
