"""The documentation names only what exists, and everything that exists is documented."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import core.host
import core.sdk
import core.testing
from core.builtin.process import ATTEMPT
from core.cli import exit_codes
from core.cli.command import Command, Parser
from core.cli.main import COMMANDS
from core.cli.main import main as program
from core.registry.known import PLANNED, RELEASED
from core.sdk import hooks
from core.settings import Settings
from docs._generator import BY_HAND, reference
from docs._generator.commands import commands
from docs._generator.hooks import specifications
from docs._generator.types import entries
from tests.house.sources import PLUGINS, ROOT, shipped_files, shown, tree

PAGES = tuple(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")]
    if ".venv" not in path.parts
)
HAND_WRITTEN = tuple(page for page in PAGES if "reference" not in page.parts)
TYPES = {name for entry in entries() for name in (entry.name, *entry.aliases)}
VENDORED = {"com.acme.plugin.Shout", "shout.Shout"}
"""Types of the tutorials' own plugin."""
NOBODYS = {"debug.Retrun", "io.kestra.plugin.notifications.slack.SlackIncomingWebhook"}
"""Types that pages show to be refused."""

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PATH = re.compile(r"(?:core|plugins|docs|tests|examples|\.ci)/[\w./*-]+|\w[\w-]*\.(?:md|toml)")
_TYPE = re.compile(r"(?:io\.kestra|com\.acme)\.[\w.]+|(?:debug|log|http|flow|execution|output|scripts|jdbc|runner)"
                   r"(?:\.[a-z]+)*\.[A-Z]\w+")  # fmt: skip
_VARIABLE = re.compile(r"\bTAILRACE_[A-Z_]+\b")
_DOTTED = re.compile(r"core(?:\.[a-z_]+)*(?:\.[A-Za-z_]+)?")

every_page = pytest.mark.parametrize("page", PAGES, ids=shown)
every_written_page = pytest.mark.parametrize("page", HAND_WRITTEN, ids=shown)


@cache
def generated() -> dict[str, str]:
    """The pages of the reference as the code would write them now."""
    return reference()


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def in_backticks(page: Path) -> list[str]:
    return [match[2].strip() for match in _CODE.finditer(prose(page))]


def anchors(page: Path) -> set[str]:
    """Where a link into a page may point, as Git hosts make them of headings."""
    headings = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in _HEADING.findall(text_of(page)))
    return {re.sub(r"\s", "-", heading.strip()) for heading in headings}


# -- what is named exists


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(prose(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


@every_written_page
def test_every_path_exists(page: Path) -> None:
    made_by_readers = {match[1] for _, block in _FENCE.findall(text_of(page)) if (match := _made(block))}
    named = {word for word in in_backticks(page) if _PATH.fullmatch(word)}
    places = (ROOT, page.parent)
    missing = {word for word in named if not any(list(place.glob(word.rstrip("/"))) for place in places)}
    assert missing - made_by_readers - {"settings.toml", "conftest.py"} == set()


def _made(block: str) -> re.Match[str] | None:
    """The file that a block is, in a page whose blocks are files."""
    return re.match(r"# ([\w./-]+\.\w+)\n", block)


@every_written_page
def test_every_type_exists(page: Path) -> None:
    wanted = TYPES | VENDORED
    named = {word for word in _TYPE.findall(text_of(page)) if not word.endswith(".")}
    assert {name for name in named if name not in wanted and not _is_of_a_group(name)} == named & NOBODYS


def _is_of_a_group(name: str) -> bool:
    """`io.kestra.plugin.scripts.python` is no type, but the beginning of some."""
    return any(known.startswith(f"{name}.") for known in TYPES)


@every_written_page
def test_every_module_and_name_exists(page: Path) -> None:
    missing = [word for word in in_backticks(page) if _DOTTED.fullmatch(word) and not _importable(word)]
    assert missing == []


def _importable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        import_module(name)
    except ImportError:
        return bool(module) and hasattr(import_module(module), attribute)
    return True


@every_page
def test_every_variable_exists(page: Path) -> None:
    others = {"TAILRACE_CONFORMANCE", "TAILRACE_ENV_", ATTEMPT}  # the last is for the commands of a task
    assert set(_VARIABLE.findall(text_of(page))) - variables() - others == set()


def variables() -> set[str]:
    """Variables of the environment that Tailrace itself gives a meaning."""
    settings = set(vars(Settings(home=ROOT))) - {"product", "environment"}
    return {f"TAILRACE_{name.upper()}" for name in settings} | {
        f"TAILRACE_DOCKER_{name}" for name in ("VOLUMES", "PRIVILEGED")
    }


@every_written_page
def test_every_command_exists(page: Path) -> None:
    problems = [words for words in _command_lines(text_of(page)) if not _is_command(words)]
    assert problems == []


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("run flow.yaml -i name=Ada --json > run.json", True),
        ("outputs list --flow x | head -3", True),
        ("COMMAND --help", True),
        ("rum flow.yaml", False),
        ("run flow.yaml --fast", False),
        ("outputs find", False),
        ("kv get a b --home DIR", True),
    ],
)
def test_a_wrong_command_is_found(line: str, right: bool) -> None:
    assert [_is_command(words) for words in _command_lines(f"`python -m core {line}`")] == [right]


