"""A flow as a picture of SVG: its tasks, groups and what follows what, coloured by the states they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from markupsafe import Markup

from core.host.overviews import TaskOutline
from core.sdk import Sequence as SequenceNode
from core.sdk import Step
from tailrace_server.drawing.layout import LABEL, Block, Point, letters, picture, small_letters
from tailrace_server.people import plural

Link = Callable[[Step], str | None]
MARGIN = 8
WORST = (
    "FAILED", "KILLED", "CANCELLED", "KILLING", "RUNNING", "RETRYING", "RESTARTED", "PAUSED", "QUEUED", "CREATED",
    "WARNING", "RETRIED", "SUCCESS", "SKIPPED",
)  # fmt: skip
"""Of many task executions of one task the first of these states is what their task is shown in."""
SIGNS = {
    "FAILED": "✕", "KILLED": "✕", "CANCELLED": "✕", "KILLING": "✕", "RUNNING": "▶", "RETRYING": "↻", "RESTARTED": "↻",
    "RETRIED": "↻", "PAUSED": "‖", "QUEUED": "…", "CREATED": "…", "WARNING": "!", "SUCCESS": "✓", "SKIPPED": "–",
}  # fmt: skip
"""A state is never told by a colour alone."""


class Pictured(Protocol):
    """A flow as `services.flows` gives it."""

    @property
    def id(self) -> str: ...
    @property
    def root(self) -> SequenceNode: ...
    @property
    def after_execution(self) -> tuple[Step, ...]: ...


def graph_svg(flow: Pictured, outlines: Iterable[TaskOutline] = (), link: Link | None = None) -> Markup:
    """A flow as a picture. outlines: what ran of it, for the colours. link: where a task leads to, None for nowhere."""
    policy = flow.root.policy
    root = picture(flow.root.children, policy.errors, policy.finally_, flow.after_execution)
    drawing = _Drawing({one.task_name: one for one in outlines}, link or (lambda step: None))
    inside = drawing.block(root, MARGIN, MARGIN)
    width, height = root.width + 2 * MARGIN, root.height + 2 * MARGIN
    return Markup(
        '<svg class="graph" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}" role="group" '
        'aria-label="{2}">{3}</svg>'
    ).format(width, height, f"The tasks of {flow.id}", inside)


def worst(states: Mapping[str, int]) -> str:
    """The state that says most of several; "" of none."""
    return next((state for state in WORST if states.get(state)), "")


class _Drawing:
    def __init__(self, outlines: Mapping[str, TaskOutline], link: Link) -> None:
        self._outlines = outlines
        self._link = link

    def block(self, block: Block, x: float, y: float) -> Markup:
        """A box at a place, with all that is in it; lines lie below boxes."""
        parts = [
            *(_edge([(x + one, y + other) for one, other in edge]) for edge in block.edges),
            *(self.block(part, x + left, y + top) for left, top, part in block.parts),
        ]
        inside = Markup("").join(parts)
        if block.step is not None:
            return self._task(block, block.step, x, y) + inside
        if block.label:
            return _section(block, x, y) + inside
        return inside

    def _task(self, block: Block, step: Step, x: float, y: float) -> Markup:
        outline = self._outlines.get(step.id)
        state = worst(outline.states) if outline else ""
        kind = "group" if block.parts else "task"
        times = f" × {outline.count:,}".replace(",", "\u202f") if outline and outline.count > 1 else ""
        told = _short(step.type, small_letters(block.width) - len(times)) + times
        drawn = Markup(
            '<g class="{kind} {state}"><title>{title}</title>'
            '<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"/>'
            '<text class="name" x="{left:.1f}" y="{first:.1f}">{name}</text>'
            '<text class="type" x="{left:.1f}" y="{second:.1f}">{told}</text>'
            '<text class="sign" x="{right:.1f}" y="{first:.1f}">{sign}</text></g>'
        ).format(
            kind=kind, state=state.lower() or "idle", title=_title(step, outline), x=x, y=y, width=block.width,
            height=block.height, left=x + 12, first=y + 17, second=y + 32, right=x + block.width - 12,
            name=_short(step.id, letters(block.width)), told=told, sign=SIGNS.get(state, ""),
        )  # fmt: skip
        address = self._link(step)
        return Markup('<a href="{}">{}</a>').format(address, drawn) if address else drawn


def _section(block: Block, x: float, y: float) -> Markup:
    return Markup(
        '<g class="section"><rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="6"/>'
        '<text class="type" x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(x, y, block.width, block.height, x + 10, y + LABEL - 8, _short(block.label, small_letters(block.width)))


def _edge(points: Sequence[Point]) -> Markup:
    """A line with an arrow at its end; it bends between layers."""
    (x, y), path = points[0], [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for next_x, next_y in points[1:]:
        half = (next_y - y) / 2
        straight = abs(next_x - x) < 0.5
        bend = "" if straight else f"C{x:.1f} {y + half:.1f} {next_x:.1f} {next_y - half:.1f} "
        path.append(f"{bend or 'L'}{next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return Markup('<path class="edge" d="{}"/><path class="tip" d="M{:.1f} {:.1f}l-4 -7h8z"/>').format(
        "".join(path), x, y
    )


def _title(step: Step, outline: TaskOutline | None) -> str:
    if outline is None:
        return f"{step.id}, {step.type}" + (f": {step.description}" if step.description else "")
    states = ", ".join(
        f"{outline.states[state]:,} {state.lower()}" if outline.count > 1 else state.lower()
        for state in WORST if outline.states.get(state)
    )  # fmt: skip
    times = f", {plural(outline.count, 'time')}" if outline.count > 1 else ""
    return f"{step.id}, {step.type}{times}: {states}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(1, most - 1)] + "…"
