"""What is installed, for those who only ask which commands there are."""

from __future__ import annotations

from collections.abc import Sequence

from core.cli.command import Parser, home_options
from core.registry import Registry, load_registry
from core.settings import Product, load_settings


def known_plugins(words: Sequence[str], product: Product) -> Registry:
    """Every plugin, those of the folder too that the words after a command name. Raises Invalid, NotFound."""
    parser = Parser(prog=product.command, add_help=False)
    home_options(parser)
    given, _ = parser.parse_known_args(list(words))
    settings = load_settings(home=given.home, product=product, plugins_dir=given.plugins_dir)
    return load_registry(settings.home / "cache" / "plugins.json", settings.plugins_dir)