def _command_lines(text: str) -> Iterator[list[str]]:
    for line in re.findall(r"python -m core ([^`\n]*)", text.replace("\\\n", " ")):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            yield list(lexer)
        except ValueError:  # a quote that the next line closes
            yield line.split()


def _is_command(words: list[str]) -> bool:
    """Whether a command line names a command there is, with options it has."""
    if not words or words[0] in ("COMMAND", "…", "--help", "--version"):
        return True
    found = {command.words: command for _, _, each in commands() for command in each}
    name = " ".join(words[:2]) if " ".join(words[:2]) in found else words[0]
    if name not in found:
        return words[0] in COMMANDS and len(words) == 1
    options = {word.partition("=")[0] for word in _own_words(words) if re.match(r"--?[a-z]", word)}
    return options <= _options(found[name])


def _own_words(words: list[str]) -> list[str]:
    """The words up to what the shell takes for itself."""
    end = next((number for number, word in enumerate(words) if word in ("|", ">", "<", "&&", ";", ")")), len(words))
    return words[:end]


def _options(command: Command) -> set[str]:
    parser = Parser(prog="documented")
    command.configure(parser)
    return {option for action in parser._actions for option in action.option_strings}


def test_every_planned_type_is_still_missing() -> None:
    """What the reference says is to come has not come."""
    names = {f"io.kestra.plugin.{group}{name}" for group, names in PLANNED.items() for name in names}
    assert names & TYPES == set()
    assert {name.removeprefix("tailrace-") for name in RELEASED.values()} <= {plugin.name for plugin in PLUGINS}


# -- what exists is documented


def test_the_reference_is_what_the_code_says() -> None:
    """Otherwise: `python -m docs.generate`."""
    folder = ROOT / "docs" / "reference"
    kept = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.md")}
    assert sorted(kept) == sorted([*generated(), *BY_HAND])
    for name, text in generated().items():
        assert kept[name] == text, f"docs/reference/{name} is not up to date: python -m docs.generate"


def test_every_command_is_documented() -> None:
    headings = _HEADING.findall(generated()["cli.md"])
    assert [command.words for _, _, found in commands() for command in found if command.words not in headings] == []
    for _, _, found in commands():
        for command in found:
            missing = {option for option in _options(command) - {"-h", "--help"} if option not in generated()["cli.md"]}
            assert missing == set(), command.words


def test_only_the_named_command_opens_no_installation() -> None:
    found = {command.words: _options(command) for _, _, each in commands() for command in each}
    assert [words for words, options in found.items() if "--home" not in options] == ["plugins new"]


