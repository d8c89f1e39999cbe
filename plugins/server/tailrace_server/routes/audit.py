"""`GET /audit`: who changed what, for admins."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from core.host.product import AuditFilter
from core.host.services import Services
from tailrace_server.answers import json_answer, page_object
from tailrace_server.asked import LIMIT, Asked, Parameter
from tailrace_server.described import Gives, route
from tailrace_server.schemas.audit import AuditPage, audit_object

ASKS = (
    Parameter("actor", "Who did it.", many=True),
    Parameter("action", "What was done.", many=True, example="task_output.correct"),
    Parameter("subject", "The id of what was changed.", many=True),
    LIMIT,
    Parameter("starting_after", "The `seq` of a row: the page begins with the next older one.", "whole", least=1),
)


@route("GET", "/audit", Gives(AuditPage, "A page of it."), role="admin", asks=ASKS)
def list_audit(request: Request[Any, Any, Any], services: Services, asked: Asked) -> Response[Any]:
    """Every change that was made through this API, newest first."""
    page = services.changes.audit(AuditFilter(**asked.of(*(one.name for one in ASKS))))
    return json_answer(page_object(request, page, [audit_object(view) for view in page.data]))


ROUTES = (list_audit,)
