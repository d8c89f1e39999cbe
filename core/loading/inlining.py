"""`flow.Template` (deprecated): the tasks of a template put in its place while loading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.errors import Invalid
from core.loading.problems import Findings
from core.loading.reader import FindTemplate, parse_yaml
from core.registry.problem import Path

_ARGUMENT = r"""\bparent\.outputs\.args(?:\.([a-zA-Z_][a-zA-Z0-9_]*)|\[\s*(['"])(.*?)\2\s*\])"""
_BLOCKS = ("tasks", "errors", "finally")


def inlined(raw: dict[str, Any], path: Path, find: FindTemplate | None, findings: Findings) -> dict[str, Any]:
    """A task of the type, with the tasks of its template, arguments put in their places.

    find: where templates come from; None where there are none.
    """
    namespace, template_id = raw.get("namespace"), raw.get("templateId")
    if not (isinstance(namespace, str) and isinstance(template_id, str)):
        return raw
    text = find(namespace, template_id) if find is not None else None
    if text is None:
        findings.unsupported(
            (*path, "templateId"), "is not known here, and templates are deprecated",
            "put it into `_templates/` beside the flow, or make it a flow and call it with flow.Subflow",
            subject=f"the template `{namespace}.{template_id}`",
        )  # fmt: skip
        return {name: value for name, value in raw.items() if name not in _BLOCKS} | {"tasks": []}
    try:
        found = parse_yaml(text)
    except Invalid as error:
        findings.add((*path, "templateId"), f"the template can't be read: {error.what}", error.expected)
        return raw
    args = raw.get("args")
    given = {name: _expression(value) for name, value in args.items()} if isinstance(args, dict) else {}
    blocks = {name: _filled(found.get(name), given) for name in _BLOCKS} if isinstance(found, dict) else {}
    return raw | {name: block for name, block in blocks.items() if block is not None}


def _expression(value: object) -> str:
    """An argument as part of an expression: texts around `{{ … }}` joined to what is inside."""
    if not isinstance(value, str):
        return "true" if value is True else "false" if value is False else "null" if value is None else str(value)
    parts = re.split(r"\{\{(.*?)\}\}", value, flags=re.DOTALL)
    written = [f"({part.strip()})" if at % 2 else _quoted(part) for at, part in enumerate(parts) if part or at % 2]
    return f"({' ~ '.join(written)})" if written else "''"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    """The value with `parent.outputs.args.x`, and `parent.outputs.args['x']`, replaced in every text."""
    if isinstance(value, str):
        return re.sub(_ARGUMENT, lambda match: given.get(match[1] or match[3], "null"), value)
    if isinstance(value, dict):
        return {name: _filled(item, given) for name, item in value.items()}
    return [_filled(item, given) for item in value] if isinstance(value, list) else value