def test_every_command_can_be_asked_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    for _, _, found in commands():
        for command in found:
            with pytest.raises(SystemExit) as ended:
                program([*command.words.split(), "--help"])
            assert ended.value.code == 0
            assert command.summary in " ".join(capsys.readouterr().out.split())


def test_every_setting_and_variable_is_documented() -> None:
    page = generated()["settings.md"]
    assert {name for name in variables() if f"`{name}`" not in page} == set()
    assert [name for name in sorted(read_variables()) if not re.search(rf"\b{name}\b", page)] == []


def test_every_row_of_settings_expressions_and_exit_codes_says_something() -> None:
    """Words that the code does not hold stand in docs/_generator: this finds those that are missing."""
    rows = [
        row
        for page in ("settings.md", "expressions.md", "errors.md")
        for row in generated()[page].splitlines()
        if row.startswith("| `") and row.endswith("|  |")
    ]
    assert rows == []
    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert {code for code in codes if f"\n| `{code}` | " not in generated()["errors.md"]} == set()


def read_variables() -> set[str]:
    """Names that the code looks up in an environment, as far as they are written out."""
    pattern = re.compile(r"environment(?:\.get\(|\[)\"([A-Z][A-Z_]+)\"|\"([A-Z][A-Z_]+)\" (?:not )?in environment\b")
    found = {name for path in shipped_files() for match in pattern.findall(path.read_text("utf-8")) for name in match}
    return found - {"", "UV_INDEX_STRATEGY", "XDG_CONFIG_DIRS", "XDG_CONFIG_HOME"}  # uv's and pip's own


def test_variables_are_found_in_the_code() -> None:
    assert {"DOCKER_HOST", "PIP_CONFIG_FILE", "XDG_DATA_HOME"} <= read_variables()


def test_every_hook_is_documented() -> None:
    page = generated()["hooks.md"]
    assert sorted(specifications()) == [
        "commands", "record_stores", "storage_backends", "task_runners", "task_types", "triggers",
    ]  # fmt: skip
    assert [name for name in specifications() if f"\n## {name}\n" not in page] == []
    assert str(hooks.API_VERSION) in page


def test_every_hook_is_used_by_a_first_party_plugin() -> None:
    implemented = {
        node.name
        for path in shipped_files()
        if path.name == "__init__.py"
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef)
        and any(getattr(decorator, "id", "") == "hookimpl" for decorator in node.decorator_list)
    }
    assert implemented == set(specifications())


def test_every_type_has_a_page() -> None:
    listed = generated()["types/README.md"]
    for entry in entries():
        assert f"types/{entry.name}.md" in generated()
        assert [name for name in (entry.name, *entry.aliases) if f"`{name}`" not in listed] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [("sdk.md", core.sdk.__all__), ("host.md", core.host.__all__), ("testing.md", core.testing.__all__)],
)
def test_every_name_of_a_door_has_a_section(page: str, names: list[str]) -> None:
    assert [name for name in names if f"\n## {name}\n" not in generated()[page]] == []


def test_every_reference_page_is_listed() -> None:
    index = generated()["README.md"]
    assert [name for name in generated() if "/" not in name and name != "README.md" and f"({name})" not in index] == []


def test_every_room_is_on_the_map_of_the_house() -> None:
    rooms = {shown(path.parent) for path in (ROOT / "core").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}`" not in text_of(ROOT / "README.md")} == set()
    assert {one.name for one in PLUGINS if f"`{one.name}`" not in text_of(ROOT / "README.md")} == set()


def test_every_page_can_be_reached_from_the_readme() -> None:
    waiting, seen = [ROOT / "README.md"], {ROOT / "README.md"}
    while waiting:
        page = waiting.pop()
        for target in _LINK.findall(prose(page)):
            found = (page.parent / target.partition("#")[0]).resolve()
            if found.suffix == ".md" and found not in seen and found.exists():
                seen.add(found)
                waiting.append(found)
    reachable = {ROOT / "docs" / "README.md"} | seen
    assert [shown(page) for page in PAGES if page not in reachable and "plugins" not in page.parts] == []
