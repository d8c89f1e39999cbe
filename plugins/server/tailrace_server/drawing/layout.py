"""Where the tasks of a flow stand in its picture: boxes within boxes, in pixels, without any drawing."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from attrs import frozen

from core.sdk import Call as CallNode
from core.sdk import Choice, Dag, Each, Node, Parallel, Step, Wait
from core.sdk import Work as WorkNode

Point = tuple[float, float]
GAP = 24.0
"""Between one task and the next, with an arrow in it."""
SIDE = 16.0
"""Between what stands side by side."""
PAD = 12.0
HEADER = 40.0
"""Height of a task, and of the head of a group."""
LABEL = 24.0
"""Height of the name above a branch."""
NARROWEST, WIDEST = 140.0, 280.0
FEW_LINES = 150
"""With more of them in a Dag, those that follow from others are left out."""
ROW = 900.0
"""What stands side by side goes on below when it is wider than this."""
LETTER, SMALL_LETTER = 7.6, 6.4
"""About the width of one, in the size of a task's name, and of its type."""


@frozen
class Block:
    """A box, and what is in it: parts by their places in it. step: the task it stands for. label: of a branch or a
    section. edges: lines in it, each ends at an arrow."""

    width: float
    height: float
    step: Step | None = None
    label: str = ""
    parts: tuple[tuple[float, float, Block], ...] = ()
    edges: tuple[tuple[Point, ...], ...] = ()


def picture(tasks: Sequence[Step], errors: Sequence[Step], finally_: Sequence[Step], after: Sequence[Step]) -> Block:
    """A whole flow."""
    main = _stack([_task(step) for step in tasks])
    rest = [_section(name, steps) for name, steps in (
        ("errors", errors), ("finally", finally_), ("after the execution", after),
    ) if steps]  # fmt: skip
    return _column([main, *rest]) if rest else main


def letters(width: float) -> int:
    """How many of a name there is room for."""
    return int((width - 40) / LETTER)


def small_letters(width: float) -> int:
    """How many of a type, or of what is said below a name."""
    return int((width - 20) / SMALL_LETTER)


def _task(step: Step) -> Block:
    wanted = max(len(step.id) * LETTER + 44, len(step.type) * SMALL_LETTER + 24)
    width = min(max(wanted, NARROWEST), WIDEST)
    inside = _inside(step.node)
    if inside is None:
        return Block(width, HEADER, step)
    width = max(width, inside.width + 2 * PAD)
    part = ((width - inside.width) / 2, HEADER + 2, inside)
    return Block(width, HEADER + 2 + inside.height + PAD, step, parts=(part,))


def _inside(node: Node) -> Block | None:
    """What a group holds; None for a task that does the work itself."""
    if isinstance(node, (WorkNode, CallNode)):
        return None
    if isinstance(node, Choice):
        main = _branches(node)
    elif isinstance(node, Dag):
        main = _layers(node.children, node.after)
    elif isinstance(node, Parallel) or (isinstance(node, Each) and node.side_by_side):
        main = _beside([_task(step) for step in node.children])
    else:
        main = _stack([_task(step) for step in node.children])
    first = [_section("on pause", (node.on_pause,))] if isinstance(node, Wait) and node.on_pause else []
    sections = [
        _section(name, steps)
        for name, steps in (("errors", node.policy.errors), ("finally", node.policy.finally_))
        if steps
    ]
    found = [block for block in (*first, main, *sections) if block.height]
    if not found:
        return None
    return _column(found) if len(found) > 1 else found[0]


def _branches(node: Choice) -> Block:
    names = [(("then" if name == "true" else "else") if node.by_truth else name) for name in node.branches]
    found = [(name, steps) for name, steps in zip(names, node.branches.values(), strict=True) if steps]
    if node.otherwise:
        found.append(("otherwise", node.otherwise))
    return _beside([_section(name, steps) for name, steps in found])


def _section(label: str, steps: Sequence[Step]) -> Block:
    inside = _stack([_task(step) for step in steps])
    width = max(inside.width, min(len(label) * LETTER, WIDEST)) + 2 * PAD
    part = ((width - inside.width) / 2, LABEL, inside)
    return Block(width, LABEL + inside.height + PAD, label=label, parts=(part,))


def _stack(blocks: Sequence[Block]) -> Block:
    """One after another, with arrows."""
    found = _column(blocks)
    middle = found.width / 2
    edges = tuple(
        ((middle, above[1] + above[2].height), (middle, below[1]))
        for above, below in zip(found.parts, found.parts[1:], strict=False)
    )
    return Block(found.width, found.height, parts=found.parts, edges=edges)


def _column(blocks: Sequence[Block]) -> Block:
    width = max((block.width for block in blocks), default=0)
    parts, y = [], 0.0
    for block in blocks:
        parts.append(((width - block.width) / 2, y, block))
        y += block.height + GAP
    return Block(width, max(0, y - GAP), parts=tuple(parts))


