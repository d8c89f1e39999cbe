"""What people and outside workers change of what came out; each change is in the audit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, Literal

from core.engine.clock import new_id, now
from core.engine.live import execution_prefix
from core.errors import Invalid, NotFound, TailraceError, TooLarge
from core.host.product import AuditFilter, AuditView, Correction, NewOutput, Once, OutputBody
from core.host.records import ExecutionIdentity, RecordStore
from core.host.services import KEEP
from core.host.views import ExecutionView, Page, TaskExecutionView
from core.model.codec import encode, normalise
from core.sdk.storage import StorageBackend, is_storage_uri, storage_path

MAX_IDS = 100
MAX_TAGS = 64
MAX_KEY = 128
MAX_TEXT = 1024
"""Characters of a tag's value, of the value of a loop, and of a reason."""
MAX_ERROR = 64 * 1024
MAX_SUMMARY = 32 * 1024
"""Bytes of a summary's JSON."""
MAX_FILES = 1000
"""Stored files that one output may name."""
PREVIEW = 1024
"""Characters of an output that its row keeps."""

_TASK_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,255}"
_ENDED_AS: dict[str, str] = {"completed": "SUCCESS", "failed": "FAILED"}


class ChangeService:
    """Implements `core.host.services.Changes`. inline_limit: bytes of an output that the record keeps."""

    def __init__(self, organization: str, records: RecordStore, storage: StorageBackend, inline_limit: int) -> None:
        self._organization = organization
        self._records = records
        self._product = records.product
        self._storage = storage
        self._inline_limit = inline_limit

    # -- task outputs

    def correct(
        self,
        output_id: str,
        version: int,
        *,
        by: str,
        output: Any = KEEP,
        summary: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> tuple[TaskExecutionView, tuple[str, ...]]:
        view = self._output(output_id)
        _short(reason, "the reason")
        checked_summary = None if summary is None else _summary(summary)
        checked_tags = None if tags is None else _tags(tags)
        body = None
        if output is not KEEP:
            body = self._body(output, _folder_of(self._organization, view), new_id())
        correction = Correction(body, checked_summary, checked_tags, reason)
        try:
            stale = self._product.correct_output(
                self._organization, view.id, correction, version=version, by=by, at=now()
            )
        except TailraceError:
            self._forget(body)
            raise
        return self._output(output_id), stale

    def tag(self, ids: Sequence[str], add: Mapping[str, str], remove: Sequence[str], *, by: str) -> None:
        wanted = tuple(dict.fromkeys(ids))
        if not 1 <= len(wanted) <= MAX_IDS:
            raise Invalid(f"{len(wanted)} task outputs can't be tagged at once", expected=f"1 to {MAX_IDS}")
        added = _tags(add)
        for key in remove:
            _tag_key(key)
        both = sorted(set(remove) & added.keys())
        if both:
            raise Invalid(f"the tag `{both[0]}` is to be added and to be removed")
        if not added and not remove:
            raise Invalid("no tag is to be added or removed")
        self._product.tag_outputs(self._organization, wanted, added, tuple(remove), by=by, at=now())

    def delete_output(self, output_id: str, *, by: str) -> None:
        self._product.set_output_deleted(self._organization, output_id, True, by=by, at=now())

    def restore_output(self, output_id: str, *, by: str) -> TaskExecutionView:
        self._product.set_output_deleted(self._organization, output_id, False, by=by, at=now())
        return self._output(output_id)

    def add_output(
        self,
        execution_id: str,
        task_name: str,
        *,
        by: str,
        status: Literal["completed", "failed"] = "completed",
        value: str | None = None,
        output: Any = None,
        summary: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        error: str = "",
        once: Once | None = None,
    ) -> TaskExecutionView:
        execution = self._execution(execution_id)
        if not re.fullmatch(_TASK_NAME, task_name):
            allowed = "letters, digits, `_` and `-`, a letter or digit first, at most 256"
            raise Invalid(f"`{task_name[:MAX_KEY]}` can't be the name of a task", expected=allowed)
        _check_end(status, error)
        _short(value or "", "the value")
        checked_summary, checked_tags = _summary(summary or {}), _tags(tags or {})
        own_id = new_id()
        folder = f"{_home_of(self._organization, execution)}/tasks/{task_name}/{own_id}"
        body = None if output is None else self._body(output, folder, "")
        new = NewOutput(
            own_id, execution.id, task_name, _ENDED_AS[status], now(), value, body, checked_summary, checked_tags, error
        )
        try:
            recorded = self._product.add_output(self._organization, new, once=once, by=by, at=now())
        except TailraceError:
            self._forget(body)
            raise
        if recorded != own_id:  # the same request came before
            self._forget(body)
        return self._output(recorded)

    # -- executions and the audit

    def delete_execution(self, execution_id: str, *, by: str) -> None:
        self._product.set_execution_deleted(self._organization, execution_id, True, by=by, at=now())

    def restore_execution(self, execution_id: str, *, by: str) -> ExecutionView:
        self._product.set_execution_deleted(self._organization, execution_id, False, by=by, at=now())
        return self._execution(execution_id)

    def note(self, by: str, action: str, subject: str, before: Any = None, after: Any = None) -> None:
        self._product.record_audit(self._organization, by, action, subject, before, after, now())

    def audit(self, which: AuditFilter) -> Page[AuditView]:
        return self._product.audit(self._organization, which)

    # -- what is there

    def _output(self, output_id: str) -> TaskExecutionView:
        found = self._records.task_execution(self._organization, output_id)
        if found is None:
            raise NotFound(f"there is no task output `{output_id}`")
        return found

    def _execution(self, execution_id: str) -> ExecutionView:
        found = self._records.execution(self._organization, execution_id)
        if found is None:
            raise NotFound(f"there is no execution `{execution_id}`")
        return found

    # -- bodies

    def _body(self, output: Any, folder: str, name: str) -> OutputBody:
        """An output as the record keeps it: its text, or a file in the folder of its task execution."""
        text = encode(output)
        content = text.encode("utf-8", "surrogatepass")
        digest, preview = hashlib.sha256(content).hexdigest(), text[:PREVIEW]
        files = self._files_in(output)
        if len(content) <= self._inline_limit:
            return OutputBody(len(content), digest, preview, text=text, files=files)
        path = "/".join(part for part in (folder, name, "output.json") if part)
        stored = self._storage.put(self._organization, path, BytesIO(content))
        own = (stored.uri, stored.size, stored.sha256)
        return OutputBody(len(content), digest, preview, uri=stored.uri, files=(own, *files))

    def _files_in(self, output: Any) -> tuple[tuple[str, int, str], ...]:
        """The stored files that an output names: whoever reads the output may read them."""
        named = list(dict.fromkeys(_uris(output)))
        if len(named) > MAX_FILES:
            raise TooLarge(f"the output names {len(named)} files", expected=f"at most {MAX_FILES}")
        found = []
        for uri in named:
            try:
                file = self._storage.stat(self._organization, storage_path(uri))
            except NotFound:
                continue
            found.append((file.uri, file.size, file.sha256))
        return tuple(found)

    def _forget(self, body: OutputBody | None) -> None:
        """Remove the file of a body that was not recorded."""
        if body is not None and body.uri is not None:
            self._storage.delete(self._organization, storage_path(body.uri))


def _folder_of(organization: str, view: TaskExecutionView) -> str:
    """Where the corrections of a task output are kept."""
    identity = ExecutionIdentity(view.flow_execution_id, organization, view.namespace, view.flow_id, view.flow_revision)
    return f"{execution_prefix(identity)}/tasks/{view.task_name}/{view.id}/corrected"


def _home_of(organization: str, view: ExecutionView) -> str:
    return execution_prefix(ExecutionIdentity(view.id, organization, view.namespace, view.flow_id, view.flow_revision))


def _uris(value: Any) -> Iterator[str]:
    """The storage URIs among the texts of a value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _uris(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _uris(item)
    elif is_storage_uri(value):
        yield value


# -- what may be given


def _check_end(status: str, error: str) -> None:
    if status not in _ENDED_AS:
        raise Invalid(f"`{status}` is no status of a new task output", expected=" or ".join(_ENDED_AS))
    if error and status == "completed":
        raise Invalid("an output that is completed has no error", expected="the status failed")
    if len(error) > MAX_ERROR:
        raise TooLarge(f"the error has {len(error)} characters", expected=f"at most {MAX_ERROR}")


def _short(text: str, what: str) -> None:
    if len(text) > MAX_TEXT:
        raise TooLarge(f"{what} has {len(text)} characters", expected=f"at most {MAX_TEXT}")


def _tag_key(key: str) -> None:
    if len(key) > MAX_KEY:
        raise TooLarge(f"the key of a tag has {len(key)} characters", expected=f"at most {MAX_KEY}")
    if not key or ":" in key or not key.isprintable() or key != key.strip():
        raise Invalid(f"`{key}` can't be the key of a tag", expected="a short text without `:`")


def _tags(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MAX_TAGS:
        raise TooLarge(f"{len(given)} tags are too many", expected=f"at most {MAX_TAGS}")
    for key, value in given.items():
        _tag_key(key)
        if not isinstance(value, str):
            raise Invalid(f"the value of the tag `{key}` is no text", expected="a short text")
        _short(value, f"the value of the tag `{key}`")
    return dict(given)


def _summary(given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise Invalid("the summary is no map", expected="a map of values")
    size = len(encode(given).encode("utf-8", "surrogatepass"))
    if size > MAX_SUMMARY:
        raise TooLarge(f"the summary takes {size} bytes as JSON", expected=f"at most {MAX_SUMMARY}")
    plain: dict[str, Any] = normalise(given)
    return plain
