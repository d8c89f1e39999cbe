"""Plan nodes: the closed set of shapes in which tasks can run.

A flow task describes its children with one of these; the planner alone decides what happens next. A stranger's
flow task is a composition of them. Nodes hold *templates* where they need a value of the world (a condition,
loop values): the planner asks for it by `Evaluate` and never renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model.data import data, field

if TYPE_CHECKING:
    from collections.abc import Mapping

Children = tuple["Step", ...]


@data
class Policy:
    """What surrounds the children of a group: blocks that run after them and what their failure means."""

    errors: Children = ()
    finally_: Children = ()
    failure_is_warning: bool = False


@data
class Work:
    """A runnable task: one job for the far side of the seam."""


@data
class Sequence:
    """Children one after another; a failure stops it."""

    children: Children
    policy: Policy = Policy()


@data
class Parallel:
    """Children side by side, at most `limit` at once (0: no limit)."""

    children: Children
    limit: int = 0
    policy: Policy = Policy()


@data
class Dag:
    """Children that wait for the named others to end; `after` maps a task id to the ids it depends on."""

    children: Children
    after: Mapping[str, tuple[str, ...]]
    limit: int = 0
    policy: Policy = Policy()


@data
class Choice:
    """One of several branches, chosen by the rendered text of `value`; `otherwise` when none is named so."""

    value: str
    branches: Mapping[str, Children]
    otherwise: Children | None = None
    policy: Policy = Policy()


@data
class Each:
    """The children once per element of `values` (a template or a list), at most `limit` elements at once."""

    values: object
    children: Children
    limit: int = 1
    policy: Policy = Policy()


@data
class Repeat:
    """The children again and again until `until` renders truthy."""

    until: str
    children: Children
    interval: str = "PT1M"
    max_turns: int | None = None
    max_duration: str | None = None
    failure_on_max: bool = False
    policy: Policy = Policy()


@data
class Wait:
    """Until a time, a person or a message; then the children, if any."""

    duration: str | None = None
    timeout: str | None = None
    children: Children = ()
    policy: Policy = Policy()


@data
class Call:
    """Another flow as a child execution."""

    namespace: str
    flow_id: str
    revision: int | None = None
    inputs: Mapping[str, object] = field(factory=dict)
    wait: bool = True
    transmit_failed: bool = True


@data
class Group:
    """Children that share one directory: one job, run in order on the far side."""

    children: Children
    policy: Policy = Policy()


Node = Work | Sequence | Parallel | Dag | Choice | Each | Repeat | Wait | Call | Group


@data
class Step:
    """One task of a flow in its place: its properties as written, what every task has, and its node."""

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


def children_of(node: Node) -> Children:
    """Every step directly below a node, in the order of the source, blocks of its policy included."""
    if isinstance(node, (Work, Call)):
        return ()
    if isinstance(node, Choice):
        own = tuple(step for branch in node.branches.values() for step in branch) + (node.otherwise or ())
    else:
        own = node.children
    return own + node.policy.errors + node.policy.finally_
