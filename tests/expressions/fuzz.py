"""Hostile and broken templates by the hundred thousand: whatever they say, a result or one of our errors comes out.

Usage: python -m tests.expressions.fuzz [INPUTS [SEED]]. Templates of the reference's cases (if they are there) and our
own are mutated piece by piece, crossed with one another, and mixed with random tokens. Ends with 1 and the seed of
each input that fails. Not run by pytest, but for a small sample (`test_fuzz.py`).
"""

from __future__ import annotations

import faulthandler
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any

from core.errors import TailraceError
from core.expressions import Renderer, check, references
from core.expressions.library import FILTERS, FUNCTIONS, TESTS
from core.expressions.parser import BINDING
from core.expressions.values import Entry, Instant, float32
from tests.conformance.test_expressions import CASES, value_of

VARIABLES: dict[str, Any] = {
    "text": "hello World", "empty": "", "n": 3, "f": 1.5, "yes": True, "none": None, "l": [1, "a", None, [2]],
    "m": {"a": 1, "b": {"c": "x"}, "a-b": [], "1": {}}, "when": datetime(2024, 2, 29, 10, tzinfo=UTC),
    "naive": datetime(2024, 1, 31), "day": date(2024, 2, 29), "span": timedelta(hours=1), "dec": Decimal("1.50"),
    "big": 2**70, "nan": float("nan"), "inf": float("-inf"), "narrow": float32(0.1), "bytes": b"a\xff",
    "set": {1: 1, 2: 2}.keys(), "json": '{"a":[1]}', "taskrun": {"value": "a"}, "again": "{{ again }}",
    "inner": "{% set x = n %}{{ x | upper }}", "i": Instant(2024, 2, 29, 10, tzinfo=UTC), "pair": Entry("k", [1]),
}  # fmt: skip
OWN = [
    "{{ text | upper ~ n }}", "{% for e in l %}{{ loop.index }}{{ e }}{% else %}none{% endfor %}",
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{{ a ?? (b ??? 'c') | default('d') }}",
    '{{ "x #{n + 1} #{"y" ~ f}" }}', "{% filter upper | trim %} a {% endfilter %}", "{{- n -}} {#- c -#} {%- set q = 1 %}",
    "{% block x %}{{ l }}{% endblock %}{{ block('x') }}", "{{ m['a-b'] is not empty ? m.b.c : l[0] }}",
    "{% verbatim %}{{ x }}{% endverbatim %}{% raw %}{{ x }}{% endraw %}", "{{ render(inner) }}{{ render(again) }}",
    "{{ when | dateAdd(-1, 'MONTHS') | date(\"yyyy-MM-dd'T'HH:mm[ VV]\", timeZone='Asia/Tokyo') }}",
    "{{ m | jq('.b.c') | first }}{{ m | yaml | indent(2) }}{{ m | toIon }}{{ yaml(text).x }}",
    "{{ text | replace({'(o)': '$1$1'}, regexp=true) | split('[ ]', 2) | join('-') }}",
    "{{ m | merge(l) }}{{ l | merge(m) | sort }}{{ m.keySet() | first }}{{ text.repeat(n).indexOf(text) }}{{ l | distinct }}",
    "{{ 1234.5 | numberFormat('#,##0.00;(0)') }}{{ '0x1F' | number('LONG') }}{{ range(1, 10, 3) }}{{ 'a'..'e' }}",
]  # fmt: skip
ATOMS = [*VARIABLES, "1", "2.5", "'x'", "''", "null", "true", "-1", "9223372036854775807", "100000", "[", "]", "{", "}"]
SIGNS = ["{{", "}}", "{%", "%}", "{#", "#}", "-}}", "{%-", "#{", "(", ")", ",", ":", "?", "??", "???", ".", "..", "|",
         "~", "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "=", "'", '"', "\\", "\n", "\t", " ", "\u00a0", "é", "😀",
         "\x00", "and", "or", "not", "is", "is not", "contains", "equals", "isIn", "isNotIn"]  # fmt: skip
OPERATORS = sorted(operator for operator in BINDING if operator not in ("is", "|"))
TAGS = ["{% if n %}", "{% elseif f %}", "{% else %}", "{% endif %}", "{% for e in l %}", "{% endfor %}", "{% set x = l %}",
        "{% macro m(a) %}", "{% endmacro %}", "{% filter upper %}", "{% endfilter %}", "{% block b %}", "{% endblock %}",
        "{% raw %}", "{% endraw %}", "{% verbatim %}", "{% endverbatim %}"]  # fmt: skip
NAMES = sorted({*FILTERS, *FUNCTIONS, *TESTS, "default", "defined", "kv", "secret"})
VOCABULARY = [*ATOMS, *SIGNS, *TAGS, *NAMES, *(f"| {name}" for name in NAMES), *(f"{name}(" for name in NAMES)]
_TOKEN = re.compile(r"\w+|'[^']*'|\"[^\"]*\"|\{[{%#]-?|-?[}%#]\}|\?+|\.\.|\s+|.", re.DOTALL)
FOREIGN = re.compile(
    r"Traceback|object at 0x|<class |NoneType|(?-i:[A-Z]\w*Error\b)|jinja|\b(?:dict|str|int|tuple|float|list|bytes|datetime)'"
    r"|positional argument|unhashable|not subscriptable|has no attribute|__\w+__", re.IGNORECASE,
)  # fmt: skip
"""Words of Python in a message. What the template itself says is taken out before they are looked for."""
SLOW = 5.0


Seed = tuple[str, Mapping[str, Any]]
"""A template and the variables it is made for."""


