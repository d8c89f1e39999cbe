"""Log lines in files: one line of JSON each, `at` in microseconds since 1970 UTC."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from core.host.seam import LogLine

LOG_FILE = "log.jsonl"


def written(line: LogLine) -> str:
    """A log line as it stands in the file."""
    shown = {"at": line.at, "level": line.level, "message": line.message}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")) + "\n"


def read(lines: Iterable[bytes]) -> Iterator[tuple[int, str, str]]:
    """(at, level, message) of each line."""
    for line in lines:
        found = json.loads(line)
        yield found["at"], found["level"], found["message"]
