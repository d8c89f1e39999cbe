"""How pages are made: the templates, what they may call, and the files they refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from markupsafe import Markup

from tailrace_server.access import Caller

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
SECOND = 1_000_000
UNITS = ("B", "KB", "MB", "GB", "TB")


class Looks:
    """The templates of one server. title: the product's name."""

    def __init__(self, title: str, version: str) -> None:
        self._environment = Environment(
            loader=PackageLoader("tailrace_server.pages"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._environment.filters.update(
            duration=duration, size=size, when=when, iso=iso, plural=plural, path=lambda text: quote(str(text), safe="")
        )
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
        `csrf()`, `token`, `path` and `query`."""
        caller: Caller | None = scope["state"].get("caller")
        token = caller.csrf if caller else ""
        known = {
            "caller": caller, "may": caller.may if caller else (lambda role: False), "token": token,
            "csrf": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
            "path": scope["path"], "query": scope["query_string"].decode("latin-1"),
        }  # fmt: skip
        return self.render(template, {**known, **facts})


@lru_cache(1)
def stylesheet() -> str:
    """The one stylesheet: the parts of `styles/`, in the order of their names."""
    parts = sorted((one for one in (HERE / "styles").iterdir() if one.name.endswith(".css")), key=lambda one: one.name)
    return "".join(re.sub(r"/\*.*?\*/\s*", "", part.read_text("utf-8"), flags=re.DOTALL) for part in parts)


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


def href(path: str, **query: Any) -> str:
    """An address with a query; what is None, empty or False is left out, lists are repeated."""
    pairs = [
        (name, str(one).lower() if one is True else one)
        for name, value in query.items()
        for one in (value if isinstance(value, (list, tuple)) else (value,))
        if one is not None and one != "" and one is not False
    ]
    return f"{path}?{urlencode(pairs, errors='replace')}" if pairs else path


def duration(seconds: float | None) -> str:
    """`3.2 s`, `4 min 5 s`, `2 h 3 min`; "" without any."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def size(number: int | None) -> str:
    """Bytes for people, in thousands; "" without any."""
    if number is None:
        return ""
    amount, unit = float(number), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{number} B" if unit == 0 else f"{amount:.3g} {UNITS[unit]}"


def iso(at: int) -> str:
    """A time of the records in ISO 8601."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(at: int | None) -> Markup:
    """A time of the records: UTC as written, in the reader's own zone where scripts run; "" without any."""
    if at is None:
        return Markup("")
    text = datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return Markup('<time datetime="{}">{}</time>').format(iso(at), text)


def plural(number: int, one: str, many: str = "") -> str:
    """`1 task`, `1 200 tasks`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u202f")
