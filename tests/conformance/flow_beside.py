"""Two executions of one flow at once: the second by an app of its own in the same home, as another process would."""

from __future__ import annotations

import threading
import time

from core.app import open_app
from tests.conformance.flow_expect import check
from tests.conformance.flow_story import CASE_SECONDS, Story


def two_at_once(story: Story) -> None:
    """Start one, and when it runs the other; then compare both with what the case expects."""
    first, second = story.create(), story.create()
    app = story.app
    with open_app(app.settings) as other:
        begun = threading.Event()
        one = threading.Thread(target=lambda: other.executions.run(first, follow=lambda happening: begun.set()))
        one.start()
        try:
            assert begun.wait(CASE_SECONDS)
            if story.case["id"].startswith("api-"):
                threading.Thread(target=_freed, args=(story, second)).start()
            story.run(second)
        finally:
            one.join(CASE_SECONDS)
    both = [story.look(first), story.look(second)]
    for expected in story.case["expect"].get("executions", ()):
        moment = both[expected["run"] - 1]
        assert moment.execution.state == expected["state"]
        prefix = expected.get("state_histories_prefix", [])
        assert [state for state, _ in moment.execution.history][: len(prefix)] == prefix
    if story.case["id"].startswith("api-"):
        began = next(at for state, at in both[1].execution.history if state == "RUNNING")
        assert began < (both[0].execution.ended_at or 0), "it did not wait for the first to end"
        check(story, story.case["expect"], both[1])


def _freed(story: Story, execution_id: str) -> None:
    """Let an execution run that waits in the queue, as soon as it does."""
    end = time.monotonic() + CASE_SECONDS
    while time.monotonic() < end:
        if story.app.executions.get(execution_id).state == "QUEUED":
            story.app.executions.force_run(execution_id)
            return
        time.sleep(0.02)
