"""The reference's own cases for expressions: what its tests assert, and what its renderer was observed to give.

`python -m tests.conformance.test_expressions` prints how many of each topic pass, fail, and differ on purpose.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import Forbidden, Invalid, NotFound, TailraceError
from core.expressions import Instant, Renderer
from core.expressions.values import float32
from core.model.durations import parse_duration

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TAILRACE_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
FILES = ("expressions.json", "expressions_probes.json")

_WIDTHS = "whole numbers of 32 and 64 bits are one kind: what works for a variable works for a literal, and back"
_KINDER = "typed rendering gives the text of a template that is more than one print, instead of failing"

DEVIATIONS: dict[str, str] = {
    "probe/0118": _WIDTHS,
    "probe/0141": _WIDTHS,
    "probe/0612": _WIDTHS,
    "probe/0922": _WIDTHS,
    "probe/0990": _WIDTHS,
    "probe/0334": _KINDER,
    "probe/0356": _KINDER,
    "probe/0357": _KINDER,
    "probe/0300": "there is no java.util.Date; an instant takes its place",
    "probe/0429": "`loop.length` is a number; the class it has in the reference is the template engine's own",
}
"""Cases where we differ on purpose, and why."""


def _load() -> list[dict[str, Any]]:
    if not all((FOLDER / name).is_file() for name in FILES):
        return []
    cases = [case for name in FILES for case in json.loads((FOLDER / name).read_text(encoding="utf-8"))]
    return [case for case in cases if case.get("portable", True)]


CASES = _load()
needs_cases = pytest.mark.skipif(
    not CASES, reason=f"no {FILES[0]} here: name its folder by the environment variable TAILRACE_CONFORMANCE"
)


# -- a case's world --------------------------------------------------------------------------------------------


def value_of(raw: Any) -> Any:
    """A variable of a case; maps with one `$` key are tagged values."""
    if isinstance(raw, list):
        return [value_of(item) for item in raw]
    if not isinstance(raw, dict):
        return raw
    if len(raw) == 1:
        ((tag, inner),) = raw.items()
        if tag in _TAGS:
            return _TAGS[tag](inner)
    return {key: value_of(item) for key, item in raw.items()}


def _instant(text: str) -> Instant:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return Instant(*moment.timetuple()[:6], moment.microsecond, UTC)


def _zoned(text: str) -> datetime:
    moment, _, region = text.partition("[")
    parsed = datetime.fromisoformat(moment)
    return parsed.astimezone(ZoneInfo(region.rstrip("]"))) if region else parsed


_TAGS: dict[str, Callable[[Any], Any]] = {
    "$date": _zoned,
    "$instant": _instant,
    "$localdatetime": datetime.fromisoformat,
    "$localdate": date.fromisoformat,
    "$javadate": _instant,
    "$duration": parse_duration,
    "$set": lambda items: dict.fromkeys(value_of(item) for item in items).keys(),  # a set that keeps its order
    "$array": value_of,
    "$stringarray": value_of,
    "$intarray": value_of,
    "$intkeymap": lambda entries: {value_of(key): value_of(item) for key, item in entries},
    "$float": float32,
    "$long": int,
    "$short": int,
    "$biginteger": int,
    "$bigdecimal": Decimal,
    "$uri": str,
    "$char": str,
}


class World:
    """Small stand-ins for what the engine hands in: files, key-values and logs of a case."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._environment = case.get("env") or {}
        self._variables = case["variables"]

    def functions(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "kv": self.kv, "read": self.read, "fileSize": self.file_size, "fileURI": self.file_uri,
            "secret": self.secret, "errorLogs": self.error_logs,
        }  # fmt: skip

    def kv(self, key: str, namespace: str | None = None, error_on_missing: bool = False) -> Any:
        owner = namespace or self._variables["flow"]["namespace"]
        entries = self._environment.get("kv", {}).get(owner, {})
        if key not in entries and error_on_missing:
            raise NotFound(f"The key '{key}' does not exist in the namespace '{owner}'.")
        return value_of(entries.get(key))

    def secret(self, key: str) -> str:
        if key not in self._environment.get("secrets", {}):
            raise NotFound(f"Cannot find secret for key '{key}'.")
        return str(self._environment["secrets"][key])

    def read(self, path: str) -> str:
        files = self._environment.get("files", {})
        flow = self._variables.get("flow", {})
        if path.startswith("kestra:///"):
            self._own(path)
            path = path.removeprefix("kestra://")
        else:
            path = f"/{flow['namespace'].replace('.', '/')}/_files/{path}"
        if path not in files:
            raise NotFound(f"{path} is not there")
        return str(files[path])

    def error_logs(self) -> list[Any]:
        return [log for log in self._environment.get("logs", []) if log["level"] == "ERROR"]

    def _own(self, path: str) -> None:
        """A file belongs to this execution, or to the one that triggered it."""
        flow, execution = self._variables.get("flow", {}), self._variables.get("execution", {})
        trigger = self._variables.get("trigger") or {}
        owners = [(flow.get("namespace"), flow.get("id"), execution.get("id")),
                  (trigger.get("namespace"), trigger.get("flowId"), trigger.get("executionId"))]  # fmt: skip
        for namespace, flow_id, execution_id in owners:
            prefix = f"kestra:///{str(namespace).replace('.', '/')}/{flow_id}/executions/{execution_id}/"
            if path.startswith(prefix):
                return
        raise Forbidden(f"Unable to read the file '{path}' as it didn't belong to the current execution")

    def file_size(self, path: str) -> int:
        if not path.startswith("kestra:///"):
            raise Invalid("not a file of the storage")
        return len(self.read(path).encode())

    def file_uri(self, path: str) -> str:
        if "../" in path:
            raise Invalid("Path must not contain '../'")
        return f"kestra:///{self._variables['flow']['namespace'].replace('.', '/')}/_files/{path.lstrip('/')}"


