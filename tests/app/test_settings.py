"""Settings: who says what, in which order, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import Invalid, Unreachable
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
        ({"workers": "9" * 5000}, f"setting workers: `{'9' * 5000}` is not a whole number from 1 up"),
        ({"globals": "[" * 50_000}, "setting globals: this is not a table of values\n"
         "  expected: a table, or the JSON text of a map"),
        ({"workers": "²"}, "setting workers: `²` is not a whole number from 1 up"),
        ({"inline_limit": "-5"}, "setting inline_limit: `-5` is not a whole number from 1 up"),
        ({"runner": "podman"}, "setting runner: `podman` is not one of the choices\n"
         "  expected: auto | docker | process"),
        ({"durability": "none"}, "setting durability: `none` is not one of the choices\n"
         "  expected: process | power-loss"),
        ({"zone": "Europe/Wien"}, "setting zone: there is no time zone `Europe/Wien`\n"
         "  expected: such as Europe/Vienna"),
        ({"records": "host=db password=s3cret"}, "setting records: this is not the URL of a record store\n"
         "  expected: such as postgresql://host/database"),
        ({"organization": "Ac me/.."}, "setting organization: `Ac me/..` can't be the id of an organization\n"
         "  expected: small letters, digits, `_` and `-`, a letter or digit first, at most 63"),
        ({"zone": "../etc"}, "setting zone: there is no time zone `../etc`\n  expected: such as Europe/Vienna"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_is_refused(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={}, **given)
    assert str(caught.value) == message


def test_a_home_may_be_a_text(tmp_path: Path) -> None:
    assert load_settings(home=str(tmp_path), environment={}).home == tmp_path


def test_an_unknown_setting_of_a_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"^load_settings: unknown setting `runer`\n  expected: one of api_key, "):
        load_settings(home=tmp_path, environment={}, runer="process")


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("worker = 2\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={})
    assert str(caught.value) == (
        f"{tmp_path}/settings.toml: unknown setting `worker`\n  expected: one of api_key, durability, encryption_key, globals, "
        "inline_limit, organization, plugins_dir, records, runner, secrets_file, server, storage, "
        "workers, zone"
    )


def test_a_place_of_a_user_who_is_not_there_stays_as_it_is_written(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, environment={}, plugins_dir="~no.such.user/p", secrets_file="~/s")
    assert (settings.plugins_dir, settings.secrets_file) == (Path("~no.such.user/p"), Path.home() / "s")


def test_a_user_without_a_home_is_told_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(Invalid) as caught:
        load_settings(environment={})
    assert str(caught.value) == (
        "setting home: this user has no home directory to keep records in\n"
        "  to do: say where with --home DIR or TAILRACE_HOME"
    )
    assert load_settings(environment={"TAILRACE_HOME": str(tmp_path)}).home == tmp_path


def test_a_home_that_no_directory_can_be_is_refused_when_it_is_made(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / ("x" * 300), environment={})
    with pytest.raises(Unreachable, match="the home directory can't be used: file name too long"):
        settings.make_home()


def test_settings_that_are_no_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(Unreachable) as caught:
        load_settings(home=tmp_path, environment={})
    assert str(caught.value) == f"{tmp_path}/settings.toml: the settings can't be read: is a directory"


@pytest.mark.parametrize("content", [b"workers = ", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.toml").write_bytes(content)
    with pytest.raises(Invalid) as caught:
        load_settings(home=tmp_path, environment={})
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path}/settings.toml: the settings can't be read: ")
    assert second == "  expected: TOML"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://db.example/tailrace", "postgresql://db.example/tailrace"),
        ("postgresql://me:hunt3r@db.example:5433/tailrace", "postgresql://db.example:5433/tailrace"),
        ("postgresql://me:hunt3r@db.example/tailrace?password=hunt3r#hunt3r", "postgresql://db.example/tailrace"),
        ("postgresql:///tailrace?host=/run/db&password=hunt3r", "postgresql:///tailrace"),
        # what is not written as it should be is not shown at all
        ("postgresql://me:hu@nt3r@db/tailrace", "postgresql://…"),
        ("postgresql://me:hu/nt3r@db/tailrace", "postgresql://…"),
        ("postgresql://me:hu?nt3r@db/tailrace", "postgresql://…"),
        ("postgresql://db/tailrace?password=hu@nt3r", "postgresql://…"),
    ],
)
def test_of_the_url_of_records_no_password_is_shown(tmp_path: Path, url: str, shown: str) -> None:
    settings = load_settings(home=tmp_path, environment={"TAILRACE_RECORDS": url})

    assert (settings.records, settings.records_shown) == (url, shown)
    assert "nt3r" not in repr(settings)


def test_without_a_url_the_records_are_a_file_of_the_home(tmp_path: Path) -> None:
    assert load_settings(home=tmp_path, environment={}).records_shown == str(tmp_path / "records.db")


def test_what_opens_the_records_is_not_handed_on_to_scripts(tmp_path: Path) -> None:
    given = {"TAILRACE_RECORDS": "a://b", "TAILRACE_ENCRYPTION_KEY": "QUJD", "TAILRACE_ZONE": "UTC", "PATH": "/bin"}

    settings = load_settings(home=tmp_path, environment=given)

    assert settings.environment == {"TAILRACE_ZONE": "UTC", "PATH": "/bin"}
    assert (settings.records, settings.encryption_key) == ("a://b", "QUJD")
