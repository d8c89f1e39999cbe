"""Where secrets come from, and that they go nowhere else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from core.errors import Invalid, NotFound, Unreachable
from core.model.codec import SecretText
from core.work.secrets import Redactor, Secrets


def redactor(**values: str) -> Redactor:
    made = Redactor(Secrets({f"SECRET_{name}": base64.b64encode(value.encode()).decode() for name, value in values.items()}))  # fmt: skip
    for name in values:
        made.get(name)
    return made


def test_a_file_stands_before_the_environment(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# comment\n\nexport A='one two'\nb = \"x=y\"\nEMPTY=\nHASH=a#b\nQUOTE=\"\nUML=ü\n", "utf-8"
    )  # fmt: skip
    secrets = Secrets({"SECRET_A": "environment", "SECRET_C": "plain"}, path)
    found = {name: secrets.get(name) for name in ("a", "A", "b", "EMPTY", "HASH", "QUOTE", "c", "UML")}
    assert found == {
        "a": "one two", "A": "one two", "b": "x=y", "EMPTY": "", "HASH": "a#b", "QUOTE": '"', "c": "plain", "UML": "ü",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "value"),
    [("cGxhaW4=", "plain"), ("plain text", "plain text"), ("", ""), ("AAAA", "AAAA"), ("w7w=", "ü"),
     ("bGluZQpsaW5l", "line\nline"), ("bGlu\nZQps\naW5l", "line\nline"), ("two\nwords", "two\nwords"), ("not-base64==", "not-base64==")],
)  # fmt: skip
def test_a_variable_may_be_base64_of_text(given: str, value: str) -> None:
    assert Secrets({"SECRET_X": given}).get("x") == value


def test_a_file_that_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text("A=1\nno equals sign\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        Secrets({}, path)
    assert str(caught.value) == f"{path}:2: this is not a secret\n  expected: NAME=value"
    with pytest.raises(Unreachable) as missing:
        Secrets({}, tmp_path / "nope")
    assert str(missing.value) == f"{tmp_path}/nope: the secrets can't be read: no such file or directory"


def test_a_file_that_is_not_text_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_bytes(b"A=\xff\xfe")
    with pytest.raises(Invalid) as caught:
        Secrets({}, path)
    assert str(caught.value) == f"{path}: the secrets can't be read: they are not UTF-8\n  expected: NAME=value"


def test_only_what_was_used_is_hidden() -> None:
    used = redactor(A="alpha")
    used._secrets._environment = {"SECRET_A": "alpha", "SECRET_B": "beta1"}
    assert used.hide("alpha beta1") == "•••• beta1"


def test_the_longest_secret_is_hidden_first() -> None:
    assert redactor(A="pass", B="password1").hide("password1 pass pass1") == "•••• •••• ••••1"


@pytest.mark.parametrize("value", ["abc", "true", "false", "null", ""])
def test_what_stands_everywhere_is_not_hidden(value: str) -> None:
    assert redactor(A=value).hide(f"x {value} y") == f"x {value} y"
    assert redactor(A=value).mark(value) == value


def test_secrets_are_marked_inside_lists_maps_and_texts() -> None:
    marked = redactor(A="alpha", B="beta1").mark({"k": ["alpha", "x beta1alpha y", 1, None], "alpha": "no"})
    assert marked == {
        "k": [SecretText((("A",),)), SecretText(("x ", ("B",), ("A",), " y")), 1, None], "••••": "no",
    }  # fmt: skip
    assert marked["k"][1].reveal(lambda name: {"A": "alpha", "B": "beta1"}[name]) == "x beta1alpha y"


def test_a_member_of_a_json_secret_is_a_secret_too() -> None:
    used = redactor(J='{"user": "admin", "n": 12345, "nested": {"x": 1}}')
    assert [used.get("j", key) for key in ("user", "n", "nested")] == ["admin", "12345", '{"x": 1}']
    assert used.mark("admin 12345") == SecretText((("J", "user"), " ", ("J", "n")))
    with pytest.raises(NotFound) as caught:
        used.get("J", "nope")
    assert str(caught.value) == "Cannot find secret sub-key 'nope' in secret 'J'."
    with pytest.raises(Invalid) as plain:
        redactor(P="plain").get("P", "x")
    assert str(plain.value) == (
        "Failed to read secret sub-key 'x' from secret 'P'. Ensure the secret contains valid JSON value."
    )


def test_a_secret_is_hidden_in_the_forms_that_logs_have() -> None:
    used = redactor(KEY="-----BEGIN KEY-----\nabcdefgh1234\n}\n", QUOTED='pass"word', ENDED="open-sesame\n")
    assert used.hide("abcdefgh1234") == "••••"
    assert used.hide('{"x":"pass\\"word"} pass"word') == '{"x":"••••"} ••••'
    assert used.hide("open-sesame") == "••••"
    assert used.hide("a } b") == "a } b"
