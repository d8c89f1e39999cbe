"""Templates that would take for ever, or all of the memory, or what is none of their business.

Run as a program it renders those whose names are given, as a flow would (with a helper process), and prints one line
of JSON for each: what it ended with, the seconds it took (computing, and waiting for the helper, but not for a
processor that others use), and by how many bytes the process grew meanwhile at most.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VARIABLES: dict[str, Any] = {
    "n": 1_000_000_000_000,
    "big": "x" * 8_000_000,
    "wide": "€" * 4_000_000,
    "name": "a" * 1_000_000,
    "as": "a" * 40 + "!",
    "digits": "1" * 200 + "x",
    "list": list(range(600_000)),
    "lists": [[number, 0] for number in range(5_000)],
    "turned": [[0, number] for number in range(1, 5_000)],
    "marks": "é" + "\u0301\u0316" * 100_000 + " a",
    "floats": [float(number * 7919 % 999_983) for number in range(100_000)],
    "map": {"alpha": 1, "beta": 2, "a" * 5000: 3},
    "self": "{{ render(self) }}",
    "grow": "{{ grow }}{{ grow }}{{ 1 }}",
    "pair": "{{ render(pair) }}{{ render(pair) }}",
    "deep_json": "[" * 500_000,
    "many_json": "[" + "{}," * 4_000_000 + "{}]",
    "yaml_bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(24)),
    "yaml_list": "- a\n" * 1_500_000,
    "yaml_nested": "[" * 100_000,
    "ion_list": "[" + "a," * 3_000_000 + "a]",
    "ion_space": " " * 16_000_000,
    "ion_nested": "{a:" * 100_000,
}  # fmt: skip

_NESTED = "{% set a = 'x' %}{% set l = ['x'] %}{% for i in 1..60 %}{% set l = [l, l] %}{% endfor %}"
_PIECES = "".join(f"big | replace({{'xx': 'x{number}'}}), " for number in range(100))
_BLOCKS = "".join(
    f"{{% block b{number} %}}{{{{ block('b{number + 1}') }}}}{{{{ block('b{number + 1}') }}}}{{% endblock %}}"
    for number in range(40)
)
_MACROS = "".join(
    f"{{% macro m{number}() %}}{{{{ m{number + 1}() }}}}{{{{ m{number + 1}() }}}}{{% endmacro %}}" for number in range(40)
) + "{% macro m40() %}{% endmacro %}"

SIZE = "would produce"
ITEMS = "would make a list of"
TIME = "computes for more than 1 s"
MEMORY = "of memory"
DEEP = "nested too deeply"
JQ_TIME = "the jq program takes more than 1.25 s"
JQ_MEMORY = "the jq program takes more than 256 MB"
PATTERN_TIME = "the regular expression takes more than 1.25 s"

ATTACKS: tuple[tuple[str, str, str], ...] = (
    # sizes
    ("a long range", "{{ range(0, 10000000000) }}", ITEMS),
    ("a long range by a step", "{{ range(0, n, 7) }}", ITEMS),
    ("a long interval", "{{ 1..1000001 }}", ITEMS),
    ("a range to a number of a billion digits", "{{ range(0, '1e999999999' | number('BIGDECIMAL')) }}", "can't be the border of a range"),
    ("a repeated text", "{{ 'a'.repeat(1000000000) }}", SIZE),
    ("joined texts", "{{ big ~ big ~ big }}", SIZE),
    ("added texts", "{{ big + big + big }}", SIZE),
    ("interpolated texts", '{{ "#{big}#{big}#{big}" }}', SIZE),
    ("doubled in a loop", "{% set a = 'x' %}{% for i in 1..60 %}{% set a = a ~ a %}{% endfor %}", SIZE),
    ("many prints", "{{ big }}{{ big }}{{ big }}", SIZE),
    ("prints in a loop", "{% for i in 1..100000 %}{{ name }}{% endfor %}", "an expression "),
    ("a wide indent", "{{ \"a\nb\" | indent(2000000000) }}", SIZE),
    ("a long prefix", "{{ \"a\nb\nc\" | nindent(9, big) }}", SIZE),
    ("a replacement that grows", "{{ big | replace({'x': 'xyz'}) }}", SIZE),
    ("an empty text replaced", "{{ big | replace({'': big}) }}", SIZE),
    ("a pattern's replacement that grows", "{{ name | replace({'a': name}, regexp=true) }}", SIZE),
    ("a group repeated by its replacement", "{{ name | replace({'(a+)': '$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1'}, regexp=true) }}", SIZE),
    ("too many matches", "{{ big | replace({'x': 'y'}, regexp=true) }}", "matches more than 500,000 times"),
    ("a method's replacement", "{{ name.replace('a', name) }}", SIZE),
    ("joined with long texts", "{{ list | join(name) }}", SIZE),
    ("a text split to characters", "{{ big | split('') }}", "matches more than 500,000 times"),
    ("lists added", "{{ list + list }}", ITEMS),
    ("lists merged", "{{ list | merge(list) }}", ITEMS),
    ("lists flattened", "{{ [list, list] | flatten }}", ITEMS),
    ("a list of large texts", "{{ [" + _PIECES + "1] | length }}", "an expression "),
    ("large texts kept by name", "{% for i in 1..1000 %}{% set all = (all ?? []) + [wide ~ i] %}{% endfor %}", MEMORY),
    ("base64 of base64", "{{ big | base64encode | base64encode | base64encode }}", SIZE),
    ("a number of a billion digits", "{{ '1e999999999' | number('BIGDECIMAL') }}", SIZE),
    ("the sign of a number of a billion digits", "{{ (-('1e999999999' | number('BIGDECIMAL')) | abs) ~ '' }}", SIZE),
    ("sums of numbers of a billion digits", "{{ ('1e999999999' | number('BIGDECIMAL')) * ('1e999999999' | number('BIGDECIMAL')) }}", "gives no number"),
    ("a number formatted to a billion digits", "{{ ('1e999999999' | number('BIGDECIMAL')) | numberFormat('0') }}", SIZE),
    ("a long number format", "{{ 1 | numberFormat('0'.repeat(1000000)) }}", "the number pattern is too long"),
    ("a number of a million digits", "{{ '9'.repeat(1000000) | number('BIGINTEGER') }}", "too long for a number"),
    ("a large whole number", "{{ 99999999999999999999999999 }}", "too large"),
    ("a long date pattern", "{{ '2024-02-29' | date('y'.repeat(1000000)) }}", "the date pattern is too long"),
    ("a wide date field", "{{ '2024-02-29' | date('y'.repeat(1000)) }}", ""),
    ("a date far away", "{{ '2024-02-29' | dateAdd(9000000000000000000, 'YEARS') }}", ""),
    ("a long random text", "{{ nanoId(1000000000) }}", "1 to 1000"),
    ("a text changed character by character", "{{ big | title }}", "characters one by one"),
    # nesting
    ("many parentheses", "{{ " + "(" * 50_000 + "1" + ")" * 50_000 + " }}", DEEP),
    ("many lists", "{{ " + "[" * 50_000 + "]" * 50_000 + " }}", DEEP),
    ("many maps", "{{ " + "{'a':" * 50_000 + "1" + "}" * 50_000 + " }}", "characters inside of its braces"),
    ("many signs", "{{ " + "-" * 100_000 + "1 }}", DEEP),
    ("many conditions", "{{ " + "true ? " * 10_000 + "1" + " : 0" * 10_000 + " }}", DEEP),
    ("many operands", "{{ " + "1 + " * 30_000 + "1 }}", DEEP),
    ("many filters", "{{ 'a'" + " | upper" * 20_000 + " }}", DEEP),
    ("a long path", "{{ x" + ".y" * 50_000 + " }}", DEEP),
    ("many statements", "{% if true %}" * 20_000 + "{% endif %}" * 20_000, "characters inside of its braces"),
    ("texts inside of texts", "{{ " + '"#{' * 10_000 + "1" + '}"' * 10_000 + " }}", ""),
    ("a gigantic list in a template", "{{ [" + "1," * 4_000_000 + "1] }}", "characters inside of its braces"),
    ("a gigantic template", "{{ 1 }}" * 1_500_000, "characters inside of its braces"),
    ("a gigantic text", "x" * 17_000_000 + "{{ 1 }}", SIZE),
    ("a list of itself, printed", _NESTED + "{{ l }}", "an expression "),
    ("a list of itself, as JSON", _NESTED + "{{ l | toJson }}", "an expression "),
    ("a list of itself, as YAML", _NESTED + "{{ l | yaml }}", "an expression "),
    ("a list of itself, as Ion", _NESTED + "{{ l | toIon }}", "an expression "),
    ("a list of itself, rendered", _NESTED + "{{ render(l) }}", TIME),
    ("a list of itself, replaced", _NESTED + "{{ l | replace({'x': 'y'}) }}", "an expression "),
    ("a list of itself, compared", _NESTED + "{% set m = ['x'] %}{% for i in 1..60 %}{% set m = [m, m] %}{% endfor %}{{ l == m }}", "compares more than"),
    ("a list of itself, in jq", _NESTED + "{{ l | jq('.') }}", "an expression "),
    # time
    ("loops in loops", "{% for i in 1..1000 %}{% for j in 1..1000 %}{% for k in 1..1000 %}{% endfor %}{% endfor %}{% endfor %}", "more than"),
    ("a loop over large texts", "{% for i in 1..900000 %}{% set a = big | upper | sha256 %}{% endfor %}", TIME),
    ("macros that call themselves", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", DEEP),
    ("macros that call others twice", _MACROS + "{{ m0() }}", "more than"),
    ("blocks that print others twice", _BLOCKS, "more than"),
    ("a text that renders itself", "{{ render(self) }}", "calls itself more than"),
    ("a text that renders itself twice", "{{ render(pair) }}", ""),
    ("a text that grows with each round", "{{ render(grow) }}", ""),
    ("lists subtracted", "{{ (lists - turned) | length }}", "compares more than"),
    ("a list searched for a list", "{{ lists contains lists }}", "compares more than"),
    ("unlike lists made distinct", "{{ lists | distinct | length }}", "compares more than"),
    ("a name sought among similar ones", "{{ map['alph' ~ name] }}", "is undefined"),
    ("a name of millions of letters", "{{ map[big] }}", "`map.xxx"),
    ("a time zone of millions of letters", "{{ '2024-02-29T10:00:00Z' | date('yyyy', timeZone=big) }}", "there is no time zone"),
    # documents
    ("deep JSON", "{{ fromJson(deep_json) }}", DEEP),
    ("JSON of millions of maps", "{{ fromJson(many_json) | length }}", "the JSON text holds more than"),
    ("a long YAML list", "{{ yaml(yaml_list) | length }}", ""),
    ("deep YAML", "{{ yaml(yaml_nested) }}", ""),
    ("a long Ion list", "{{ fromIon(ion_list) | length }}", ""),
    ("Ion of blanks", "{{ fromIon(ion_space) }}", "an empty text is not Ion"),
    ("deep Ion", "{{ fromIon(ion_nested) }}", ""),
    # jq
    ("jq: a long range", "{{ 1 | jq('ra' ~ 'nge(1e12)') }}", ITEMS),
    ("jq: a range collected", "{{ 1 | jq('[ra' ~ 'nge(1e12)]') }}", "the jq program takes more than"),
    ("jq: no end", "{{ 1 | jq('def f: f; ' ~ 'f') }}", JQ_TIME),
    ("jq: repeated for ever", "{{ 1 | jq('[limit(1e9; ' ~ 'repeat(1))]') }}", "the jq program takes more than"),
    ("jq: recursion", "{{ 1 | jq('def f: 1 + f; ' ~ 'f') }}", "the jq program takes more than"),
    ("jq: a deep list", "{{ 1 | jq('reduce range(1000000) as $x (null; ' ~ '[.])') }}", "the jq program takes more than"),
    ("jq: a long text", "{{ 1 | jq('\"a\" * ' ~ '1e9') }}", JQ_MEMORY),
    ("jq: a huge program", "{{ 1 | jq('1 + '.repeat(1000000) ~ '1') }}", "the jq program has"),
    ("jq: its own regular expressions", "{{ [as ~ as] | jq('.[0] | test(\"(a|a|b?)*$\"; ' ~ '\"g\")') }}", ""),
    ("jq: an index far away", "{{ [] | jq('.[500000000] = ' ~ '1') }}", "the jq program takes more than"),
    ("jq: in a rendered text", "{{ render(\"{{ 1 | jq('def f: f; f') }}\") }}", JQ_TIME),
    ("jq: a module", "{{ 1 | jq('import \"passwd\" as $d {search: \"/etc\"}; $d') }}", "modules can't be loaded"),
    ("jq: a module behind a comment", "{{ 1 | jq('# harmless\n  include \"a\"; 1') }}", "modules can't be loaded"),
    # regular expressions
    ("a pattern that tries for ever", "{{ as | split('(a+' ~ ')+$') }}", PATTERN_TIME),
    ("a pattern that tries for ever, replaced", "{{ as | replace({('(a|a)' ~ '*$'): 'x'}, regexp=true) }}", PATTERN_TIME),
    ("a pattern in a rendered text", "{{ render(\"{{ as | split('(a+)+$') }}\") }}", PATTERN_TIME),
    ("a long pattern", "{{ as | split('(a|b)'.repeat(100000)) }}", "the regular expression has"),
    ("a pattern of many groups", "{{ as | split('('.repeat(5000) ~ ')'.repeat(5000)) }}", ""),
    ("a date read in many ways", "{{ digits | date('yyyy', existingFormat='[d][H]'.repeat(60)) }}", "can't be read as a date"),
    ("a date with many years", "{{ digits | date('yyyy', existingFormat='y-M-'.repeat(60)) }}", "the date pattern names the year"),
    # Python
    ("a class", "{{ as.__class__ }}", "is undefined"),
    ("the class of a class", "{{ ''['__class__']['__mro__'] }}", "is undefined"),
    ("the format of texts", "{{ '{0.__class__}'.format(as) }}", "is undefined"),
    ("the globals of a function", "{{ range.__globals__ }}", "is undefined"),
    ("a map's own methods", "{{ map.pop('alpha') }}", "is undefined"),
    ("the loop's insides", "{% for i in [1] %}{{ loop.__init__ }}{% endfor %}", "is undefined"),
    ("an import", "{% import 'os' as os %}", "does not exist in this language"),
)  # fmt: skip

HARMLESS: tuple[tuple[str, str, str], ...] = (
    ("a letter with very many marks", "{{ marks | slugify }}", "e-a"),
    ("YAML that refers to itself", "{{ yaml(yaml_bomb) | length }}", "25"),
    ("jq: many parentheses", "{{ 1 | jq('('.repeat(4000) ~ '1' ~ ')'.repeat(4000)) }}", "[1]"),
    ("jq: the environment", "{{ 1 | jq('[env, $ENV] | map(has(\"SECRET_TOKEN\"))') | first }}", "[false,false]"),
    ("many numbers sorted", "{{ floats | sort | first }}", "0.0"),
    ("many numbers subtracted", "{{ (floats - floats) | length }}", "0"),
    ("many numbers sought", "{{ list contains floats }}", "false"),
    ("many numbers made distinct", "{{ floats | distinct | length }}", "100000"),
    ("a separator that is computed", "{{ 'a,b' | split(',' ~ '') }}", '["a","b"]'),
    ("an unknown name beside long ones", "{{ map.gamma ?? map['be' ~ 'ta'] }}", "2"),
)
"""What looks the same and is not: its answer, as fast and as small."""


def main(names: list[str]) -> None:
    from core.errors import TailraceError
    from core.expressions import Renderer
    from core.work.helper import Helper

    table = {name: template for name, template, _ in (*ATTACKS, *HARMLESS)}
    os.environ["SECRET_TOKEN"] = "told"
    helper = Helper(os.environ)
    waited = 0.0

    def helped(operation: str, arguments: tuple[Any, ...]) -> Any:
        nonlocal waited
        started, computed = time.monotonic(), time.process_time()
        try:
            return helper(operation, arguments)
        finally:
            waited += time.monotonic() - started - (time.process_time() - computed)

    renderer = Renderer(clock=lambda: datetime(2024, 2, 29, tzinfo=UTC), entropy=os.urandom, helper=helped)
    renderer.render("{{ 1 | jq('.' ~ '') }}{{ '1.5' | number }}{{ yaml('a') }}", {})  # what is imported once is no attack's
    for name in names:
        Path("/proc/self/clear_refs").write_text("5")
        before, started, waited = _memory("VmRSS"), time.process_time(), 0.0
        try:
            message = renderer.render(table[name], VARIABLES)[:100]
            ended = False
        except TailraceError as error:
            message = str(error)
            ended = True
        seconds, grown = time.process_time() - started + waited, _memory("VmHWM") - before
        print(json.dumps([name, ended, message, seconds, grown]), flush=True)
    helper.close()


def _memory(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


if __name__ == "__main__":
    main(sys.argv[1:])
