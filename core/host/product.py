"""Task outputs as a product: what people and outside workers change of them, who may, and who did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from core.host.overviews import Lineage, OutputFigures, PastRun, SummaryPoint, TaskOutline
from core.host.views import LogFilter, LogView, OutputFilter, Page, TaskExecutionView
from core.model.data import data, field
from core.model.state import Status

Role = Literal["viewer", "editor", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")
"""Each may what those before it may: read; change and run; the audit and the metrics."""


@data
class OutputBody:
    """The recorded form of an output: its text by the codec, or the file that holds it.

    preview: its beginning. files: (URI, size, sha256) of stored files that belong to it.
    """

    size: int
    sha256: str
    preview: str
    text: str | None = None
    uri: str | None = None
    files: tuple[tuple[str, int, str], ...] = ()


@data
class Correction:
    """What is to become of a task output; None leaves a part as it is. reason: for the audit."""

    body: OutputBody | None = None
    summary: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    reason: str = ""


@data
class NewOutput:
    """A task output of an outside worker, for an execution that is there; its type is `external`.

    state: that of a task execution that has ended. value: of the loop around it.
    """

    id: str
    flow_execution_id: str
    task_name: str
    state: str
    at: int
    value: str | None = None
    body: OutputBody | None = None
    summary: Mapping[str, Any] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    error: str = ""


@data
class Once:
    """A request that may be repeated. key: the client's. digest: of the request; another one under it is refused."""

    key: str
    digest: str


@data
class AuditView:
    """One change. actor: `system`, `local` (somebody at the machine), or the id of an API key.

    action: such as `task_output.correct`. subject: an id. before, after: what changed, as far as it is small.
    """

    seq: int
    at: int
    actor: str
    action: str
    subject: str
    before: Any
    after: Any


@data
class AuditFilter:
    """Which changes; conditions are joined by AND. starting_after: a `seq`, the ones before it."""

    actor: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    limit: int = 100
    starting_after: int | None = None


@data
class ApiKey:
    """An API key without its secret. Times in microseconds since 1970 UTC."""

    id: str
    organization_id: str
    name: str
    role: Role
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


@data
class Organization:
    """A tenant."""

    id: str
    name: str
    created_at: int


@data
class Event:
    """Something that was committed: an execution or a task execution has a new state, or an output was changed.

    seq: in the order of commits. name: of the task, "" for an execution.
    """

    seq: int
    at: int
    kind: Literal["flow_execution", "task_execution", "task_output"]
    id: str
    flow_execution_id: str
    name: str
    state: str
    status: Status


class ProductRecords(Protocol):
    """`product` of a `core.host.records.RecordStore`.

    by: the actor of the audit row, which is written in the same transaction.
    """

    # -- task outputs
    def count_outputs(self, organization: str, which: OutputFilter) -> int:
        """How many rows the filter has, its page left aside."""

    def bodies(self, organization: str, ids: Sequence[str]) -> Mapping[str, tuple[str | None, str | None, int]]:
        """(text, URI, size) of the outputs of some task executions; without those that have none."""

    def correct_output(
        self, organization: str, output_id: str, correction: Correction, *, version: int, by: str, at: int
    ) -> tuple[str, ...]:
        """Change an output that has this version; it has the next one then, and `modified_by` is `by`. When its body
        is corrected it is stale no more, and what read it, straight or through others, becomes stale: their ids.

        Raises NotFound, Conflict (another version, hidden, not ended, or an engine works on its execution).
        """

    def tag_outputs(
        self, organization: str, ids: Sequence[str], add: Mapping[str, str], remove: Sequence[str], *, by: str, at: int
    ) -> None:
        """All or nothing; each gets a new version. Raises NotFound naming those that are not there."""

    def set_output_deleted(self, organization: str, output_id: str, deleted: bool, *, by: str, at: int) -> None:
        """Hide an output, or bring it back; once more changes nothing. Raises NotFound."""

    def add_output(self, organization: str, new: NewOutput, *, once: Once | None, by: str, at: int) -> str:
        """The id of the new output, or of the one that the same request made before.

        Raises NotFound (no such execution), Conflict (another request under the same key, or the flow has a task of
        this name that the engine runs itself).
        """

    def external_outputs(self, organization: str, execution_id: str) -> tuple[TaskExecutionView, ...]:
        """Those that outside workers gave to an execution."""

    # -- many rows at once, as the services of these names say
    def find_logs(self, organization: str, execution_id: str, which: LogFilter) -> tuple[LogView, ...]:
        """Those of the record; `find` may be in any case of letters."""

    def outline(self, organization: str, execution_id: str) -> tuple[TaskOutline, ...]: ...
    def lineage(self, organization: str, output_id: str) -> Lineage:
        """Empty for an output that is not there."""

    def past_runs(
        self, organization: str, flows: Sequence[tuple[str, str]], limit: int
    ) -> Mapping[tuple[str, str], tuple[PastRun, ...]]: ...
    def figures(self, organization: str, which: OutputFilter) -> OutputFigures: ...
    def summary_over_time(
        self, organization: str, which: OutputFilter, path: str, limit: int
    ) -> tuple[SummaryPoint, ...]: ...

    # -- executions
    def set_execution_deleted(self, organization: str, execution_id: str, deleted: bool, *, by: str, at: int) -> None:
        """Hide an ended execution with its outputs, or bring both back. Raises NotFound, Conflict."""

    # -- the feed
    def keep_events(self) -> None:
        """From now on every commit of every process adds to the feed; calling it again changes nothing."""

    def events(self, organization: str, after: int, limit: int) -> tuple[Event, ...]:
        """What was committed after the event with `seq` after, in order."""

    def last_event(self, organization: str) -> int:
        """The `seq` of the newest event, 0 without any."""

    # -- who may, and who did
    def record_audit(
        self, organization: str, actor: str, action: str, subject: str, before: Any, after: Any, at: int
    ) -> None: ...
    def audit(self, organization: str, which: AuditFilter) -> Page[AuditView]:
        """Newest first. Nothing of it is ever changed or deleted."""

    def organizations(self) -> tuple[Organization, ...]: ...
    def create_organization(self, organization_id: str, name: str, at: int) -> None:
        """Raises Conflict when there is one of this id."""

    def create_api_key(self, key: ApiKey, digest: str) -> None:
        """digest: sha256 of the secret, in hexadecimal. Raises NotFound (no such organization)."""

    def api_key(self, digest: str) -> ApiKey | None:
        """Of any organization, revoked and expired ones too."""

    def api_keys(self, organization: str) -> tuple[ApiKey, ...]: ...
    def has_api_keys(self) -> bool:
        """Whether there is any that is not revoked, of any organization."""

    def revoke_api_key(self, organization: str, key_id: str, at: int) -> bool:
        """False when there is none of this id that is not revoked."""

    def api_key_used(self, key_id: str, at: int) -> None:
        """Note when it was last used."""

    def create_session(self, key_id: str, digest: str, at: int, expires_at: int) -> None:
        """A session of a key that is there. digest: of its token, as of a key's secret."""

    def session(self, digest: str) -> tuple[ApiKey, int] | None:
        """The key of a session and when that expires, over or not; None for one that is not there."""

    def end_session(self, key_id: str, digest: str) -> None:
        """Nothing when it is not there."""
