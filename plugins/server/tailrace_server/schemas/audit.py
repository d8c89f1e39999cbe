"""Who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from attrs import frozen
from msgspec import Meta

from core.host.product import AuditView
from tailrace_server.schemas.common import HasMore, Next, Time
from tailrace_server.times import iso


@frozen
class AuditRow:
    """One change."""

    seq: Annotated[int, Meta(description="In the order of the changes.")]
    at: Time
    actor: Annotated[str, Meta(description="The id of an API key; `local` where no key is needed, else `system`.")]
    action: Annotated[str, Meta(examples=["task_output.correct"])]
    subject: Annotated[str, Meta(description="The id of what was changed.")]
    before: Annotated[Any, Meta(description="As far as it is small.")]
    after: Annotated[Any, Meta(description="As far as it is small.")]


@frozen
class AuditPage:
    """A page of the audit, newest first."""

    data: list[AuditRow]
    has_more: HasMore
    next: Next


def audit_object(view: AuditView) -> dict[str, Any]:
    """A view as `AuditRow`."""
    return {
        "seq": view.seq, "at": iso(view.at), "actor": view.actor, "action": view.action, "subject": view.subject,
        "before": view.before, "after": view.after,
    }  # fmt: skip
