from __future__ import annotations

import pytest

from tailrace_http.names import file_name

URL = "https://example.com/files/report.csv?version=2"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="data.csv"', "data.csv"),
        ("attachment; filename=data.csv; size=5", "data.csv"),
        ("attachment; filename=two words.csv", "two words.csv"),
        ('attachment; filename="a%20b.csv"', "a b.csv"),
        ('attachment; filename="say \\"hi\\".txt"', 'say "hi".txt'),
        ("attachment; filename=\"plain.txt\"; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ("attachment; filename*=no-such-charset''x.txt", "x.txt"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..%2F..%2Fpasswd"', "passwd"),
        ('attachment; filename="C:\\\\data\\\\sheet.xlsx"', "sheet.xlsx"),
        ('attachment; filename="tab\tand\x01control.txt"', "tabandcontrol.txt"),
    ],
)
def test_the_name_of_content_disposition_is_decoded_and_loses_its_path(disposition: str, name: str) -> None:
    assert file_name(disposition, URL) == name


@pytest.mark.parametrize("disposition", ["", "inline", 'attachment; filename=".."', 'attachment; filename="dir/"'])
def test_without_a_usable_name_the_url_gives_it(disposition: str) -> None:
    assert file_name(disposition, URL) == "report.csv"


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com/files/", "https://example.com/%2e%2e"])
def test_a_url_without_a_name_gives_download(url: str) -> None:
    assert file_name("", url) == "download"


def test_a_long_name_is_cut_and_keeps_its_extension() -> None:
    name = file_name("", "https://example.com/" + "é" * 300 + ".parquet")
    assert len(name.encode()) <= 200
    assert name.endswith("é.parquet")
