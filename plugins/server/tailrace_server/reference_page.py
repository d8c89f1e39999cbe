"""The OpenAPI document as one page of HTML: no script, nothing from elsewhere, so it works without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --edge: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 2px solid var(--edge); }
details { border: 1px solid var(--edge); border-radius: 6px; margin: .6rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; } summary b { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
td, th { border-top: 1px solid var(--edge); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { overflow-x: auto; }
nav a { margin-right: 1rem; }
"""


def page(document: Mapping[str, Any]) -> str:
    """The whole page."""
    return "\n".join(_page(document))


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><h1>{title}</h1>'
    yield f'<p>{_text(info["description"])}</p><p><a href="openapi.json">openapi.json</a></p>'
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append("\n".join(_operation(path, method, operation, document)))
    links = "".join(f'<a href="#{tag}">{tag}</a>' for tag in (*groups, "shapes"))
    yield f"<nav>{links}</nav>"
    for tag, sections in groups.items():
        yield f'<h2 id="{tag}">{tag}</h2>'
        yield from sections
    yield '<h2 id="shapes">shapes</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{name}" open><summary><b>{name}</b></summary><p>{_text(schema.get("description", ""))}</p>'
        yield from _fields(schema)
        yield "</details>"
    yield "</body></html>"


def _operation(path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    name = operation["operationId"]
    yield f'<details id="{name}"><summary><b>{method.upper()}</b> <code>{escape(path)}</code>'
    yield f"{_text(operation['summary'])}</summary><p>{_text(operation['description'])}</p>"
    if operation.get("parameters"):
        yield "<table><tr><th>parameter</th><th>in</th><th>type</th><th>meaning</th></tr>"
        for one in operation["parameters"]:
            meaning = _text(one.get("description", ""))
            yield _row(f"<code>{escape(one['name'])}</code>", one["in"], _type(one["schema"]), meaning)
        yield "</table>"
    if "requestBody" in operation:
        yield f"<p>Body: {_media(operation['requestBody'])}</p>"
    yield "<table><tr><th>answer</th><th>body</th><th>meaning</th></tr>"
    for status, told in operation["responses"].items():
        answer = document["components"]["responses"][status] if "$ref" in told else told
        yield _row(status, _media(answer), _text(answer["description"]))
    yield "</table></details>"


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "<table><tr><th>field</th><th>type</th><th>meaning</th></tr>"
    for name, told in schema.get("properties", {}).items():
        shown = (escape(json.dumps(one, ensure_ascii=False)) for one in told.get("examples", ()))
        examples = "".join(f" <code>{one}</code>" for one in shown)
        yield _row(f"<code>{escape(name)}</code>", _type(told), _text(told.get("description", "")) + examples)
    yield "</table>"


def _media(told: Mapping[str, Any]) -> str:
    """The forms of a body."""
    found = ((escape(kind), _type(body.get("schema", {}))) for kind, body in told.get("content", {}).items())
    return "<br>".join(f"{kind} {shape}" for kind, shape in found)


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words; shapes are links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(escape(str(one)) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [f"{word} {schema[key]}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in schema]
    return " ".join([escape(str(schema.get("type", "any value"))), *bounds])


def _text(text: str) -> str:
    """A few words of Markdown: `code`, and blank lines between paragraphs."""
    code = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return code.replace("\n\n", "</p><p>")
