"""What pip is told about indexes reaches uv."""

from __future__ import annotations

from pathlib import Path

from tailrace_scripts_python.pip_settings import uv_settings


def test_pips_variables_become_uvs() -> None:
    environment = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "https://a.example/simple",
        "PIP_FIND_LINKS": "/one /two",
        "PIP_CERT": "/ca.pem",
        "PIP_DEFAULT_TIMEOUT": "180",
    }
    assert uv_settings(environment)[0] == {
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_FIND_LINKS": "/one,/two",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_more_indexes_are_all_looked_at_as_pip_does() -> None:
    environment = {"PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": "https://a.example\nhttps://b.example"}
    assert uv_settings(environment)[0] == {
        "UV_EXTRA_INDEX_URL": "https://a.example https://b.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_pip_without_an_index_is_uv_without_one() -> None:
    pip = {"PIP_CONFIG_FILE": "/dev/null"}
    assert uv_settings(pip | {"PIP_NO_INDEX": "1"})[1] == ("--no-index",)
    assert uv_settings(pip | {"PIP_NO_INDEX": "false"})[1] == ()


def test_what_uv_is_told_itself_stays() -> None:
    pip = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "https://a.example", "PIP_CERT": "/ca.pem"}
    assert uv_settings(pip | {"UV_INDEX_URL": "https://b.example", "SSL_CERT_FILE": "/other.pem"}) == ({}, ())


def test_pips_files_are_read_and_variables_win(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "pip"
    folder.mkdir(parents=True)
    (folder / "pip.conf").write_text(
        "[global]\nindex-url = https://a.example\nno-index = true\n[install]\nfind-links =\n  /one\n  /two\n"
    )
    own = tmp_path / "own.conf"
    own.write_text("[global]\nindex-url = https://b.example\n")
    home = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none")}
    variables, arguments = uv_settings(home)
    # the machine's own file, /etc/pip.conf, may say more
    assert variables.items() >= {"UV_DEFAULT_INDEX": "https://a.example", "UV_FIND_LINKS": "/one,/two"}.items()
    assert arguments == ("--no-index",)
    assert uv_settings(home | {"PIP_CONFIG_FILE": str(own)})[0]["UV_DEFAULT_INDEX"] == "https://b.example"
    assert uv_settings(home | {"PIP_INDEX_URL": "https://c.example"})[0]["UV_DEFAULT_INDEX"] == "https://c.example"


def test_a_file_that_pip_could_not_read_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "pip.conf"
    broken.write_text("index-url = https://a.example\n")
    settings, _ = uv_settings({"PIP_CONFIG_FILE": str(broken), "PIP_INDEX_URL": "https://b.example"})
    assert settings["UV_DEFAULT_INDEX"] == "https://b.example"
