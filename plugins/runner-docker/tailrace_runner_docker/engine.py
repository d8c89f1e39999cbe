"""Talking to the container engine through its SDK: the connection, images, and errors in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from docker import APIClient
from docker.auth import load_config, resolve_repository_name
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from core.sdk import Interrupted, Invalid, RunContext, TailraceError, TaskFailed, Unreachable
from tailrace_runner_docker.locate import WAYS_OUT, find_engine
from tailrace_runner_docker.plan import PullPolicy

EXPECTED_CONFIG = 'a Docker configuration, {"auths": {…}}'
SLOW_ANSWER = 300
"""Seconds for one answer of the engine; output, waiting and pulling have no limit."""
PATIENCE = 10.0
"""Seconds for a busy engine to answer when a task is to run in it."""


@contextmanager
def connection(host: str, environment: Mapping[str, str]) -> Iterator[APIClient]:
    """The engine's client; what goes wrong inside the block is raised as an error of ours. Raises Unreachable."""
    found = find_engine(host, environment, PATIENCE)
    if not found.url:
        raise Unreachable(found.reason[0].upper() + found.reason[1:], hint=WAYS_OUT)
    client = None
    try:
        tls = kwargs_from_env(environment=dict(environment)).get("tls", False)
        client = APIClient(base_url=found.url, version="auto", timeout=SLOW_ANSWER, tls=tls)
        yield client
    except (DockerException, RequestException, HTTPError) as error:
        raise _translated(error, found.url) from error
    finally:
        if client is not None:
            client.close()


def _translated(error: Exception, url: str) -> TailraceError:
    explanation = getattr(error, "explanation", None)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if not explanation or status is None:
        return Unreachable(f"The container engine at {url} does not answer any more: {error}", hint=WAYS_OUT)
    if 400 <= status < 500:
        return Invalid(f"The container engine refuses: {explanation}")
    return TaskFailed(f"The container engine failed: {explanation}")


def ensure_image(
    client: APIClient, ctx: RunContext, image: str, policy: PullPolicy, credentials: Mapping[str, str] | None
) -> dict[str, Any]:
    """What the engine knows of an image, pulled first where the policy says so. Raises Unreachable, Interrupted."""
    if policy == "ALWAYS":
        _pull(client, ctx, image, credentials)
    known = _inspect(client, image)
    if known is None and policy == "IF_NOT_PRESENT":
        _pull(client, ctx, image, credentials)
        known = _inspect(client, image)
    if known is None:
        raise Unreachable(
            f"The image `{image}` is not in the container engine and may not be pulled (`pullPolicy: {policy}`)",
            hint=f"`docker pull {image}`, or `pullPolicy: IF_NOT_PRESENT`",
        )
    return known


def _inspect(client: APIClient, image: str) -> dict[str, Any] | None:
    try:
        return dict(client.inspect_image(image))
    except ImageNotFound:
        return None


def _pull(client: APIClient, ctx: RunContext, image: str, credentials: Mapping[str, str] | None) -> None:
    ctx.log.info(f"Pulling the image {image}")
    ctx.progress(f"pulling {image}")
    login = dict(credentials) if credentials else None
    try:
        with _responses_closed(client):
            for answer in client.pull(image, stream=True, decode=True, auth_config=login):
                if ctx.stop_requested:
                    raise Interrupted(f"The pull of `{image}` was stopped")
                if "error" in answer:
                    raise _not_pulled(image, answer["error"])
    except APIError as error:
        raise _not_pulled(image, error.explanation or str(error)) from error


@contextmanager
def _responses_closed(client: APIClient) -> Iterator[None]:
    """Close every answer of the block at its end: the SDK keeps a stream that is not read to its end open."""
    seen: list[Any] = []

    def note(response: Any, *_: Any, **__: Any) -> None:
        seen.append(response)

    client.hooks["response"].append(note)
    try:
        yield
    finally:
        client.hooks["response"].remove(note)
        for response in seen:
            response.close()


def _not_pulled(image: str, reason: str) -> Unreachable:
    return Unreachable(
        f"The image `{image}` can't be pulled: {reason}",
        hint="see whether its name is right and its registry can be reached; for a private one give `credentials`; "
        "an image that was made on this machine needs no pull (`pullPolicy: IF_NOT_PRESENT`)",
    )


def registry_login(
    config: str | Mapping[str, Any], image: str, environment: Mapping[str, str]
) -> Mapping[str, str] | None:
    """The login for an image's registry out of a Docker configuration (`auths`, `credHelpers`). Raises Invalid."""
    if not config:
        return None
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except ValueError as error:
            raise Invalid(f"`config` is not JSON: {error}", expected=EXPECTED_CONFIG) from error
    if not isinstance(config, Mapping):
        raise Invalid("`config` is not a map", expected=EXPECTED_CONFIG)
    registry, _ = resolve_repository_name(image)
    found = load_config(config_dict=dict(config), credstore_env=dict(environment)).resolve_authconfig(registry)
    return dict(found) if found else None
