"""How pages are made: the templates, what they may call, and the files they refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from markupsafe import Markup

from tailrace_server.access import Caller
from tailrace_server.people import ago, duration, href, iso, plural, scalar, size, when

HERE = files("tailrace_server.pages")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # without any, browsers would not say that our own forms are ours
}
"""Of every page, beside those of every answer."""


class Looks:
    """The templates of one server. title: the product's name."""

    def __init__(self, title: str, version: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("tailrace_server.pages"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._environment.filters.update(
            duration=duration, size=size, when=when, ago=ago, iso=iso, plural=plural, scalar=scalar,
            path=lambda text: quote(str(text), safe=""),
        )  # fmt: skip
        self._environment.globals.update(product=title, product_version=version, static=static_url, href=href)

    def render(self, template: str, facts: Mapping[str, Any]) -> str:
        """A template as text, without a request."""
        return self._environment.get_template(template).render(facts)

    def answer(
        self, request: Request[Any, Any, Any], template: str, facts: Mapping[str, Any], status: int = 200
    ) -> Response[Any]:
        """A page; see `page`."""
        text = self.page(request.scope, template, facts)
        return Response(text.encode("utf-8", "replace"), status_code=status, media_type="text/html", headers=HEADERS)

    def page(self, scope: Mapping[str, Any], template: str, facts: Mapping[str, Any]) -> str:
        """A page as text. Its template may name `caller` (None before the sign-in), `may` (a role → whether),
        `csrf()`, `token`, `path` and `query`; `said` is what `base.html` tells once."""
        caller: Caller | None = scope["state"].get("caller")
        token = caller.csrf if caller else ""
        known = {
            "caller": caller, "may": caller.may if caller else (lambda role: False), "token": token,
            "csrf": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
            "path": scope["path"], "query": scope["query_string"].decode("latin-1"), "said": (),
        }  # fmt: skip
        return self.render(template, {**known, **facts})


@lru_cache(1)
def stylesheet() -> str:
    """The one stylesheet: the parts of `styles/`, in the order of their names, without comments and idle spaces."""
    parts = sorted((one for one in (HERE / "styles").iterdir() if one.name.endswith(".css")), key=lambda one: one.name)
    idle = re.compile(r"/\*.*?\*/\s*|(?<=[{};])\s+|\s+(?=[{}])", re.DOTALL)
    return "".join(idle.sub("", part.read_text("utf-8")) for part in parts)


@lru_cache(1)
def static_files() -> Mapping[str, bytes]:
    """What pages load, by name."""
    found = {one.name: one.read_bytes() for one in (HERE / "static").iterdir() if one.is_file()}
    return {"style.css": stylesheet().encode(), **found}


@lru_cache(1)
def static_version() -> str:
    """Of all of them together: a change of one gives all a new address, so that browsers may keep them for ever."""
    digest = sha256()
    for name, body in sorted(static_files().items()):
        digest.update(name.encode() + body)
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """Where a static file is. Raises KeyError."""
    static_files()[name]
    return f"/static/{static_version()}/{name}"