def seeds() -> list[Seed]:
    """What to start from."""
    cases = [
        (case["template"], {**VARIABLES, **{name: value_of(value) for name, value in case["variables"].items()}})
        for case in CASES
        if isinstance(case["template"], str) and len(case["template"]) < 1000
    ]
    return [*((each, VARIABLES) for each in OWN), *cases]


def inputs(count: int, seed: int) -> Iterator[tuple[int, Seed]]:
    """Number, template and variables."""
    known = seeds()
    for number in range(count):
        yield number, _made(known, random.Random(f"{seed}/{number}"))


def _made(known: list[Seed], chance: random.Random) -> Seed:
    kind = chance.random()
    if kind < 0.1:
        return "{{ " + " ".join(chance.choices(VOCABULARY, k=chance.randint(1, 12))) + " }}", VARIABLES
    if kind < 0.15:
        return "".join(chance.choices(VOCABULARY, k=chance.randint(1, 25))), VARIABLES
    template, variables = chance.choice(known)
    tokens = _TOKEN.findall(template)
    if kind < 0.3:
        other = _TOKEN.findall(chance.choice(known)[0])
        tokens = tokens[: chance.randint(0, len(tokens))] + other[chance.randint(0, len(other)) :]
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        _mutate(tokens, chance)
    return "".join(tokens), variables


def _alike(token: str) -> list[str]:
    """What a token may be replaced by without breaking the grammar, most of the time."""
    if token in OPERATORS:
        return OPERATORS
    if token.isspace() or token in SIGNS:
        return [token]
    return [*ATOMS, token] if token[:1] in "'\"" or token.isdigit() or token in VARIABLES else [*NAMES, *VARIABLES]


def _mutate(tokens: list[str], chance: random.Random) -> None:
    at = chance.randint(0, len(tokens))
    action = chance.random()
    if action < 0.5 and tokens:
        at = min(at, len(tokens) - 1)
        tokens[at] = chance.choice(_alike(tokens[at]))
        return
    action = chance.random()
    if action < 0.3:
        tokens.insert(at, chance.choice(VOCABULARY))
    elif action < 0.6 and tokens:
        tokens[min(at, len(tokens) - 1)] = chance.choice(VOCABULARY)
    elif action < 0.75 and tokens:
        del tokens[min(at, len(tokens) - 1)]
    elif action < 0.85:
        tokens[at:at] = tokens[at : at + chance.randint(1, 5)]
    elif action < 0.95 and len(tokens) > 1:
        first, second = chance.sample(range(len(tokens)), 2)
        tokens[first], tokens[second] = tokens[second], tokens[first]
    else:
        tokens.insert(at, chance.choice(("(", "[", "{{", "-", "not ")) * chance.randint(2, 80))


class Outcome:
    """What became of the inputs. problems: number, template and what was wrong."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.problems: list[tuple[int, str, str]] = []
        self.slowest = 0.0


def run(count: int, seed: int, progress: bool = False) -> Outcome:
    """Renders, checks and asks for the references of so many templates."""
    outcome = Outcome()
    renderer = Renderer(clock=lambda: datetime(2024, 2, 29, tzinfo=UTC), entropy=os.urandom)
    for number, (template, variables) in inputs(count, seed):
        if progress and number % 1000 == 0:
            # A call into C that never comes back ends the run with a picture of where it is.
            faulthandler.dump_traceback_later(120, exit=True)
            _progress(number, outcome)
        started = perf_counter()
        for name, call in _calls(renderer, template, variables).items():
            if problem := _problem(call, template, f"{name} ", outcome):
                outcome.problems.append((number, template, problem))
        took = perf_counter() - started
        outcome.slowest = max(outcome.slowest, took)
        if took > SLOW:
            outcome.problems.append((number, template, f"took {took:.1f} s"))
    faulthandler.cancel_dump_traceback_later()
    return outcome


def _calls(renderer: Renderer, template: str, variables: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    return {
        "render": lambda: renderer.render(template, variables),
        "typed": lambda: renderer.render_typed(template, variables),
        "references": lambda: references(template),
        "check": lambda: check(template),
    }


def _problem(call: Callable[[], object], template: str, name: str, outcome: Outcome) -> str:
    try:
        result = call()
        outcome.counts[name + "gives a result"] += 1
        return "" if name != "render " or isinstance(result, str) else f"a {type(result).__name__} comes out"
    except TailraceError as error:
        outcome.counts[name + "is refused"] += 1
        return _foreign_words(str(error), template)
    except BaseException as error:  # the very thing that must not happen
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{name}{type(error).__name__}: {error}"


def _foreign_words(message: str, template: str) -> str:
    told = " ".join(line for line in message.split("\n") if line.strip() and line.strip()[:40] not in template)
    found = FOREIGN.search(told)
    return f"the message says `{found.group()}`: {message}" if found and found.group() not in template else ""


def _progress(number: int, outcome: Outcome) -> None:
    sys.stderr.write(f"\r{number:>8} inputs, {len(outcome.problems)} problems, slowest {outcome.slowest:.2f} s")


def main(count: int, seed: int) -> int:
    started = perf_counter()
    outcome = run(count, seed, progress=True)
    sys.stdout.write(f"\n{count} inputs, seed {seed}, {perf_counter() - started:.0f} s\n")
    for what, number in sorted(outcome.counts.items()):
        sys.stdout.write(f"{number:>8} {what}\n")
    sys.stdout.write(f"slowest {outcome.slowest:.2f} s, {len(outcome.problems)} problems\n")
    for number, template, problem in outcome.problems[:50]:
        sys.stdout.write(f"\n#{number} {template!r}\n  {problem}\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1))
