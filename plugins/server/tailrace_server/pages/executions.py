"""`/executions`: all of them, newest first."""

from __future__ import annotations

from core.host.services import Services
from core.host.views import ExecutionFilter
from tailrace_server.asked import PAGE, Asked
from tailrace_server.pages.paged import Shown, page


@page("/executions", asks=PAGE)
def executions(services: Services, asked: Asked) -> Shown:
    """The list."""
    found = services.executions.list(ExecutionFilter(**asked.of("limit", "starting_after", "ending_before")))
    return Shown("executions.html", {"found": found})


PAGES = (executions,)
