"""How a value is written elsewhere: as an expression, as a request of curl, as a command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any
from urllib.parse import urlencode

from attrs import frozen
from litestar import Request

from core.host.deployment import Deployment
from core.host.views import TaskExecutionView
from core.sdk import is_storage_uri

Keys = Sequence[str | int]


@frozen
class Copy:
    """One way to write it. what: what the button says."""

    what: str
    text: str


def copies(request: Request[Any, Any, Any], view: TaskExecutionView, keys: Keys, value: Any) -> tuple[Copy, ...]:
    """keys: where the value is in its output; value: itself, None where it was not read."""
    deployment: Deployment = request.app.state.deployment
    server = f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"
    return (
        Copy("expression", expression(view, keys)),
        Copy("curl", _curl(deployment, server, view, keys, value)),
        Copy("command", _command(deployment, server, view, keys)),
    )


def expression(view: TaskExecutionView, keys: Keys) -> str:
    """`{{ outputs.fetch.rows[0]['my-key'] }}`; of a task below loops by the values around it."""
    names = "".join(_member(key) for key in (view.task_name, *view.path, *keys))
    return f"{{{{ outputs{names} }}}}"


_WORDS = frozenset({"and", "or", "not", "is", "contains", "equals", "isIn", "isNotIn"})
"""Operators of the language, which can't stand behind a dot."""


def _member(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if key.isidentifier() and key not in _WORDS:
        return f".{key}"
    escaped = key.replace("'", "\\'")
    return f"['{escaped}']"


def _curl(deployment: Deployment, server: str, view: TaskExecutionView, keys: Keys, value: Any) -> str:
    variable = deployment.variable("API_KEY")
    key = f' -H "Authorization: Bearer ${variable}"' if deployment.keys.exist() else ""
    if is_storage_uri(value):
        asked = urlencode({"uri": value})
        return f"curl -s{key} {quote(f'{server}/api/v1/files?{asked}')}"
    path = "".join(f"[{json.dumps(one)}]" for one in keys)
    chosen = f" | jq {quote(f'.{path}')}" if keys else ""
    return f"curl -s{key} {quote(f'{server}/api/v1/task-outputs/{view.id}/output')}{chosen}"


def _command(deployment: Deployment, server: str, view: TaskExecutionView, keys: Keys) -> str:
    name = ".".join(map(str, keys))
    what = f"{view.id} {_word(name)}" if name else view.id
    where = f"--server {quote(server)}"
    if name.startswith("-"):  # a flow could name a value like an option, such as one that writes a file
        return f"{deployment.command} outputs get {where} -- {what}"
    return f"{deployment.command} outputs get {what} {where}"


def _word(text: str) -> str:
    """A word of a shell; what a terminal would act on, when it is pasted, is written out."""
    if text.isprintable():
        return quote(text)
    signs = (sign if sign.isprintable() and sign not in "\\'" else f"\\U{ord(sign):08x}" for sign in text)
    return f"$'{''.join(signs)}'"


def keys_along(value: Any, keys: Sequence[str]) -> list[str | int]:
    """Steps into a value as they are there: numbers into lists, names into maps, as far as it goes."""
    found: list[str | int] = []
    for key in keys:
        if isinstance(value, Mapping) and key in value:
            found.append(key)
            value = value[key]
        elif isinstance(value, (list, tuple)) and key.isdecimal() and int(key) < len(value):
            found.append(int(key))
            value = value[int(key)]
        else:
            break
    return found
