"""Which command is meant, and how errors end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from core.cli.command import Parser
from core.cli.main import COMMANDS, main
from core.errors import (
    Conflict,
    Forbidden,
    Interrupted,
    Invalid,
    NotFound,
    PluginError,
    TailraceError,
    TaskFailed,
    TooLarge,
    Unreachable,
)  # fmt: skip
from core.settings import Product

Run = Callable[..., tuple[int, str, str]]


def test_without_a_command_there_is_a_list_of_them(no_plugins: None, call: Run) -> None:
    code, out, _ = call()

    assert code == 2
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == list(COMMANDS)
    assert call("--help")[0] == 0


def test_somebody_elses_product_has_its_own_names(
    no_plugins: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    product = Product("acme-flow", "Acme Flow", "acme-flow", "ACME_", "acme_", "3.2")
    monkeypatch.setenv("ACME_HOME", str(tmp_path / "theirs"))
    monkeypatch.setenv("TAILRACE_HOME", str(tmp_path / "ours"))

    assert main(["--version"], product) == 0
    assert main(["frob"], product) == 2
    assert main(["doctor"], product) in (0, 3)

    out, err = capsys.readouterr()
    assert out.startswith("acme-flow 3.2\n")
    assert err.endswith("  to do: acme-flow --help\n")
    assert str(tmp_path / "theirs") in out
    assert str(tmp_path / "ours") not in out


def test_an_unknown_command_is_told_with_near_misses(no_plugins: None, call: Run) -> None:
    code, _, err = call("rnu")

    assert code == 2
    assert err == (
        "error: there is no command `rnu`\n"
        "  expected: one of run, check, outputs, executions, eval, files, kv, flows, plugins, schema, doctor, demo\n"
        "  to do: did you mean `run`?\n"
    )


def test_an_unknown_second_word_is_told_with_near_misses(app: Any, call: Run) -> None:
    assert call("kv", "lst") == (
        2,
        "",
        "error: `kv` has no command `lst`\n"
        "  expected: one of get, set, list, delete\n"
        "  to do: did you mean `list` or `set`?\n",
    )


def test_a_first_word_alone_lists_its_commands(app: Any, call: Run) -> None:
    code, out, _ = call("outputs")

    assert code == 2
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == ["list", "show", "get", "diff", "export"]
    assert call("outputs", "--help")[0] == 0


def test_an_option_before_the_command_is_refused(call: Run) -> None:
    assert call("--home", "x", "run") == (
        2, "", "error: `--home` stands before the command\n  expected: python -m core COMMAND --home\n",
    )  # fmt: skip


def test_a_wrong_option_is_a_short_message(app: Any, call: Run) -> None:
    assert call("run", "flow.yaml", "--nonsense") == (
        2, "", "error: unrecognized arguments: --nonsense\n  to do: python -m core run --help\n",
    )  # fmt: skip


def test_options_are_never_abbreviated(app: Any, call: Run) -> None:
    assert call("outputs", "list", "--lim", "5")[0] == 2


@pytest.mark.parametrize("word", COMMANDS)
def test_every_command_of_the_table_has_its_module(app: Any, word: str) -> None:
    found = import_module(f"core.cli.commands.{word}").COMMANDS

    assert {command.words.split()[0] for command in found} == {word}
    assert all(command.summary.endswith(".") for command in found)


@pytest.mark.parametrize(
    ("error", "code"),
    [(Invalid, 2), (NotFound, 2), (Conflict, 1), (Forbidden, 2), (Unreachable, 3), (TooLarge, 1), (Interrupted, 130),
     (TaskFailed, 1), (PluginError, 1)],
)  # fmt: skip
def test_each_kind_of_error_has_its_exit_code(
    app: Any, call: Run, error: type[TailraceError], code: int
) -> None:
    app.preflight_lines = error("no", where="here", expected="yes", hint="try")

    assert call("run", "f.yaml") == (code, "", "error: here: no\n  expected: yes\n  to do: try\n")


def test_an_error_is_an_object_with_json(app: Any, call: Run) -> None:
    app.preflight_lines = NotFound("no", where="here", expected="yes", hint="try")

    code, out, err = call("run", "f.yaml", "--json")

    assert (code, err) == (2, "error: here: no\n  expected: yes\n  to do: try\n")
    assert json.loads(out) == {
        "error": {"kind": "missing", "message": "no", "where": "here", "expected": "yes", "hint": "try"}
    }


def test_a_mistake_of_the_program_is_one_message_and_a_file_for_its_authors(
    app: Any, call: Run, tmp_path: Path
) -> None:
    app.preflight_lines = ZeroDivisionError("oh")
    home = tmp_path / "my-home"
    home.mkdir()

    code, out, err = call("run", "f.yaml", "-i", "password=s3cret", "--home", str(home))

    (file,) = (home / "crashes").iterdir()
    assert (code, out, err) == (
        70, "",
        f"error: {file}: this is a mistake of Tailrace, not yours: ZeroDivisionError: oh\n"
        "  to do: tell its authors, with that file; what was recorded so far is kept\n",
    )  # fmt: skip
    told = file.read_text("utf-8")
    assert told.splitlines()[1] == "command: run"
    assert "in preflight" in told
    assert "s3cret" not in told


def test_without_a_home_the_file_lies_among_temporary_ones(
    app: Any, call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.preflight_lines = ZeroDivisionError("oh")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    code, out, _ = call("run", "f.yaml", "--home", str(tmp_path / "none"), "--json")

    (file,) = tmp_path.glob("crash-*.txt")
    error = json.loads(out)["error"]
    assert (code, error["kind"], error["where"]) == (70, "internal", str(file))


def test_ctrl_c_outside_a_run_is_silent(app: Any, call: Run) -> None:
    app.preflight_lines = KeyboardInterrupt()

    assert call("run", "f.yaml") == (130, "", "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`python -m core … | head -c 0`."""
    code = "import sys; from core.cli.main import main; sys.exit(main(['--help']))"
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(write)

    assert (ended.returncode, ended.stderr) == (141, b"")


def test_the_installed_script_names_itself(no_plugins: None, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tailrace"])

    assert "usage: tailrace COMMAND" in call("--help")[1]


def test_the_version_is_told(call: Run) -> None:
    assert call("--version")[1] == "tailrace 0.1.0\n"
    assert main(["--version"]) == 0


def test_every_command_whose_result_is_no_file_of_bytes_takes_json() -> None:
    modules = [import_module(f"core.cli.commands.{name}") for name in COMMANDS]
    without = []
    for command in [command for module in modules for command in module.COMMANDS]:
        parser = Parser(prog=command.words)
        command.configure(parser)
        if "--json" not in parser.format_help():
            without.append(command.words)
    assert without == ["files get"]
