"""`/outputs/{id}`: one task output, what people changed of it, and correcting it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from core.host.plain import plain
from core.host.product import AuditFilter
from core.host.services import KEEP, Services
from core.host.views import OutputFilter, TaskExecutionView
from core.sdk import Conflict, Invalid, TailraceError
from tailrace_server.access import Caller
from tailrace_server.asked import Asked
from tailrace_server.ids import known_id
from tailrace_server.pages.paged import Go, Shown, action, page
from tailrace_server.pages.parts import Form
from tailrace_server.showing.values import VALUE_ASKS, shown_output

ONE = "/outputs/{id:str}"
WHAT = "task output"
EDITABLE = 256 * 1024
"""Bytes of an output that is corrected in a form; a larger one is corrected over the API."""
STALE = 50
"""Rows that are shown of what is stale."""


@frozen
class Correcting:
    """What the form of a correction holds. problem: what is wrong with it, "" when nothing is."""

    output: str
    summary: str
    reason: str = ""
    version: int = 0
    problem: str = ""
    opened: bool = False


@page(ONE, asks=VALUE_ASKS, slow=True)
def task_output(services: Services, caller: Caller, asked: Asked, id: str) -> Shown:
    """What came out, and what is known of it."""
    view = services.outputs.get(known_id(id, WHAT))
    return _shown(services, caller, view, _begun(services, view), asked)


@action(ONE + "/correct")
def correct(services: Services, caller: Caller, form: Form, id: str) -> Go | Shown:
    """Correct the output or its summary; what depends on it becomes stale."""
    view = services.outputs.get(known_id(id, WHAT))
    typed = Correcting(
        _text(form, "output"), _text(form, "summary"), _text(form, "reason").strip(),
        int(_text(form, "version")) if re.fullmatch("[0-9]{1,18}", _text(form, "version")) else 0, opened=True,
    )  # fmt: skip
    try:
        changes = _changes(services, view, typed)
        services.changes.correct(view.id, typed.version, by=caller.actor, reason=typed.reason, **changes)
    except Conflict as error:
        return _again(services, caller, view, typed, f"{error.what}; what you typed is still here", 409)
    except TailraceError as error:
        return _again(services, caller, view, typed, str(error), 422)
    return Go(f"/outputs/{view.id}")


@action(ONE + "/tag")
def tag_output(services: Services, caller: Caller, form: Form, id: str) -> Go:
    """Give it a tag, or take one from it."""
    key = _text(form, "key").strip()
    removed = _text(form, "change") == "remove"
    services.changes.tag(
        [known_id(id, WHAT)], {} if removed else {key: _text(form, "value").strip()}, [key] if removed else [],
        by=caller.actor,
    )  # fmt: skip
    return Go(f"/outputs/{id}")


@action(ONE + "/delete")
def delete_output(services: Services, caller: Caller, id: str) -> Go:
    """Hide it."""
    services.changes.delete_output(known_id(id, WHAT), by=caller.actor)
    return Go(f"/outputs/{id}")


@action(ONE + "/restore")
def restore_output(services: Services, caller: Caller, id: str) -> Go:
    """Bring it back."""
    services.changes.restore_output(known_id(id, WHAT), by=caller.actor)
    return Go(f"/outputs/{id}")


def kept(recorded: Any, typed: Any) -> Any:
    """What was typed; what it says like the record is taken from there: dates stay dates, secrets are not lost."""
    if isinstance(recorded, Mapping) and isinstance(typed, Mapping):
        return {key: kept(recorded[key], value) if key in recorded else value for key, value in typed.items()}
    if isinstance(recorded, list) and isinstance(typed, list) and len(recorded) == len(typed):
        return [kept(*pair) for pair in zip(recorded, typed, strict=True)]
    shown = plain(recorded)
    return recorded if type(shown) is type(typed) and shown == typed else typed


def _changes(services: Services, view: TaskExecutionView, typed: Correcting) -> dict[str, Any]:
    """What differs from the record. Raises TailraceError for what can't be read, or when nothing differs."""
    if not typed.reason:
        raise Invalid("say why it is corrected")
    before = _begun(services, view)
    changes: dict[str, Any] = {}
    if typed.output.strip() or before.output:
        output = kept(services.outputs.value(view.id), _json(typed.output, "the output"))
        if _pretty(plain(output)) != before.output:
            changes["output"] = output
    summary = _json(typed.summary.strip() or "{}", "the summary")
    if summary != plain(view.summary or {}):
        changes["summary"] = summary
    if not changes:
        raise Invalid("nothing was changed")
    return {"output": KEEP, **changes}


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Invalid(f"{what} is not JSON: {error}") from None
    except RecursionError:
        raise Invalid(f"{what} is nested too deeply") from None


def _text(form: Form, name: str) -> str:
    given = form.get(name, "")
    return given if isinstance(given, str) else ""


def _begun(services: Services, view: TaskExecutionView) -> Correcting:
    """What the form begins with; without the output where it is too large to be typed."""
    output = ""
    if view.output_size is not None and view.output_size <= EDITABLE:
        output = _pretty(plain(services.outputs.value(view.id)))
    return Correcting(output, _pretty(plain(view.summary)) if view.summary else "", version=view.version)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _again(
    services: Services, caller: Caller, view: TaskExecutionView, typed: Correcting, problem: str, status: int
) -> Shown:
    """The form once more, with what was typed and what is wrong with it; it changes the newest version then."""
    typed = evolve(typed, problem=problem, version=services.outputs.get(view.id).version)
    return _shown(services, caller, view, typed, status=status)


def _shown(
    services: Services,
    caller: Caller,
    view: TaskExecutionView,
    correcting: Correcting,
    asked: Asked | None = None,
    status: int = 200,
) -> Shown:
    stale = services.outputs.list(
        OutputFilter(flow_execution_id=(view.flow_execution_id,), status=("stale",), limit=STALE)
    )
    audit = services.changes.audit(AuditFilter(subject=(view.id,), limit=20)).data if caller.may("admin") else ()
    facts = {
        "view": view, "correcting": correcting, "stale": stale, "audit": audit,
        "editable": view.output_size is None or view.output_size <= EDITABLE,
        "lineage": services.outputs.lineage(view.id),
        "shown": shown_output(services, view, address=f"/outputs/{view.id}", query=asked),
    }  # fmt: skip
    return Shown("task_output.html", facts, status)


PAGES = (task_output, correct, tag_output, delete_output, restore_output)
