"""The record store of one machine: a SQLite file in the home, shared by all its processes."""

from __future__ import annotations

import os
from pathlib import Path

from core.records.locks import FileLock, is_held
from core.records.sql_records import SqlRecords
from core.records.sqlite import SqliteDatabase, explained


class SqliteRecords(SqlRecords):
    """`SqlRecords` in a home; an engine lives as long as it holds the lock on its file there."""

    def __init__(self, home: Path, *, durable: bool, now: int) -> None:
        self._home = home
        super().__init__(SqliteDatabase(home, durable=durable, now=now), self._holds_lock)
        self._engines: dict[str, FileLock] = {}

    def register_engine(self, engine_id: str, now: int) -> None:
        """Show that this process lives: an OS lock for the machine, a row with a beat for everybody."""
        folder = self._home / "engines"
        with explained(folder):
            folder.mkdir(exist_ok=True)
            lock = FileLock(folder / f"{engine_id}.lock")
        lock.try_hold()
        self._engines[engine_id] = lock
        with self._db.writing():
            self._db.write("register_engine", (engine_id, os.getpid(), now))

    def beat(self, engine_id: str) -> None:
        """Move an engine's beat, for observers that can't see its lock."""
        with self._db.writing():
            self._db.write("beat", (engine_id,))

    def forget_engine(self, engine_id: str) -> None:
        """The engine decides no more."""
        lock = self._engines.pop(engine_id, None)
        if lock is not None:
            try:
                with self._db.writing():
                    self._db.write("leave_in_order", (engine_id,))
                    self._db.write("forget_engine", (engine_id,))
            finally:
                lock.path.unlink(missing_ok=True)
                lock.close()

    def _holds_lock(self, engine_id: str) -> bool:
        return is_held(self._home / "engines" / f"{engine_id}.lock")

    def close(self) -> None:
        """Give everything back; an engine that was registered is gone."""
        for engine_id in list(self._engines):
            self.forget_engine(engine_id)
        super().close()
