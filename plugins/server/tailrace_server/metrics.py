"""What is counted of the requests, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Any

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram."""


class Metrics:
    """Requests by route and status, and how long they took."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: dict[tuple[str, str, int], int] = {}
        self._latency: dict[tuple[str, str], tuple[list[int], float]] = {}

    def answered(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """One request has ended. What no route knows is counted under one name, so that nobody can make up more."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        path = scope.get("path_template") or "none"
        with self._lock:
            self._requests[method, path, status] = self._requests.get((method, path, status), 0) + 1
            buckets, total = self._latency.get((method, path), ([0] * (len(SECONDS) + 1), 0.0))
            buckets[sum(seconds > bound for bound in SECONDS)] += 1
            self._latency[method, path] = (buckets, total + seconds)

    def lines(self) -> Iterator[str]:
        """In the text format of Prometheus."""
        with self._lock:
            requests = sorted(self._requests.items())
            latency = sorted((key, (list(buckets), total)) for key, (buckets, total) in self._latency.items())
        yield from family("http_requests_total", "counter", "Requests that were answered.", (
            ({"method": method, "route": route, "status": status}, number)
            for (method, route, status), number in requests
        ))  # fmt: skip
        name = "http_request_seconds"
        yield from heading(name, "histogram", "How long requests took until their answer was sent.")
        for (method, route), (buckets, total) in latency:
            labels, below = {"method": method, "route": route}, 0
            for bound, number in zip((*SECONDS, "+Inf"), buckets, strict=True):
                below += number
                yield line(f"{name}_bucket", {**labels, "le": bound}, below)
            yield line(f"{name}_sum", labels, round(total, 6))
            yield line(f"{name}_count", labels, below)


def family(name: str, kind: str, text: str, samples: Iterable[tuple[Mapping[str, Any], float]]) -> Iterator[str]:
    """One metric with all its samples."""
    yield from heading(name, kind, text)
    for labels, value in samples:
        yield line(name, labels, value)


def heading(name: str, kind: str, text: str) -> tuple[str, str]:
    """What stands above the samples of a metric."""
    return (f"# HELP tailrace_{name} {text}", f"# TYPE tailrace_{name} {kind}")


def line(name: str, labels: Mapping[str, Any], value: float) -> str:
    """One sample."""
    shown = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    return f"tailrace_{name}{{{shown}}} {value}" if shown else f"tailrace_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
