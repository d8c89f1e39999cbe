"""How pages are read: a page that says something else than what is printed is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import Block, follow, matches


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a  b"], "a b\n", True),
        (["a b"], "a c\n", False),
        (["a …"], "a b c\n", True),
        (["a …", "d"], "a b\nd\n", True),
        (["…", "d"], "a\nb\nd\n", True),
        (["…", "d"], "d\n", True),
        (["a", "…"], "a\n", True),
        (["a"], "a\nb\n", False),
        (["a", "b"], "a\n", False),
        ([], "", True),
        ([], "a\n", False),
        (["(x|y) …s"], "(x|y) 0.1s\n", True),
        (["(x|y)"], "x\n", False),
    ],
)
def test_what_is_shown_is_compared(shown: list[str], printed: str, same: bool) -> None:
    assert matches(shown, printed) is same


def test_a_block_is_a_file_when_it_begins_with_a_path() -> None:
    assert Block("yaml", "# a/b.yaml\nid: x\n").path == "a/b.yaml"
    assert Block("yaml", "# a comment\nid: x\n").path == ""
    assert Block("yaml", "id: x\n").path == ""


def test_commands_stand_behind_a_dollar() -> None:
    block = Block("console exit=2 network", "$ one\nprints\n$ two $ x\n")
    assert block.commands == [("one", ["prints"]), ("two $ x", [])]
    assert (block.exit_code, block.needs_network) == (2, True)


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ("console", "$ cat a.txt\nother\n"),
        ("console", "$ cat b.txt\n…\n"),
        ("console exit=1", "$ cat a.txt\n# a.txt\n"),
    ],
)
def test_a_page_that_is_wrong_is_found(tmp_path: Path, info: str, text: str) -> None:
    page = [Block("text", "# a.txt\n"), Block(info, text)]
    with pytest.raises(AssertionError, match=r"^\$ cat"):
        list(follow(page, tmp_path, {"PATH": "/usr/bin:/bin"}))


def test_a_page_that_is_right_is_followed_to_its_end(tmp_path: Path) -> None:
    page = [Block("text", "# d/a.txt\n"), Block("console", "$ cat d/a.txt\n# d/a.txt\n"), Block("console", "$ true\n")]
    assert list(follow(page, tmp_path, {"PATH": "/usr/bin:/bin"})) == ["cat d/a.txt", "true"]
