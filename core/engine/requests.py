"""What the requests of a committed result change for the running execution itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.engine.variables import Variables, nested
from core.host.requests import Request, SetLabels, SetVariables, UnsetVariables
from core.model.codec import decode
from core.model.variables import merged, without


def requested(variables: Variables, requests: Iterable[Request]) -> None:
    """Later tasks see the labels and variables that were set, as the record has them now."""
    for request in requests:
        if isinstance(request, SetLabels):
            variables.set("labels", merged(variables.base["labels"], nested(request.labels)))
        elif isinstance(request, SetVariables):
            variables.set("vars", merged(_before(variables), decode(request.values_json)))
        elif isinstance(request, UnsetVariables):
            variables.set("vars", without(_before(variables), request.names))


def _before(variables: Variables) -> dict[str, Any]:
    found: dict[str, Any] = variables.base.get("vars", {})
    return found