def _rendered(case: dict[str, Any]) -> Any:
    renderer = Renderer(
        World(case).functions(),
        recursive=(case.get("config") or {}).get("recursiveRendering", False),
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
    )
    variables = {key: value_of(item) for key, item in case["variables"].items()}
    method = {"renderTyped": renderer.render_typed, "renderObject": renderer.render_object}.get(
        case["api"], renderer.render
    )
    return method(case["template"], variables)


# -- what a case expects ---------------------------------------------------------------------------------------


def _same(actual: Any, expected: Any) -> bool:
    return json.dumps(actual, default=str, sort_keys=True) == json.dumps(expected, default=str, sort_keys=True)


def _check_text(actual: str, checks: dict[str, Any]) -> None:
    for name, expected in checks.items():
        _CHECKS[name](actual, expected)


def _contains(actual: str, parts: list[str]) -> None:
    for part in parts:
        assert part in actual


def _json_contains(actual: str, expected: dict[str, Any]) -> None:
    assert expected.items() <= json.loads(actual).items()


def _key_order(actual: dict[str, Any], order: dict[str, list[str]]) -> None:
    for key, names in order.items():
        assert list(actual[key] if key else actual) == names


def _today(actual: str, pattern: str) -> None:
    zone = ZoneInfo("Europe/Lisbon") if "Lisbon" in pattern else UTC
    assert datetime.now(zone).strftime("%Y-%m-%d") in actual


def _equals(convert: Callable[[str], Any]) -> Callable[[str, Any], None]:
    def check(actual: str, expected: Any) -> None:
        assert convert(actual) == expected

    return check


def _is(condition: Callable[[Any, Any], bool]) -> Callable[[str, Any], None]:
    def check(actual: str, expected: Any) -> None:
        assert condition(actual, expected)

    return check