def _beside(blocks: Sequence[Block]) -> Block:
    """Side by side, in rows."""
    rows: list[list[Block]] = []
    for block in blocks:
        if not rows or sum(one.width + SIDE for one in rows[-1]) + block.width > ROW:
            rows.append([])
        rows[-1].append(block)
    parts, y, width = [], 0.0, 0.0
    for row in rows:
        x = 0.0
        for block in row:
            parts.append((x, y, block))
            x += block.width + SIDE
        width = max(width, x - SIDE)
        y += max(block.height for block in row) + SIDE
    return Block(width, max(0, y - SIDE), parts=tuple(parts))


def _layers(steps: Sequence[Step], after: Mapping[str, tuple[str, ...]]) -> Block:
    """Each below all that it waits for; a line that passes a layer has a place of its own in it."""
    if sum(map(len, after.values())) > FEW_LINES:
        after = _needed(steps, after)
    ranks = _ranks(steps, after)
    blocks = {step.id: _task(step) for step in steps}
    layers: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for step in steps:
        layers[ranks[step.id]].append(step.id)
    chains = [_chain(one, step.id, ranks) for step in steps for one in after.get(step.id, ()) if one in ranks]
    above: dict[str, list[str]] = {}
    for chain in chains:
        for rank, (upper, lower) in enumerate(itertools.pairwise(chain), ranks[chain[0]] + 1):
            if lower not in blocks:
                blocks[lower] = Block(SIDE, 0)
                layers[rank].append(lower)
            above.setdefault(lower, []).append(upper)
    places, size = _placed(layers, blocks, above)
    edges = []
    for chain in chains:
        points: list[Point] = []
        for name in chain:
            (x, y, tall), middle = places[name], blocks[name].width / 2
            points += [] if name == chain[0] else [(x + middle, y)]
            points += [] if name == chain[-1] else [(x + middle, y + tall)]
        edges.append(tuple(points))
    parts = tuple((places[step.id][0], places[step.id][1], blocks[step.id]) for step in steps)
    return Block(*size, parts=parts, edges=tuple(edges))


def _ranks(steps: Sequence[Step], after: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """How many tasks are before each, one after the other."""
    ranks = {step.id: 0 for step in steps}
    waits_for = {name: {one for one in after.get(name, ()) if one in ranks} for name in ranks}
    left = {name: len(found) for name, found in waits_for.items()}
    then: dict[str, list[str]] = {name: [] for name in ranks}
    for name, found in waits_for.items():
        for one in found:
            then[one].append(name)
    ready = [name for name, count in left.items() if not count]
    for name in ready:  # it grows meanwhile
        for one in then[name]:
            ranks[one] = max(ranks[one], ranks[name] + 1)
            left[one] -= 1
            if not left[one]:
                ready.append(one)
    return ranks


def _needed(steps: Sequence[Step], after: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without what follows from the rest: who waits for b, which waits for a, waits for a."""
    bits = {step.id: 1 << number for number, step in enumerate(steps)}
    ranks = _ranks(steps, after)
    known: dict[str, int] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(bits, key=lambda name: ranks[name]):
        waits_for = [one for one in dict.fromkeys(after.get(name, ())) if one in bits]
        beyond = 0
        for one in waits_for:
            beyond |= known[one]
        found[name] = tuple(one for one in waits_for if not beyond & bits[one])
        known[name] = beyond | reduce(or_, (bits[one] for one in waits_for), 0)
    return found


def _chain(upper: str, lower: str, ranks: Mapping[str, int]) -> tuple[str, ...]:
    """The names that a line goes through; one that is between has its own for each layer."""
    return (upper, *(f"{upper}\n{lower}\n{rank}" for rank in range(ranks[upper] + 1, ranks[lower])), lower)


def _placed(
    layers: Sequence[list[str]], blocks: Mapping[str, Block], above: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[float, float, float]], tuple[float, float]]:
    """(x, y, height) of everything, and the size of all: each layer in the order of what its members hang on."""
    widths = [sum(blocks[name].width + SIDE for name in layer) - SIDE for layer in layers]
    width, y = max(widths, default=0), 0.0
    places: dict[str, tuple[float, float, float]] = {}
    for layer, wide in zip(layers, widths, strict=True):
        middles = {
            name: sum(places[one][0] + blocks[one].width / 2 for one in above[name]) / len(above[name])
            for name in layer if name in above
        }  # fmt: skip
        layer.sort(key=lambda name, known=middles: known.get(name, 0))  # type: ignore[misc]
        x, tall = (width - wide) / 2, max(blocks[name].height for name in layer)
        for name in layer:
            places[name] = (x, y, blocks[name].height or tall)
            x += blocks[name].width + SIDE
        y += tall + GAP * 1.5
    return places, (width, max(0, y - GAP * 1.5))
