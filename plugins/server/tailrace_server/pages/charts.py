"""`/outputs/charts`: what a list of task outputs amounts to, as pictures and the same numbers as tables."""

from __future__ import annotations

from typing import Any

from litestar import Request

from core.host.services import Services
from tailrace_server.asked import Asked, Parameter
from tailrace_server.drawing.charts import STATUSES, days_chart, durations_chart, points_chart
from tailrace_server.pages.across import ASKS, asked_for, filters_of
from tailrace_server.pages.paged import Shown, page

FIELD = Parameter("chart", "The numeric field of `summary` that is drawn over time.")


@page("/outputs/charts", asks=(*ASKS, FIELD), slow=True)
def charts(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Shown:
    """The pictures."""
    which = asked_for(asked, limit=100)
    found = services.outputs.figures(which)
    chart = asked["chart"] or next(iter(found.summary_paths), None)
    points = services.outputs.summary_over_time(which, chart) if chart else ()
    facts = {
        "found": found, "chart": chart, "points": points, "statuses": STATUSES,
        "paths": tuple(dict.fromkeys((*found.summary_paths, *([chart] if chart else [])))),
        "days_chart": days_chart(found.per_day), "durations_chart": durations_chart(found.durations),
        "points_chart": points_chart(points),
    }  # fmt: skip
    return Shown("across_charts.html", {**facts, **filters_of(request, asked)})


PAGES = (charts,)
