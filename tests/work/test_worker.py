"""One worker process as its engine sees it, at moments that are rare."""

from __future__ import annotations

import os
import threading

import pytest

from core.work.worker import Worker


def test_what_is_still_to_be_written_is_left_when_the_process_ends_before_the_writing_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception in that thread would be told on standard error; here it fails the test."""
    source, target = os.pipe()
    os.set_blocking(target, False)
    worker = Worker()
    worker._target = target
    ended: list[threading.Thread] = []

    class AfterTheEnd(threading.Thread):
        def run(self) -> None:
            worker._target = -1  # as `ended` leaves it
            for pipe in (source, target):
                os.close(pipe)
            super().run()

        def start(self) -> None:
            ended.append(self)
            super().start()

    monkeypatch.setattr(threading, "Thread", AfterTheEnd)
    worker.send(b"x" * 1_000_000)
    ended[0].join(60)
    assert (ended[0].is_alive(), worker._writing) == (False, False)
