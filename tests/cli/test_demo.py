"""The demo: bundled data and flow, and every command it prints."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path
from statistics import mean

from core.cli.demo_server import DATA, product_api

ROOT = Path(__file__).parents[2]
PRODUCTS = json.loads((DATA / "products.json").read_text("utf-8"))


def test_the_data_have_the_shape_of_the_tutorial_s_api() -> None:
    products = PRODUCTS["products"]

    assert {name: PRODUCTS[name] for name in ("total", "skip", "limit")} == {"total": 30, "skip": 0, "limit": 30}
    assert [product["id"] for product in products] == list(range(1, 31))
    assert 0 < sum("brand" not in product for product in products) < 30
    for product in products:
        assert list(product) == [
            "id", "title", "description", "category", "price", "discountPercentage", "rating", "stock", "tags",
            *(["brand"] if "brand" in product else []), "sku", "weight", "dimensions", "warrantyInformation",
            "shippingInformation", "availabilityStatus", "reviews", "returnPolicy", "minimumOrderQuantity", "meta",
            "images", "thumbnail",
        ]  # fmt: skip
        assert list(product["dimensions"]) == ["width", "height", "depth"]
        assert list(product["meta"]) == ["createdAt", "updatedAt", "barcode", "qrCode"]
        assert all(
            list(review) == ["rating", "comment", "date", "reviewerName", "reviewerEmail"]
            for review in product["reviews"]
        )


def test_the_server_gives_the_products_while_its_block_runs() -> None:
    with product_api() as url, urllib.request.urlopen(url) as answer:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert json.load(answer) == PRODUCTS


def test_the_demo_shows_the_table_and_every_command_it_prints_works(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    demo = _program("demo", "--home", home)
    assert demo.returncode == 0, demo.stderr

    table, _, commands = demo.stdout.partition("\nEverything that came out is recorded. Look further:\n")
    assert [tuple(line.rsplit(maxsplit=1)) for line in table.splitlines()[3:]] == _expected_rows()
    printed = [shlex.split(line) for line in commands.splitlines()]
    assert [words[:3] for words in printed] == [["python", "-m", "core"]] * 4
    ended = [_program(*words[3:]) for words in printed]
    assert [one.returncode for one in ended] == [0, 0, 0, 0], [one.stderr for one in ended]
    assert "sqlQuery" in ended[0].stdout
    assert "products.csv" in ended[1].stdout
    assert ended[2].stdout == PRODUCTS["products"][0]["title"] + "\n"
    assert [json.loads(line)["brand"] for line in ended[3].stdout.splitlines()].count(None) == 1


def _expected_rows() -> list[tuple[str, ...]]:
    prices: dict[str | None, list[float]] = {}
    for product in PRODUCTS["products"]:
        prices.setdefault(product.get("brand"), []).append(product["price"])
    averages = sorted(((round(mean(found), 2), brand) for brand, found in prices.items()), key=lambda row: -row[0])
    return [(brand, str(price)) if brand else (str(price),) for price, brand in averages]


def _program(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "core", *words], env=environment, capture_output=True, text=True, check=False
    )
