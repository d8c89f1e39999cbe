"""Who asks, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest

from attrs import frozen

from core.host.deployment import Deployment
from core.host.product import ROLES, Role
from core.host.services import Services
from tailrace_server.cookies import cookie
from tailrace_server.errors import Refused
from tailrace_server.options import is_loopback

LOCAL = "local"
"""The actor when no key is needed: whoever sits at this machine."""
SESSION = "session"
"""The cookie of a browser that signed in."""
CSRF_HEADER = "x-csrf-token"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}


@frozen
class Caller:
    """Who a request comes from. actor: as the audit names it, the id of an API key or `local`.

    csrf: what a form of ours must hold for them, "" where none is needed (an API key in a header). signed_in: by a
    session of a browser.
    """

    actor: str
    role: Role
    organization: str
    csrf: str = ""
    signed_in: bool = False

    def may(self, role: Role) -> bool:
        """Whether they have this role, or one that may more."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Gate:
    """Lets requests in. Without any key, and only where nobody else can reach the server, everybody is its admin."""

    def __init__(self, deployment: Deployment, *, loopback: bool) -> None:
        self._deployment = deployment
        self._loopback = loopback
        self._local_csrf = csrf_of(deployment.token())

    def admit(self, headers: Mapping[str, str]) -> tuple[Caller, Services]:
        """The caller and the services of their organization; headers by lower-case name. Raises Refused."""
        given = headers.get("authorization")
        if given is not None:
            return self._by_key(given)
        token = session_of(headers)
        key = self._deployment.keys.signed_in(token) if token else None
        if key is not None:
            caller = Caller(key.id, key.role, key.organization_id, csrf_of(token), signed_in=True)
            return caller, self._deployment.services(key.organization_id)
        if not self._loopback or self._deployment.keys.exist():
            raise Refused(401, "this needs an API key: `Authorization: Bearer KEY`", headers=CHALLENGE)
        _check_browser(headers)
        organization = self._deployment.organization
        return Caller(LOCAL, "admin", organization, self._local_csrf), self._deployment.services(organization)

    def _by_key(self, given: str) -> tuple[Caller, Services]:
        match = re.fullmatch(r"(?i:bearer) +([\x21-\x7e]+)", given.strip())
        key = self._deployment.keys.find(match[1]) if match else None
        if key is None:
            message = "this API key is not known, was revoked, or has expired" if match else "expected: Bearer KEY"
            headers = {"WWW-Authenticate": f'{CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'}
            raise Refused(401, message, headers=headers)
        return Caller(key.id, key.role, key.organization_id), self._deployment.services(key.organization_id)


def _check_browser(headers: Mapping[str, str]) -> None:
    """A page of somebody else, open in a browser on this machine, must not reach a server that asks for no key."""
    host = headers.get("host", "")
    name = re.sub(r":\d*$", "", host).strip("[]")
    if not is_loopback(name):
        raise Refused(403, "without API keys only requests to this machine by its own name are answered",
                      details=[("header.Host", f"`{host}` is not localhost")])  # fmt: skip
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
    if site in ("cross-site", "same-site") and mode != "navigate":  # also what has no Origin, such as pictures
        raise Refused(403, "without API keys no page of another origin is answered",
                      details=[("header.Sec-Fetch-Site", f"`{site}` is not this server")])  # fmt: skip
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        details = [("header.Origin", f"`{origin}` is not this server")]
        raise Refused(403, "without API keys no page of another origin is answered", details=details)


def session_of(headers: Mapping[str, str]) -> str:
    """The token of a browser's session, "" without any."""
    return cookie(headers, SESSION)


def csrf_of(token: str) -> str:
    """What the forms of a session hold: made from its token, which can't be told from it."""
    return sha256(f"csrf {token}".encode("utf-8", "surrogatepass")).hexdigest()


def check_csrf(caller: Caller, given: object, told: str) -> None:
    """That a change comes from a page of ours: given is the token that it sent. Raises Refused."""
    if caller.csrf and not (isinstance(given, str) and compare_digest(given.encode(), caller.csrf.encode())):
        raise Refused(403, told)


def check_own_site(headers: Mapping[str, str]) -> None:
    """That no page of somebody else sends this: nobody is to be signed in as someone they are not. Raises Refused."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    foreign = origin is not None and origin.partition("://")[2] != headers.get("host", "")
    if foreign if site is None else site not in ("same-origin", "none"):
        raise Refused(403, "signing in is only possible from the page of this server")


def check_role(caller: Caller, role: Role) -> None:
    """That the caller has this role, or one that may more. Raises Refused."""
    if not caller.may(role):
        raise Refused(403, f"this needs an API key of the role {role}: yours is {caller.role}")
