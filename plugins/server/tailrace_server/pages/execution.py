"""What every page of one execution begins with: its facts, what can be done with it, its tabs."""

from __future__ import annotations

from attrs import frozen

from core.host.services import Services
from core.host.views import ExecutionView, OutputFilter
from tailrace_server.doing import WHAT
from tailrace_server.ids import known_id


@frozen
class Action:
    """A button of the head: what it posts to, below the execution's address."""

    name: str
    label: str
    title: str
    looks: str = ""


KILL = Action("kill", "Kill", "End it, with the executions it waits for", "danger")
PAUSE = Action("pause", "Pause", "Let what runs come to its end, and begin nothing new")
FORCE = Action("force-run", "Run now", "Past the concurrency limit, or the time when it is to begin")
RESTART = Action("restart", "Restart", "Go on in it: what failed runs again, what succeeded is kept", "main")
REPLAY = Action("replay", "Replay", "Run it again as a new execution, with the same inputs")
STALE = Action("stale", "Run what is stale", "As a new execution: only what follows from a corrected output", "main")


@frozen
class Head:
    """What `execution_base.html` shows. resumable: it waits for a person, or for somebody to go on with it.

    now: microseconds since 1970 UTC, where a running execution has come to.
    """

    view: ExecutionView
    actions: tuple[Action, ...]
    resumable: bool
    stale: bool
    now: int

    @property
    def id(self) -> str:
        """Of the execution."""
        return self.view.id

    @property
    def url(self) -> str:
        """Of its pages."""
        return f"/executions/{self.view.id}"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.view.ended_at is not None

    @property
    def live(self) -> str:
        """The stream that tells of something new; "" when nothing will be."""
        return "" if self.ended else f"/api/v1/events?flow_execution_id={self.view.id}"

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far."""
        if self.view.duration is not None or self.view.started_at is None or self.ended:
            return self.view.duration
        return max(0, self.now - self.view.started_at) / 1_000_000


def head(services: Services, execution_id: str) -> Head:
    """The head of an execution's pages. Raises NotFound."""
    view = services.executions.get(known_id(execution_id, WHAT))
    stale = view.ended_at is not None and has_stale(services, view.id)
    resumable = view.state == "PAUSED" or view.held
    return Head(view, tuple(_actions(view, stale)), resumable, stale, services.now())


def has_stale(services: Services, execution_id: str) -> bool:
    """Whether an output of it was made from one that was corrected since."""
    which = OutputFilter(flow_execution_id=(execution_id,), status=("stale",), limit=1, brief=True)
    return bool(services.outputs.list(which).data)


def _actions(view: ExecutionView, stale: bool) -> list[Action]:
    """What its state allows."""
    if view.ended_at is not None:
        failed = view.state in ("FAILED", "KILLED", "CANCELLED", "WARNING")
        return [*([STALE] if stale else ()), *([RESTART] if failed else ()), REPLAY]
    running = view.state in ("RUNNING", "RETRYING") and not view.held
    waits = view.state == "QUEUED" or (view.state == "CREATED" and view.due_at is not None)
    return [*([PAUSE] if running else ()), *([FORCE] if waits else ()), KILL]
