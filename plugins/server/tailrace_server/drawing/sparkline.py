"""How long the newest executions of a flow took, as a picture of the size of a word."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from core.host.overviews import PastRun
from tailrace_server.people import duration, plural

SLOTS = 20
STEP, BAR, HEIGHT = 4, 3, 16
KINDS = {"SUCCESS": "good", "WARNING": "warn", "FAILED": "bad", "KILLED": "bad", "CANCELLED": "bad"}
"""States that have ended; all others are under way."""


def sparkline(runs: Sequence[PastRun], mine: str = "") -> Markup:
    """A bar for each, the newest at the right, as high as it took long. mine: the id of the one that is marked."""
    runs = runs[-SLOTS:]
    longest = max((run.seconds or 0 for run in runs), default=0)
    paths: dict[str, str] = {}
    mark = Markup("")
    for slot, run in enumerate(runs, SLOTS - len(runs)):
        share = (run.seconds or 0) / longest if longest else 0
        height = max(2, round(share * HEIGHT))
        kind = KINDS.get(run.state, "busy")
        paths[kind] = paths.get(kind, "") + f"M{slot * STEP} {HEIGHT}v-{height}h{BAR}v{height}z"
        if run.id == mine:
            mark = Markup('<path class="mine" d="M{} {}h{}v2h-{}z"/>').format(slot * STEP, HEIGHT + 1, BAR, BAR)
    bars = Markup("").join(Markup('<path class="{}" d="{}"/>').format(kind, path) for kind, path in paths.items())
    told = f"the last {plural(len(runs), 'execution')} of this flow took up to {duration(longest)}"
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{told}">'
        "{bars}{mark}</svg>"
    ).format(w=SLOTS * STEP, h=HEIGHT + 3, told=told, bars=bars, mark=mark)
