"""Flows that the tests of one execution run, and how they wait for them."""

from __future__ import annotations

import re
from time import monotonic, sleep

from core.host.views import ExecutionView
from tests.waiting import PATIENCE

from .conftest import Site

SHAPES = """
id: shapes
namespace: company.team
inputs:
  - {id: country, type: STRING, defaults: AT}
labels: {team: sales}
tasks:
  - {id: fetch, type: debug.Return, format: "{{ inputs.country }}"}
  - id: each
    type: flow.ForEach
    values: "{{ range(1, 120) }}"
    concurrencyLimit: 20
    tasks:
      - {id: inside, type: debug.Return, format: "{{ taskrun.value }}"}
  - id: decide
    type: flow.If
    condition: "{{ inputs.country == 'AT' }}"
    then: [{id: domestic, type: log.Log, message: "<b>at home</b>"}]
    else: [{id: abroad, type: log.Log, message: far}]
  - id: broken
    type: execution.Fail
    errorMessage: "no <script> for {{ inputs.country }}"
errors:
  - {id: tell, type: log.Log, message: told}
"""
GOOD = """
id: good
namespace: company.team
tasks:
  - {id: one, type: debug.Return, format: "42"}
  - {id: two, type: log.Log, message: ["first <b>line</b>", "second", "Third"]}
outputs:
  - {id: answer, type: INT, value: "{{ outputs.one.value }}"}
"""
WAITS = """
id: waits
namespace: company.team
tasks:
  - id: approve
    type: flow.Pause
    onResume:
      - {id: reason, type: STRING}
      - {id: amount, type: INT, defaults: 5}
  - {id: after, type: debug.Return, format: "{{ outputs.approve.onResume.reason }} {{ outputs.approve.onResume.amount }}"}
"""
SLOW = """
id: slow
namespace: company.team
tasks:
  - id: count
    type: scripts.shell.Commands
    taskRunner: {type: runner.Process}
    commands: ["echo started; for i in $(seq 1 600); do echo line $i; sleep 0.1; done"]
"""


def waiting(site: Site) -> ExecutionView:
    """One that waits for a person."""
    return until(site, site.begin(WAITS), "PAUSED")


def until(site: Site, view: ExecutionView, *states: str) -> ExecutionView:
    """It, once it is in one of some states."""
    end = monotonic() + PATIENCE
    while (now := site.app.executions.get(view.id)).state not in states:
        assert monotonic() < end, f"it is {now.state}"
        sleep(0.02)
    return now


def text_of(page: str) -> str:
    """What a page says, its tags left out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
