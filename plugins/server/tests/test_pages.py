"""The written page of the API names every route there is, as the document does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .conftest import Api

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "api.md"
HEADING = "## Every route\n"


def rows(api: Api) -> Iterator[str]:
    """What the table of the page should hold."""
    for path, operations in api.document["paths"].items():
        for method, operation in operations.items():
            role = operation["description"].rpartition("\n\n")[2].removeprefix("Role: ").rstrip(".")
            shown = "no key" if role == "Needs no key" else role
            yield f"| `{method.upper()} {path.removeprefix('/api/v1')}` | {shown} | {operation['summary']} |"


def test_the_page_names_every_route(api: Api) -> None:
    _, _, section = PAGE.read_text("utf-8").partition(HEADING)
    table = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    assert table == list(rows(api)), "the table has to be:\n" + "\n".join(rows(api))


def test_every_route_that_the_page_speaks_of_is_there(api: Api) -> None:
    known = {"GET /openapi.json", "GET /docs", *(row.split("`")[1] for row in rows(api))}
    spoken = re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`?…]+)[`?]", PAGE.read_text("utf-8"))
    assert set(spoken) - known == set()
