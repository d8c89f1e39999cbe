"""Each text that is not YAML: where it is wrong, what is wrong, what was expected, what to do."""

from __future__ import annotations

from typing import Any

import pytest

from core.loading import load_flow

CASES = {
    "a: {{ x }}": """\
f:1:4: an expression that begins a value must stand in quotes
  expected: "{{ … }}"
  to do: put quotes around the whole value""",
    "a: {{ x }} and more": """\
f:1:4: an expression that begins a value must stand in quotes
  expected: "{{ … }}"
  to do: put quotes around the whole value""",
    "a:\n  - {{ x | f('q') }}": """\
f:2:5: an expression that begins a value must stand in quotes
  expected: "{{ … }}"
  to do: put quotes around the whole value""",
    "a: b: c": """\
f:1:5: a `:` stands where no value can begin
  expected: one `key: value` in a line, indented like its neighbours
  to do: put quotes around a text that contains `: `""",
    "a: 1\n  b: 2": """\
f:2:4: a `:` stands where no value can begin
  expected: one `key: value` in a line, indented like its neighbours
  to do: put quotes around a text that contains `: `""",
    "a:\n  - b\n c: 1": """\
f:3:2: this does not fit into the map that began in line 1
  expected: `key: value`, indented like the other keys of the map
  to do: check the indentation and the quotes""",
    "- a\nb: 1": """\
f:2:1: this does not fit into the list that began in line 1
  expected: `- ` at the indentation of the list's other elements
  to do: check the indentation""",
    "a:\n\tb: 1": """\
f:2:1: a tab stands where YAML wants spaces
  expected: spaces for indentation
  to do: replace the tab by spaces""",
    "a: @x": """\
f:1:4: a text can't begin with `@`
  expected: quotes around the text
  to do: put quotes around the value: '@…'""",
    "a: 'x\nb: 1\n": """\
f:3:1: the quoted text that began in line 1 is not closed
  expected: a closing quote
  to do: inside single quotes a quote is written twice: 'it''s'""",
    'a: "\\q"': """\
f:1:5: `\\q` is no escape in a double-quoted text
  expected: `\\\\` for a backslash
  to do: or use single quotes""",
    "a: [1, 2\nb: 1": """\
f:2:2: the list that began in line 1 is not closed
  expected: `,` or `]`""",
    "a: {b: 1\nc: 1": """\
f:2:2: the map that began in line 1 is not closed
  expected: `,` or `}`""",
    "a: [": """\
f:2:1: a value is missing here
  expected: a value, or the `]` or `}` that ends the list or the map
  to do: put quotes around a text that begins with `,`, `]` or `}`""",
    "a: ,b": """\
f:1:4: a value is missing here
  expected: a value, or the `]` or `}` that ends the list or the map
  to do: put quotes around a text that begins with `,`, `]` or `}`""",
    "a: >x\n  y": """\
f:1:5: text stands behind the `|` or `>` that begins a text of lines
  expected: the text on the next lines, indented
  to do: begin a new line before the text""",
    "a: - b": """\
f:1:4: a list can't begin behind its key
  expected: `- ` on a line of its own
  to do: begin a new line before the `-`, or put quotes around the text""",
    "a: 1\na: 2": """\
f:2:1: Duplicate field 'a': it stands twice in the same map
  expected: every key once""",
    "a: *b": """\
f:1:4: there is no anchor `&b` above this line
  expected: an alias of an anchor that was set before
  to do: put quotes around it if `*b` is meant as text""",
    "a: &b [*b]": """\
f:1:8: there is no anchor `&b` above this line
  expected: an alias of an anchor that was set before
  to do: put quotes around it if `*b` is meant as text""",
    "<<: 1": """\
f:1:5: `<<` does not name a map
  expected: an alias of a map, or a list of such aliases""",
    "? [a]\n: b": """\
f:1:3: a key is not a text
  expected: `key: value`""",
    "a: !python/object x": """\
f:1:4: the tag `!python/object` has no meaning here
  expected: a value without a tag
  to do: remove `!python/object`""",
    "a: !!set {b}": """\
f:1:4: the tag `!!set` has no meaning here
  expected: a value without a tag
  to do: remove `!!set`""",
    "a: !!int b": "f:1:4: `b` is not what its tag `!!int` says",
    "a: 1\n---\nb: 1\n": """\
f:2:1: a second document begins here
  expected: one document in a file
  to do: remove the `---`""",
    "%YAML 1.3\n---\na: 1": """\
f:1:1: this version of YAML can't be read
  expected: YAML 1.1 or 1.2
  to do: remove the `%YAML` line""",
    "a: é\nb: x\0y": """\
f:2:5: the character U+0000 can't stand in a YAML text
  expected: printable characters
  to do: remove it, or write it as "\\u0000" in double quotes""",
    "a: \x07": """\
f:1:4: the character U+0007 can't stand in a YAML text
  expected: printable characters
  to do: remove it, or write it as "\\u0007" in double quotes""",
    b"a: \xe9": """\
f:1:4: the text is not UTF-8
  expected: a text encoded in UTF-8
  to do: save the file as UTF-8""",
    "a: 1".encode("utf-16"): """\
f:1:1: the text is not UTF-8
  expected: a text encoded in UTF-8
  to do: save the file as UTF-8""",
    "": """\
f:1:1: the file is empty
  expected: a map with `id`, `namespace` and `tasks`
  to do: begin with `id: my_flow`""",
    "- a": """\
f:1:1: a list is not a flow
  expected: a map with `id`, `namespace` and `tasks`
  to do: begin with `id: my_flow`""",
}


@pytest.mark.parametrize(("text", "message"), CASES.items(), ids=[repr(text) for text in CASES])
def test_what_is_not_yaml_is_explained_with_its_place(text: str | bytes, message: str, registry: Any) -> None:
    loaded = load_flow(text, registry, "f")

    assert loaded.flow is None
    assert [str(problem) for problem in loaded.problems] == [message]
