"""Commands that plugins bring: found, listed, given an installation, and told when they are not there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.main import COMMANDS, main
from core.registry import PluginInfo, Registry

Run = Callable[..., tuple[int, str, str]]
GREET = """
from core.host.deployment import PluginCommand
from core.sdk.hooks import CommandRef, hookimpl


@hookimpl
def commands():
    return (
        CommandRef(f"{__name__}:GREET", "greet", "say hello"),
        CommandRef(f"{__name__}:TENANTS", "tenants", "organizations"),
        CommandRef(f"{__name__}:NOTHING", "nothing", "is not there"),
        CommandRef(f"{__name__}:STRANGE", "strange", "is of another word"),
        CommandRef(f"{__name__}:CLASH", "clash", "takes an option that is taken"),
    )


def configure(parser):
    parser.add_argument("who")
    parser.add_argument("--loud", action="store_true", help="in capitals")


def greet(call):
    text = f"hello {call.args.who}"
    call.out.note("about to greet")
    if call.out.json:
        call.out.data({"text": text})
    else:
        call.out.result(text.upper() if call.args.loud else text)
        call.out.result(call.to_type("greet", call.args.who))
    return 0


def tenants(call):
    with call.open() as deployment:
        call.out.table(("HOME", "MEANT"), [(deployment.home.name, deployment.organization)])
    return 4


GREET = (PluginCommand("greet", "Say hello.", configure, greet, "It is polite."),)
TENANTS = (
    PluginCommand("tenants list", "Every organization.", lambda parser: None, tenants),
    PluginCommand("tenants create", "A new one.", lambda parser: None, tenants),
)
NOTHING = ()
STRANGE = (PluginCommand("other", "Not what was promised.", lambda parser: None, greet),)
CLASH = (PluginCommand("clash", "Clashes.", lambda parser: parser.add_argument("--json"), greet),)
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the plugin of these tests, and nothing installed beside it that has commands."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "greet.py").write_text(GREET, "utf-8")
    monkeypatch.setenv("TAILRACE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("core.registry.load.installed_plugins", lambda cache, group: ())
    return folder


@pytest.fixture
def greet(plugins: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, known by the environment."""
    monkeypatch.setenv("TAILRACE_PLUGINS_DIR", str(plugins))
    return plugins


def test_a_command_of_a_plugin_runs(greet: Path, call: Run) -> None:
    assert call("greet", "you") == (0, "hello you\npython -m core greet you\n", "about to greet\n")
    assert call("greet", "you", "--loud", "--home", "h")[1] == "HELLO YOU\npython -m core greet you --home h\n"


def test_json_is_there_already(greet: Path, call: Run) -> None:
    code, out, _ = call("greet", "you", "--json")

    assert (code, json.loads(out)) == (0, {"text": "hello you"})


def test_the_folder_of_plugins_may_stand_behind_the_command(plugins: Path, call: Run) -> None:
    assert call("greet", "you", "--plugins-dir", str(plugins))[:2] == (
        0, "hello you\npython -m core greet you\n",
    )  # fmt: skip


def test_a_command_of_two_words_gets_the_installation(greet: Path, call: Run, tmp_path: Path) -> None:
    other = str(tmp_path / "elsewhere")

    assert call("tenants", "list", "--home", other) == (4, "HOME       MEANT\nelsewhere  default\n", "")


def test_the_first_word_alone_lists_its_commands(greet: Path, call: Run) -> None:
    listing = (
        "python -m core tenants: organizations\n\n"
        "  list      Every organization.\n  create    A new one.\n\n"
        "python -m core tenants COMMAND --help says more.\n"
    )

    assert call("tenants") == (2, listing, "")
    assert call("tenants", "--help") == (0, listing, "")


def test_an_unknown_second_word_is_told(greet: Path, call: Run) -> None:
    assert call("tenants", "lst") == (
        2, "",
        "error: `tenants` has no command `lst`\n  expected: one of list, create\n  to do: did you mean `list`?\n",
    )  # fmt: skip


def test_a_wrong_option_is_told(greet: Path, call: Run) -> None:
    assert call("greet", "you", "--quietly") == (
        2, "", "error: unrecognized arguments: --quietly\n  to do: python -m core greet --help\n",
    )  # fmt: skip


def test_the_help_of_a_command(greet: Path, call: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["greet", "--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "Say hello." in shown
    assert "It is polite." in shown
    assert all(option in shown for option in ("--loud", "--json", "--home", "--plugins-dir", "--secrets"))


def test_the_overview_shows_the_commands_of_plugins(greet: Path, call: Run) -> None:
    code, out, _ = call("--help")
    words = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]

    assert (code, words) == (0, [*COMMANDS, "clash", "greet", "nothing", "strange", "tenants"])
    assert "  greet       say hello\n" in out


def test_the_overview_is_there_when_the_settings_are_wrong(
    greet: Path, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAILRACE_WORKERS", "none")
    code, out, err = call("--help")

    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == list(COMMANDS)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("nothing", "`greet:NOTHING` is no tuple of PluginCommand"),
        ("strange", "`other` does not belong to it"),
        ("clash", "argument --json: conflicting option string: --json"),
    ],
)
def test_a_command_that_breaks_its_contract_is_told(greet: Path, call: Run, word: str, why: str) -> None:
    code, out, err = call(word, "x")

    assert (code, out) == (1, "")
    assert re.sub(r"tailrace_local_greet\w*", "greet", err) == f"error: the command `{word}` can't be used: {why}\n"


def test_an_unknown_word_names_the_plugins_words_too(greet: Path, call: Run) -> None:
    names = ", ".join([*COMMANDS, "clash", "greet", "nothing", "strange", "tenants"])

    assert call("gret") == (
        2, "", f"error: there is no command `gret`\n  expected: one of {names}\n  to do: did you mean `greet`?\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "distribution"),
    [
        ("server", "tailrace-server"), ("engine", "tailrace-server"), ("api-keys", "tailrace-server"),
        ("records", "tailrace-records-postgres"),
    ],
)  # fmt: skip
def test_a_first_party_command_that_is_not_installed_names_its_distribution(
    plugins: Path, call: Run, word: str, distribution: str
) -> None:
    assert call(word, "--port", "1") == (
        2, "",
        f"error: there is no command `{word}`\n  expected: one of {', '.join(COMMANDS)}\n"
        f"  to do: `{distribution}` brings it: pip install {distribution}\n",
    )  # fmt: skip


def test_a_first_party_command_that_fails_to_load_says_where_the_reason_is(
    plugins: Path, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = PluginInfo("server", "tailrace-server", "0.1.0", "tailrace_server", error="no module")
    monkeypatch.setattr("core.cli.installed.load_registry", lambda *given: Registry({}, {}, (broken,)))

    assert call("server")[2] == (
        f"error: there is no command `server`\n  expected: one of {', '.join(COMMANDS)}\n"
        "  to do: `plugins list` says what is wrong with `server`\n"
    )


def test_plugins_list_shows_what_each_brings(greet: Path, call: Run) -> None:
    assert call("plugins", "list") == (
        0, "NAME   VERSION  BRINGS\ngreet           greet, tenants, nothing, strange, clash\n", "",
    )  # fmt: skip
