"""Settings: who says what, in which order, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import Invalid
from core.settings import load_settings


def test_the_command_line_stands_before_the_environment_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('workers = 2\nrunner = "docker"\nzone = "Europe/Rome"\n', "utf-8")
    environment = {"TAILRACE_HOME": str(tmp_path), "TAILRACE_WORKERS": "3", "TAILRACE_RUNNER": "process"}
    settings = load_settings(environment=environment, workers=4, runner=None)
    assert (settings.home, settings.workers, settings.runner, settings.zone) == (tmp_path, 4, "process", "Europe/Rome")


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    environment = {"TAILRACE_HOME": "", "TAILRACE_PLUGINS_DIR": "", "TAILRACE_WORKERS": "", "XDG_DATA_HOME": "/data"}
    settings = load_settings(environment=environment)
    assert (settings.plugins_dir, settings.workers) == (None, 16)
    assert load_settings(home=tmp_path, environment=environment).home == tmp_path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": "0"}, "setting workers: `0` is not a whole number from 1 up"),
        ({"workers": "²"}, "setting workers: `²` is not a whole number from 1 up"),
        ({"inline_limit": "-5"}, "setting inline_limit: `-5` is not a whole number from 1 up"),
        ({"runner": "podman"}, "setting runner: `podman` is not one of the choices\n"
         "  expected: auto | docker | process"),
        ({"durability": "none"}, "setting durability: `none` is not one of the choices\n"
         "  expected: process | power-loss"),
        ({"zone": "Europe/Wien"}, "setting zone: there is no time zone `Europe/Wien`\n"
         "  expected: such as Europe/Vienna"),
        ({"zone": "../etc"}, "setting zone: there is no time zone `../etc`\n  expected: such as Europe/Vienna"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_is_refused(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={}, **given)
    assert str(caught.value) == message


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("worker = 2\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={})
    assert str(caught.value) == (
        f"{tmp_path}/settings.toml: unknown setting `worker`\n  expected: one of durability, encryption_key, globals, "
        "inline_limit, organization, plugins_dir, runner, secrets_file, storage, workers, zone"
    )


@pytest.mark.parametrize("content", [b"workers = ", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.toml").write_bytes(content)
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={})
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path}/settings.toml: the settings can't be read: ")
    assert second == "  expected: TOML"
