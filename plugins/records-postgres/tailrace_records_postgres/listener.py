"""Hears from the database that others have written something an engine waits for."""

from __future__ import annotations

import os
import selectors
from threading import Event, Thread

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

RETRY_SECONDS = 1.0
START_SECONDS = 5.0


class Listener:
    """A connection that listens, in a thread of its own, begun by the first question.

    writer: how the commits of this store are marked; it knows of them. While there is no connection everything may
    have changed, so the answer is yes once for each time it is lost and found.
    """

    def __init__(self, url: str, writer: str) -> None:
        self._url = url
        self._writer = writer
        self._changed = True
        self._closing = False
        self._listens = Event()
        self._thread: Thread | None = None
        self._ear, self._mouth = os.pipe()

    def changed(self) -> bool:
        """Whether others have written since the last call; the first answer is yes."""
        if self._thread is None and not self._closing:
            self._thread = Thread(target=self._run, name="tailrace-records-listener", daemon=True)
            self._thread.start()
            self._listens.wait(START_SECONDS)
        changed, self._changed = self._changed, False
        return changed

    def say_changed(self) -> None:
        self._changed = True

    def _run(self) -> None:
        while not self._closing:
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    connection.execute("LISTEN tailrace")
                    self._changed = True
                    self._listens.set()
                    self._listen(connection)
            except psycopg.Error:  # the store's own questions say what is wrong with the database
                self._changed = True
                self._wait(RETRY_SECONDS)

    def _listen(self, connection: Connection[TupleRow]) -> None:
        line = connection.pgconn
        with selectors.DefaultSelector() as selector:
            selector.register(line.socket, selectors.EVENT_READ)
            selector.register(self._ear, selectors.EVENT_READ)
            while not self._closing:
                selector.select()
                line.consume_input()
                heard = line.notifies()
                while heard is not None:
                    if heard.extra.decode() != self._writer:
                        self._changed = True
                    heard = line.notifies()

    def _wait(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            selector.select(seconds)

    def close(self) -> None:
        self._closing = True
        os.write(self._mouth, b".")
        if self._thread is not None:
            self._thread.join()
        os.close(self._mouth)
        os.close(self._ear)