_CHECKS: dict[str, Callable[[Any, Any], None]] = {
    "contains": _contains,
    "startswith": _is(str.startswith),
    "endswith": _is(str.endswith),
    "regex": _is(lambda actual, pattern: re.search(pattern, actual) is not None),
    "json": _equals(json.loads),
    "json_set": _is(lambda actual, items: sorted(json.loads(actual)) == sorted(items)),
    "json_has_items": _is(lambda actual, items: all(item in json.loads(actual) for item in items)),
    "json_contains": _json_contains,
    "int_between": _is(lambda actual, bounds: bounds[0] <= int(actual) <= bounds[1]),
    "not_empty": _is(lambda actual, _: actual != ""),
    "not_null": _is(lambda actual, _: actual is not None),
    "not_equal": _is(lambda actual, other: actual != other),
    "no_error": _is(lambda actual, _: True),
    "key_order": _key_order,
    "hexdigest_of": _is(lambda actual, _: re.fullmatch("[0-9a-f]+", actual) is not None),
    "decrypts_to": _is(lambda actual, _: len(base64.b64decode(actual)) > 28),
    "contains_today": _today,
    "equals_today": _today,
}  # fmt: skip


@lru_cache(maxsize=1)
def _targets() -> dict[str, dict[str, Any]]:
    """By case: what the reference's product gives (Pebble's own tests run under other settings)."""
    return {case["id"]: {**case, **(case.get("under_kestra") or {})} for case in CASES}


def _outcome(case: dict[str, Any]) -> str:
    """`passed`, or what went wrong."""
    try:
        _check(case, _targets()[case["id"]])
    except (AssertionError, TailraceError, pytest.fail.Exception) as error:
        return str(error) or "another result"
    return "passed"


@needs_cases
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_expression_gives_what_the_reference_gives(case: dict[str, Any]) -> None:
    deviation = DEVIATIONS.get(case["id"])
    if deviation is None:
        _check(case, _targets()[case["id"]])
    elif _outcome(case) == "passed":
        pytest.fail("listed as a deviation, but gives what the reference gives: take it off the list")
    else:
        pytest.xfail(f"differs on purpose: {deviation}")


def _check(case: dict[str, Any], target: dict[str, Any]) -> None:
    if target["error"]:
        with pytest.raises(TailraceError):
            _rendered(case)
        return
    actual = _rendered(case)
    if target.get("compare") == "json":
        assert json.loads(actual) == json.loads(target["expect"])
    elif case.get("assert") and target["expect"] is None:
        _check_text(actual, case["assert"])
    elif case["api"] == "render":
        assert actual == target["expect"]
    else:
        assert _same(actual, value_of(target["expect"]))


def test_few_cases_differ_and_each_is_one() -> None:
    if not CASES:
        pytest.skip("the cases are not here")
    assert len(DEVIATIONS) <= 10
    if "TAILRACE_CONFORMANCE" in os.environ:
        pytest.skip("a folder of one's own may have other cases")
    assert [name for name in DEVIATIONS if name not in _targets()] == []


def _topic(case: dict[str, Any]) -> str:
    return f"{case['source']}: {case['topic'].partition(':')[0]}"


def main() -> None:
    """Print the table of topics, and what fails."""
    counts: dict[str, Counter[str]] = {}
    failures: list[str] = []
    for case in CASES:
        outcome = _outcome(case)
        kind = "passed" if outcome == "passed" else "deviating" if case["id"] in DEVIATIONS else "failed"
        counts.setdefault(_topic(case), Counter())[kind] += 1
        if kind == "failed":
            failures.append(f"{case['id']} {case['template']!r}: {outcome}")
    kinds = ("passed", "failed", "deviating")
    print(f"{'topic':32}" + "".join(f"{kind:>11}" for kind in kinds))
    for topic, found in sorted(counts.items()):
        print(f"{topic:32}" + "".join(f"{found[kind] or '':>11}" for kind in kinds))
    for name in ("kestra", "pebble", "probe", ""):
        some = sum((found for topic, found in counts.items() if topic.startswith(name)), Counter[str]())
        share = some["passed"] / max(1, sum(some.values()))
        print(f"{name or 'all':32}" + "".join(f"{some[kind]:>11}" for kind in kinds) + f"  {share:.1%} passed")
    print("\n".join(failures))


if __name__ == "__main__":
    main()
