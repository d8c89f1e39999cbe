"""How compiling and rendering compare with Jinja2, and `jq` with the package alone; all ratios of one and the same run.

Usage: python tests/benchmarks/expressions.py [ROUNDS]. Each pair is timed in turn, in many short repeats; the best of
each counts, which is what the code takes when nothing else runs. Jinja2 is needed for this script only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import jinja2
import jq  # type: ignore[import-not-found]

from core.expressions import Renderer
from core.expressions.bodies import compile_body
from core.expressions.templates import parse_template

Timed = Callable[[], object]
SECONDS = 0.002
"""How long one repeat takes, about."""
VARIABLES: dict[str, Any] = {
    "outputs": {"a": {"b": "text", "value": "v"}}, "inputs": {"c": "word", "n": 7, "flag": True},
    "items": [f"item-{number}" for number in range(10)], "numbers": list(range(10)), "many": list(range(1000)),
}  # fmt: skip
PROPERTY = "{{ outputs.a.b }} and {{ inputs.c | upper }}"
PATH = "{{ outputs.a.value }}"
RENDERED = {
    "a path": (PATH, PATH),
    "a property": (PROPERTY, PROPERTY),
    "text around": ("select * from t where id = '{{ inputs.c }}' limit {{ inputs.n }}",) * 2,
    "filters": ("{{ inputs.c | upper | lower | title | trim }}",) * 2,
    "a choice": ("{{ inputs.n > 5 ? 'many' : 'few' }}", "{{ 'many' if inputs.n > 5 else 'few' }}"),
    "arithmetic": ("{{ (inputs.n + 1) * 2 }}",) * 2,
    "concatenation": ("{{ 'a-' ~ inputs.c ~ '-' ~ inputs.n }}",) * 2,
    "if": ("{% if inputs.flag and inputs.n > 5 %}yes{% else %}no{% endif %}",) * 2,
    "set": ("{% set x = inputs.n + 1 %}{{ x }} {{ x }}",) * 2,
    "loop of 10": ("{% for e in items %}{{ e }},{% endfor %}",) * 2,
    "loop of 10 with loop.last": ("{% for e in items %}{{ e }}{% if not loop.last %},{% endif %}{% endfor %}",) * 2,
    "loop of 10 with if and filter": (
        "{% for e in numbers %}{% if e > 4 %}<{{ e }}>{% else %}{{ inputs.c | upper }}{% endif %}{% endfor %}",
    ) * 2,
    "loop of 1 000": ("{% for e in many %}{{ e }} {% endfor %}",) * 2,
    "loop in a loop": ("{% for a in items %}{% for b in numbers %}{{ a }}{{ b }}{% endfor %}\n{% endfor %}",) * 2,
}  # fmt: skip


def main(rounds: int) -> None:
    environment = jinja2.Environment(keep_trailing_newline=True)
    print(f"{'':38}{'ours':>10}{'other':>10}{'ratio':>8}{'wanted':>8}")
    for name, template, wanted in (("compile a property", PROPERTY, 1 / 4), ("compile a path", PATH, 1 / 20)):
        _compare(name, _compiling(template), lambda: environment.from_string(PROPERTY), wanted, rounds)
    renderer = Renderer()
    for name, (ours, theirs) in RENDERED.items():
        compiled = environment.from_string(theirs)
        if renderer.render(ours, VARIABLES) != compiled.render(VARIABLES):
            raise SystemExit(f"{name}: the results differ")
        _compare(f"render {name}", _rendering(renderer, ours), _their_rendering(compiled), 1.5, rounds)
    _jq(renderer, max(5, rounds // 10))


def _compiling(template: str) -> Timed:
    return lambda: compile_body(parse_template(template))


def _rendering(renderer: Renderer, template: str) -> Timed:
    return lambda: renderer.render(template, VARIABLES)


def _their_rendering(template: jinja2.Template) -> Timed:
    return lambda: template.render(VARIABLES)


def _jq(renderer: Renderer, rounds: int) -> None:
    """1 MB of JSON: as a value and as its text, through a path and through a program."""
    rows = [
        {"id": number, "name": f"name {number}", "rate": number / 7, "tags": ["a", "b"]} for number in range(14_000)
    ]
    value = {"rows": rows}
    text = json.dumps(value)
    for program in (".rows[13000].name", "[.rows[] | select(.id % 1000 == 0) | .name]", ".rows | map(.rate) | add"):
        alone = jq.compile(program)
        for given, call in ((value, _alone(alone.input_value, value)), (text, _alone(alone.input_text, text))):
            template = "{{ x | jq('" + program + "') }}"
            kind = "value" if given is value else "text"
            ours = _typed(renderer, template, {"x": given})
            _compare(f"jq on 1 MB of {kind}: {program[:12]}", ours, call, 1.3, rounds)


def _alone(given: Callable[[Any], Any], value: object) -> Timed:
    return lambda: given(value).all()


def _typed(renderer: Renderer, template: str, variables: dict[str, Any]) -> Timed:
    return lambda: renderer.render_typed(template, variables)


def _compare(name: str, ours: Timed, other: Timed, wanted: float, rounds: int) -> None:
    best = [min(_once(each, _times(each)) for _ in range(2)) for each in (ours, other)]
    times = [max(1, int(SECONDS / each)) for each in best]
    for _ in range(rounds):
        for number, each in enumerate((ours, other)):
            best[number] = min(best[number], _once(each, times[number]))
    ratio = best[0] / best[1]
    print(
        f"{name:38}{best[0] * 1e6:9.1f}µ{best[1] * 1e6:9.1f}µ{ratio:8.3f}{wanted:8.2f}{'' if ratio <= wanted else '  !'}"
    )


def _times(call: Timed) -> int:
    return max(1, int(SECONDS / max(_once(call, 1), 1e-7)))


def _once(call: Timed, times: int) -> float:
    started = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - started) / times


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
