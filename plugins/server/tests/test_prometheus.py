"""`GET /metrics` is what Prometheus reads: parsed here by the rules of its text format, version 0.0.4."""

from __future__ import annotations

import math
import re
from collections import defaultdict

import httpx
import pytest
from attrs import field, frozen

from tailrace_server.metrics import Metrics, line

from .conftest import Api

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:{{((?:{LABEL},?)*)}})? (\S+)")
ENDINGS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
Labels = tuple[tuple[str, str], ...]


@frozen
class Family:
    """A metric: its samples by name and labels."""

    kind: str
    samples: dict[tuple[str, Labels], float] = field(factory=dict)


def parsed(text: str) -> dict[str, Family]:
    """Every family; a text that breaks a rule of the format is refused."""
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    helped: set[str] = set()
    current = ""
    for one in text.splitlines():
        if one.startswith("# HELP "):
            name, _, words = one.removeprefix("# HELP ").partition(" ")
            assert re.fullmatch(NAME, name), one
            assert words, one
            assert name not in helped, one
            helped.add(name)
        elif one.startswith("# TYPE "):
            current, kind = one.removeprefix("# TYPE ").split(" ")
            assert current in helped - families.keys(), one
            assert kind in ENDINGS, one
            families[current] = Family(kind)
        else:
            match = SAMPLE.fullmatch(one)
            assert match is not None, one
            name, labels = match[1], tuple(re.findall(LABEL, match[2] or ""))
            assert name in {current + ending for ending in ENDINGS[families[current].kind]}, one
            assert len(dict(labels)) == len(labels), one
            assert (name, labels) not in families[current].samples, one
            families[current].samples[name, labels] = float(match[match.re.groups].replace("Inf", "inf"))
    return families


def check_histogram(name: str, family: Family) -> None:
    """Buckets only grow, the last one is `+Inf` and holds all."""
    buckets: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for (sample, labels), value in family.samples.items():
        if sample == f"{name}_bucket":
            bound = float(dict(labels)["le"].replace("Inf", "inf"))
            buckets[tuple(label for label in labels if label[0] != "le")].append((bound, value))
    assert buckets
    for labels, found in buckets.items():
        assert found == sorted(found)
        assert [value for _, value in found] == sorted(value for _, value in found)
        assert math.isinf(found[-1][0])
        assert found[-1][1] == family.samples[f"{name}_count", labels]
        assert family.samples[f"{name}_sum", labels] >= 0


def test_everything_parses_and_is_counted(api: Api, client: httpx.Client) -> None:
    for path in ("/health", "/health", "/task-outputs", "/nothing", "/task-outputs/nothing"):
        client.get(path)
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = parsed(answer.text)
    assert {name: family.kind for name, family in families.items()} == {
        "tailrace_http_requests_total": "counter", "tailrace_http_request_seconds": "histogram",
        "tailrace_executions": "gauge", "tailrace_process_resident_memory_bytes": "gauge",
    }  # fmt: skip
    requests = families["tailrace_http_requests_total"].samples
    seen = {(dict(labels)["route"], dict(labels)["status"]): number for (_, labels), number in requests.items()}
    assert seen["/api/v1/health", "200"] == 2
    assert (seen["none", "404"], seen["/api/v1/task-outputs", "200"]) == (1, 1)
    assert not [route for route, _ in seen if "nothing" in route]
    check_histogram("tailrace_http_request_seconds", families["tailrace_http_request_seconds"])
    ((_, memory),) = families["tailrace_process_resident_memory_bytes"].samples.items()
    assert memory > 1_000_000


def test_counters_only_grow(client: httpx.Client) -> None:
    before, after = (parsed(client.get("/metrics").text)["tailrace_http_requests_total"].samples for _ in range(2))
    assert before.keys() <= after.keys()
    assert all(after[name] >= number for name, number in before.items())
    assert sum(after.values()) > sum(before.values())


@pytest.mark.parametrize("text", ['quote " in it', "back \\ slash", "two\nlines", "a,b} 5", "ünï"])
def test_label_values_are_escaped(text: str) -> None:
    match = SAMPLE.fullmatch(line("some", {"route": text}, 1))
    assert match is not None
    ((_, found),) = re.findall(LABEL, match[2])
    assert re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), found) == text


def test_a_histogram_without_requests_is_empty() -> None:
    families = parsed("\n".join([*Metrics().lines(), ""]))
    assert all(not family.samples for family in families.values())
