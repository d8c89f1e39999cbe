"""The job that only ends: what an engine that died left of an attempt is ended, and nothing is begun."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

from core.errors import TailraceError
from core.host.seam import TaskJob, TaskResult
from core.work.attempt import KILLED, Attempt, rejected
from core.work.timers import Watch
from core.work.tools import Tools

LONGEST_SECONDS = 600.0
"""After that the attempt is over all the same. A container that may take its time to end has some."""


def end_left(job: TaskJob, tools: Tools, attempt: Attempt, watch: Watch) -> TaskResult:
    """End what is left of an attempt. Never raises: what goes wrong is a warning, and the attempt is KILLED.

    watch: gives up on it when it takes too long.
    """
    log = attempt.context.log
    call_off = watch(LONGEST_SECONDS, KILLED)
    try:
        attempt.end_left()
    except TailraceError as error:
        log.warn(f"what the task had left running could not be ended: {error}")
    except BaseException as error:  # noqa: BLE001 # a plugin's own mistake
        log.warn(f"what the task had left running could not be ended: {type(error).__name__}: {error}")
    finally:
        call_off()
        attempt.context.clean_up()
    remove_directories(tools.scratch, job.attempt_id)
    return rejected(job, tools, "KILLED", KILLED)


def remove_directories(scratch: Path, attempt_id: str) -> None:
    """Remove what an attempt had in the way of directories, and what lies beside them."""
    for path in scratch.glob(f"{attempt_id}*"):
        if path.name.removeprefix(attempt_id)[:1] in ("", ".", "-"):
            if path.is_dir():
                rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
