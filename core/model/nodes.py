"""Plan nodes: the closed set of shapes in which tasks can run.

A flow task describes its children with one of these; the planner alone decides what happens next. A stranger's
flow task is a composition of them. Nodes hold *templates* where they need a value of the world (a condition,
loop values): the planner asks for it by `Evaluate` and never renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model.data import field, quick

if TYPE_CHECKING:
    from collections.abc import Mapping

Children = tuple["Step", ...]


@quick
class Retry:
    """When a failed task runs again. Spans are whole microseconds; None is no limit.

    kind: constant (`interval`), exponential (`interval` × `delay_factor` to the number of earlier retries, at most
    `max_interval`) or random (between `min_interval` and `max_interval`). max_attempts counts the first attempt too.
    behavior: RETRY_FAILED_TASK, or CREATE_NEW_EXECUTION, which goes on in a new execution.
    """

    kind: str
    interval: int = 0
    min_interval: int = 0
    max_interval: int | None = None
    delay_factor: float = 2.0
    max_attempts: int | None = None
    max_duration: int | None = None
    warning_on_retry: bool = False
    behavior: str = "RETRY_FAILED_TASK"


@quick
class Concurrency:
    """How many executions of a flow may run at once; behavior of the next one: QUEUE, CANCEL or FAIL."""

    limit: int
    behavior: str = "QUEUE"


@quick
class Policy:
    """What surrounds the children of a group: blocks that run after them and what their failure means.

    failure_is_warning: a group whose tasks failed ends WARNING.
    """

    errors: Children = ()
    finally_: Children = ()
    failure_is_warning: bool = False


@quick
class Work:
    """A runnable task: one job for the far side of the seam. updates: it changes the execution that it runs in."""

    updates: bool = False


@quick
class Sequence:
    """Children one after another; a failure stops it."""

    children: Children
    policy: Policy = Policy()


@quick
class Parallel:
    """Children side by side, at most `limit` at once (0: no limit)."""

    children: Children
    limit: int = 0
    policy: Policy = Policy()


@quick
class Dag:
    """Children that wait for the named others to end; `after` maps a task id to the ids it depends on."""

    children: Children
    after: Mapping[str, tuple[str, ...]]
    limit: int = 0
    policy: Policy = Policy()


@quick
class Choice:
    """One of several branches, chosen by the rendered text of `value`; `otherwise` when none is named so.

    by_truth: the branches are `true` and `false`, and the text counts as the language's truth (an If). Without a
    branch and without `otherwise` the task fails; an empty branch succeeds.
    """

    value: str
    branches: Mapping[str, Children]
    otherwise: Children | None = None
    by_truth: bool = False
    policy: Policy = Policy()


@quick
class IterationOutput:
    """A value that each iteration of a loop gives; typed like an output of a flow."""

    id: str
    type: str
    value: object


@quick
class Each:
    """The children once per element of `values` (a template or a list), at most `limit` elements at once.

    limit 0: no limit of the author's; a window of 1 000. side_by_side: the children of an element run in parallel
    too, and `limit` counts children. as_items: each element is an iteration of its own, equal ones too, seen as `item`
    with the outputs of its own tasks; maps may be looped over (the 2.x dialect). transmit_failed: an element that fails
    fails the loop, and no other one begins; else it ends by itself, and the loop with SUCCESS.

    Of items only: outputs are rendered in each iteration that has ended well. stored: they become a file, not an
    output; None: when the values are a file. break_when: asked after each iteration; once it is true no other begins.
    """

    values: object
    children: Children
    limit: int = 1
    side_by_side: bool = False
    policy: Policy = Policy()
    as_items: bool = False
    transmit_failed: bool = True
    outputs: tuple[IterationOutput, ...] = ()
    stored: bool | None = None
    break_when: str | None = None


@quick
class Repeat:
    """The children again and again until `until` renders truthy, with a pause of `interval` between two rounds.

    The four limits are literals or templates. When one is reached the task succeeds, or fails if `failure_on_max`.
    """

    until: str
    children: Children
    interval: str = "PT1M"
    max_turns: int | str | None = None
    max_duration: str | None = None
    failure_on_max: bool | str = False
    policy: Policy = Policy()


@quick
class Wait:
    """Until a time, a person or a message; then the children, if any.

    duration and timeout: ISO texts or templates. After `duration` it does what `behavior` says (RESUME, WARN, FAIL,
    CANCEL; literal or template); after `timeout` it fails. on_pause runs once when the waiting begins.
    """

    duration: str | None = None
    timeout: str | None = None
    behavior: str = "RESUME"
    on_pause: Step | None = None
    children: Children = ()
    policy: Policy = Policy()


@quick
class Call:
    """Another flow as a child execution, or `times` of them (a template of a number): all are one task execution.

    request: what is rendered, with its types, once per child before it is created: namespace, flow_id, revision,
    inputs, labels, inherit_labels, schedule_date, outputs, as far as the task has them. wait: end with the children.
    transmit_failed: take over the child's end. restart_child: a restart of this execution restarts the failed child
    instead of creating another.
    """

    request: Mapping[str, object]
    wait: bool = True
    transmit_failed: bool = True
    restart_child: bool = True
    times: str | None = None


@quick
class Group:
    """Children that share one directory: one job, run in order on the far side."""

    children: Children
    policy: Policy = Policy()


Node = Work | Sequence | Parallel | Dag | Choice | Each | Repeat | Wait | Call | Group


@quick
class Step:
    """One task of a flow in its place: its properties as written, what every task has, and its node.

    listens: of a listener; what its `run_if` leaves out was never there.
    """

    id: str
    type: str
    node: Node
    properties: Mapping[str, object] = field(factory=dict)
    run_if: str | None = None
    timeout: str | None = None
    disabled: bool = False
    allow_failure: bool = False
    allow_warning: bool = False
    log_level: str = "TRACE"
    description: str = ""
    retry: Retry | None = None
    listens: bool = False


def children_of(node: Node) -> Children:
    """Every step directly below a node, in the order of the source, blocks of its policy included."""
    if isinstance(node, (Work, Call)):
        return ()
    if isinstance(node, Choice):
        own = tuple(step for branch in node.branches.values() for step in branch) + (node.otherwise or ())
    else:
        own = node.children
    if isinstance(node, Wait) and node.on_pause is not None:
        own = (node.on_pause, *own)
    return own + node.policy.errors + node.policy.finally_
