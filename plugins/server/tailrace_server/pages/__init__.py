"""The pages: what people see of an installation, over the same services as the API, one file per place.

A new one: (1) a plain function under `@page(PATH, asks=PARAMETERS)` takes by name what a route of the API takes
(`services`, `caller`, `asked`, `request`, what is in the path) and gives `Shown(TEMPLATE, facts)`; (2) the template
extends `base.html` and is complete without any script: links and forms do everything; (3) what changes something is
an `@action(PATH)` that takes `form` and gives `Go(URL)`; its form holds `{{ csrf() }}`; (4) the file's PAGES name it.

Scripts only make that quicker. `refresh.js` loads a page again and replaces its parts (`data-part`, each with an id):
for a form or link with `data-refresh`, and whenever the page's `data-live` stream tells of something new. The policy
of the pages allows no inline script and no inline style: bars and pictures are SVG with attributes and classes.
"""

from __future__ import annotations

from tailrace_server.pages import (
    across,
    acting,
    charts,
    compare,
    differences,
    editing,
    evaluator,
    executions,
    flows,
    gantt,
    graph,
    home,
    logs,
    outputs_tab,
    overview,
    sign_in,
    source,
    start,
    task_output,
    value_pages,
)  # fmt: skip

PLACES = (
    home, sign_in, executions, start, value_pages, across, charts, task_output, flows, editing, differences,
    compare, outputs_tab, evaluator, overview, gantt, graph, logs, source, acting,
)  # fmt: skip
PAGES = [handler for module in PLACES for handler in module.PAGES]
