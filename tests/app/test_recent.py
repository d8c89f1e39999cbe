"""What a server that lives long remembers does not grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.app import App, flows
from core.app.recent import Recent


def test_what_was_not_used_for_longest_goes() -> None:
    kept = Recent[str, int](2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)
    kept.put("c", 4)
    assert (kept.get("a"), kept.get("c")) == (1, 4)


def test_revisions_that_fell_out_are_parsed_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.flows, "_parsed", Recent(2))
    for number in range(4):
        app.flows.push(f"id: f\nnamespace: n\ntasks: [{{id: t{number}, type: log.Log, message: hi}}]\n")
    found = [[step.id for step in app.flows.parsed("n", "f", revision).steps()] for revision in (1, 2, 3, 4)]
    assert found == [["t0"], ["t1"], ["t2"], ["t3"]]
    assert len(app.flows._parsed) == 2
    assert flows.PARSED >= 100


def test_a_folder_that_is_looked_in_twice_is_kept_once(app: App, tmp_path: Path) -> None:
    for _ in range(3):
        app.flows.look_in(tmp_path)
    assert app.flows.folders == (tmp_path,)
