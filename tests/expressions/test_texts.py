"""Filters on text."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'aé' | upper", "AÉ"), ("[1, 'A'] | lower", "[1, a]"), ("' hello WORLD' | capitalize", " Hello WORLD"),
        ("'hello big WORLD' | title", "Hello Big WORLD"), ("'\n x ' | trim", "x"),
        ("1.5 | string", "1.5"), ("null | string", ""), ("[1] | string", "[1]"),
        ("'hello' | abbreviate(5)", "he..."), ("'hello' | abbreviate(6)", "hello"), ("'hello' | abbreviate(2)", "he"),
        ("'a.b.a' | replace({'a': 'x', '.': '-'})", "x-b-x"),
        (r"'2024-02' | replace({'(\d+)-(\d+)': '$2/$1'}, regexp=true)", "02/2024"),
        (r"'ab' | replace({'(?<x>a)': '[${x}]'}, true)", "[a]b"),
        ("['a', {'k': 'a', 'n': 1}] | replace({'a': 'b'})", '["b",{"k":"b","n":"1"}]'), ("null | replace({'a': 'b'})", ""),
        ("\"it's\" | escapeChar('single')", r"it\'s"), ("'\"' | escapeChar(type='DOUBLE')", r"\""),
        ("\"it's\" | escapeChar('shell')", r"it'\''s"), ("[\"'\", 1] | escapeChar('single')", r'["\\' + "'\"" + ',"1"]'),
        ("'Crème brûlée_A.B/C -- x' | slugify", "creme-brulee-abc-x"),
        ("'abc' | startsWith('ab')", "true"), ("123 | startsWith(12)", "true"), ("'abc' | endsWith('x')", "false"),
        ("'a/b/c' | substringBefore('/')", "a"), ("'a/b/c' | substringBeforeLast('/')", "a/b"),
        ("'a/b/c' | substringAfter('/')", "b/c"), ("'a/b/c' | substringAfterLast('/')", "c"),
        ("'abc' | substringBefore('x')", "abc"), ("'abc' | substringAfter('x')", ""), ("'abc' | substringBefore('')", ""),
        ("'abc' | substringAfter('')", "abc"), ("'abc' | substringAfterLast('')", ""), ("'abc' | substringAfter(null)", ""),
        ("'a\nb\n' | indent(2)", "a\n  b\n  "), ("'a\nb' | nindent(1, '\t')", "\n\ta\n\tb"), ("'' | nindent(3)", ""),
        ("12 | nindent(1)", "\n 12"),
        ("'a,b,,' | split(',')", '["a","b"]'), ("'a,b,,' | split(',', -1)", '["a","b","",""]'),
        ("'a,b,c' | split(',', 2)", '["a","b,c"]'), ("'a.b' | split('.')", "[]"), ("'' | split(',')", '[""]'),
        (r"'a1b22c' | split('\d+')", '["a","b","c"]'), ("'abc' | split('')", '["a","b","c"]'),
        ("'abcd' | slice(1, 3)", "bc"), ("[1, 2, 3] | slice(1)", "[2,3]"), ("'abc' | slice(toIndex=1)", "a"),
        ("'é' | base64encode", "w6k="), ("'w6k' | base64decode", "é"),
        ("'a b&é~*' | urlencode", "a+b%26%C3%A9%7E*"), ("'a+b%26%C3%A9' | urldecode", "a b&é"),
    ],
)  # fmt: skip
def test_filters_on_text(render: Callable[..., str], expression: str, expected: str) -> None:
    assert render("{{ " + expression + " }}") == expected


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 | capitalize", "`text` of `capitalize` is a whole number"),
        ("'a' | replace({'a': null})", "a replacement of `replace` is null"),
        ("'a' | replace({'(': ''}, true)", "`(` is not a regular expression: missing ), unterminated subpattern at position 0"),
        ("'a' | replace({'a': '$'}, true)", "`$` in a replacement stands for a group"),
        ("'a' | replace({'a': '$3'}, true)", "the regular expression has no group 3"),
        ("'a' | escapeChar('html')", "`html` is not a way to escape"),
        ("null | startsWith('a')", "`startsWith` is given null"),
        ("'a' | startsWith(null)", "`value` of `startsWith` is null"),
        ("'a' | substringBefore", "`substringBefore` needs `separator`"),
        ("'a' | indent(-1)", "the amount of an indent is -1"),
        ("'abc' | slice(2, 2)", "there is no slice from 2 to 2"),
        ("'abc' | slice(-1)", "there is no slice from -1 to 3"),
        ("'%%' | base64decode", "the text is not base64"),
        ("'%zz' | urldecode", "the text is not URL-encoded: a `%` is not followed by two hexadecimal digits"),
        ("'a' | trim | lower | split(',', 1, 2)", "`split` is given 3 arguments"),
        ("'a' | default", "`default` takes one argument"),
    ],
)  # fmt: skip
def test_what_filters_on_text_refuse(message: Callable[..., str], expression: str, problem: str) -> None:
    assert message("{{ " + expression + " }}").splitlines()[0] == problem


@pytest.mark.parametrize("name", ["upper", "capitalize", "trim", "slugify", "split(',')", "indent(1)", "urlencode", "md5"])
def test_null_gives_null(render: Callable[..., str], name: str) -> None:
    assert render("{{ (null | " + name + ") is null }}") == "true"


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("md5", "5d41402abc4b2a76b9719d911017c592"),
        ("sha1", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    ],
)
def test_digests(render: Callable[..., str], name: str, digest: str) -> None:
    assert render("{{ 'hello' | " + name + " }}") == digest
    assert len(render("{{ 'hello' | sha512 }}")) == 128
