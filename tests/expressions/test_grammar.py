"""How templates are read: delimiters, white space, literals, and which operator binds how tightly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.expressions import nodes
from core.expressions.lexer import scan
from core.expressions.parser import Parser
from core.expressions.templates import parse_template


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no expression", "no expression"),
        ("a } b }} c", "a } b }} c"),
        ("{ {x} }", "{ {x} }"),
        ("{{x}}", "X"),
        ("{{ x }}\n", "X\n"),
        ("\n a {{- x -}} \n b", "\n aXb"),
        ("a {{-1}}", "a -1"),
        ("a {# none #} b", "a  b"),
        ("a {#- none -#} b", "ab"),
        ("{{ {'a': {'b': 1}}}}", '{"a":{"b":1}}'),
        ("{{ '}}' }}", "}}"),
        ("{{ '{{ x }}' }}", "{{ x }}"),
        ("{{\n x\n}}", "X"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("a {%- raw -%} {{ x }} {%- endraw -%} b", "a  {{ x }}  b"),
        ("{% raw %}{{ x }}\n{{ y }}{% endraw %}", "{{ x }}\n{{ y }}"),
        ("{% verbatim %}  {{ x }} {% endverbatim %}", "{{ x }} "),
        ("{{ brought }}", "{{ x }}"),
    ],
)
def test_text_and_delimiters(render: Callable[..., str], template: str, expected: str) -> None:
    assert render(template, x="X", brought="{% raw %}{{ x }}{% endraw %}") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", "true"), ("FALSE", "false"), ("null", ""), ("NONE", ""),
        ("5L", "5"), ("1.50", "1.5"), ("9223372036854775807", "9223372036854775807"),
        (r"'a\nb'", r"a\nb"), (r"'\\'", r"\\"), (r"'it\'s'", "it's"), (r'"say \"x\""', 'say "x"'),
        ("'a\nb'", "a\nb"),
        ('"a #{n} b"', "a 3 b"), ('"#{"#{n}" ~ 1}"', "31"), ("'#{n}'", "#{n}"), ('"# {n} #"', "# {n} #"),
        ('"a #{null} b"', "a  b"), ('""', ""),
        ("[]", "[]"), ("[1, [2, 'x']]", '[1,[2,"x"]]'), ("([4, 5])[1]", "5"),
        ("{}", "{}"), ("{'a': 1, 'b' ~ n: 2}", '{"a":1,"b3":2}'), ("{n: 1}", '{"3":1}'), ("({'a': 1}).a", "1"),
    ],
)  # fmt: skip
def test_literals(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", n=3) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("10 - 3 - 2", "5"),
        ("2 * 3 | abs", "6"),
        ("'a' ~ 'b' | upper", "AB"),
        ("null ?? 'a' | upper", "A"),
        ("1 + 1 ~ 'x'", "11x"),
        ("null ?? 0 + 1", "1"),
        ("1 == null ?? 1", "true"),
        ("1..2 ~ ''", "[1, 2]"),
        ("not false and false", "false"),
        ("not 1 == 2", "false"),
        ("not (1 == 2)", "true"),
        ("1 < 2 == true", "true"),
        ("2 + 3 is odd", "true"),
        ("true or true and false", "true"),
        ("[1, 2] contains 1 == true", "false"),
        ("true ? false ? 1 : 2 : 3", "2"),
        ("false ? 1 : false ? 2 : 3", "3"),
        ("-2 | abs", "2"),
        ("- -2", "2"),
        ("-m.n", "-1"),
        ("1 isIn [1, 2] and 3 isNotIn [1, 2]", "true"),
        ("2 is not odd", "true"),
        ("null is not  defined", "true"),
    ],
)
def test_precedence(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", m={"n": 1}) == expected


@pytest.mark.parametrize(
    "expression",
    ["1_000", "1e3", "'a' 'b'", "[1, 2,]", "{'a': 1,}", "()", "x = 1", "1 <> 2", "a || b", "[1][0]", "{'a': 1}.a",
     "x.0", "f(a=1, 2)", "x.f(a=1)", "1 is", "| upper", "a ? b", "'a", '"#{a"', "x[", "9223372036854775808"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(message: Callable[..., str], expression: str) -> None:
    assert "^" in message("{{ " + expression + " }}", x=1)


def _shape(node: Any) -> Any:
    if isinstance(node, nodes.Node):
        return (type(node).__name__, [_shape(each) for each in vars(node).values()])
    return [_shape(each) for each in node] if isinstance(node, tuple) else node


@pytest.mark.parametrize("expression", [" a ", "a.b", "\n outputs.x_1.été ", "if.in.true", "isbn.nothing"])
def test_the_short_way_for_plain_paths_gives_what_the_parser_gives(expression: str) -> None:
    template = "{{" + expression + "}}"
    printed = nodes.Print(Parser(scan(template, 2, "}}").tokens).whole())
    assert _shape(parse_template(template)) == _shape((printed,))


@pytest.mark.parametrize(("expression", "expected"), [("true", "true"), ("null", "")])
def test_the_short_way_leaves_constants_alone(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}", true="a variable") == expected


@pytest.mark.parametrize("word", ["and", "or", "not", "is", "contains", "equals"])
def test_the_name_of_an_operator_is_a_key_only_in_brackets(
    render: Callable[..., str], message: Callable[..., str], word: str
) -> None:
    assert render("{{ x['" + word + "'] }}", x={word: "v"}) == "v"
    assert f"a key that is an operator's name is written ['{word}']" in message("{{ x." + word + " }}", x={word: "v"})
