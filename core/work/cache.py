"""`taskCache`: what an attempt with the same rendered properties gave before is given again.

Nothing that goes wrong here fails a task: it is said, and the task runs (the reference).
"""

from __future__ import annotations

import json
from typing import Any

from core.errors import NotFound, TailraceError
from core.host.requests import KeepResult
from core.host.seam import TaskJob, TaskResult
from core.model.codec import json_writer
from core.model.data import evolve
from core.model.digest import digest
from core.model.flow import TaskCache
from core.sdk.storage import is_storage_uri, storage_path
from core.work.context import AttemptContext
from core.work.tools import Tools

_KEPT = ("output", "output_uri", "size", "sha256", "preview", "summary", "properties_hash")
_CONSTANT = {"workingDir": "workingDir", "outputDir": "outputDir"}
_BROKEN = (TailraceError, ValueError, TypeError, KeyError, OSError)
"""Whatever is wrong with the key or with what was kept: the task can run all the same."""
_CANONICAL = json_writer(sort_keys=True, allow_nan=True, default=str)


class ResultCache:
    """Of one attempt whose task has `taskCache`."""

    def __init__(self, job: TaskJob, cache: TaskCache, tools: Tools, context: AttemptContext) -> None:
        self._job = job
        self._ttl = cache.ttl
        self._tools = tools
        self._context = context
        self._key = ""

    def found(self) -> TaskResult | None:
        """The result that was kept, as that of this attempt; None when the task is to run."""
        try:
            self._key = self._own_key()
            kept = self._context.ask("kept_result", key=self._key)
            return None if kept is None else self._again(json.loads(kept))
        except NotFound as error:
            self._context.log.info(f"what was kept of the task can't be used again: {error.what}")
        except _BROKEN as error:
            self._say("looked up", error)
        return None

    def keep(self, result: TaskResult) -> TaskResult:
        """The result, which asks to be kept when it is worth it."""
        if not self._key or result.state not in ("SUCCESS", "WARNING"):
            return result
        try:
            kept: dict[str, Any] = {name: getattr(result, name) for name in _KEPT}
            kept["files"] = [list(file) for file in result.files]
            until = None if self._ttl is None else self._tools.now() + self._ttl
            wish = KeepResult(self._key, json.dumps(kept), until)
        except _BROKEN as error:
            self._say("kept", error)
            return result
        return evolve(result, requests=(*result.requests, wish))

    def _own_key(self) -> str:
        """Of the task with all that is rendered, its flow, and the value of the loop around it."""
        place, job = self._job.place, self._job
        properties = self._context.render(dict(job.properties), _CONSTANT)
        value = job.variables.get("taskrun", {}).get("value")
        identity = [place.namespace, place.flow_id, place.task_name, job.type, properties, value]
        return digest(_CANONICAL(identity).encode("utf-8", "surrogatepass"))

    def _again(self, kept: dict[str, Any]) -> TaskResult:
        """Raises NotFound when a file is gone."""
        files = tuple((uri, size, sha256) for uri, size, sha256 in kept.pop("files"))
        for uri, _, _ in files:
            if is_storage_uri(uri):
                self._tools.storage.stat(self._job.place.organization_id, storage_path(uri))
        self._context.log.info("its outputs were found in the cache: the task is not run")
        now = self._tools.now()
        return TaskResult(self._job.attempt_id, "SUCCESS", now, now, files=files, **kept)

    def _say(self, what: str, error: Exception) -> None:
        reason = error.what if isinstance(error, TailraceError) else f"{type(error).__name__}: {error}"
        self._context.log.error(f"the task's outputs can't be {what} in the cache: {reason}")
