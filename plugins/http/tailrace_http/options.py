"""What can be written under `options:`, and how its deprecated forms become today's."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from attrs import frozen

from core.sdk import Invalid
from core.sdk.properties import Described, prop

LogPart = Literal["REQUEST_HEADERS", "REQUEST_BODY", "RESPONSE_HEADERS", "RESPONSE_BODY"]
LogLevel = Literal["ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF", "NOT_SPECIFIED"]
ProxyType = Literal["DIRECT", "HTTP", "SOCKS"]

_EVERYTHING: tuple[LogPart, ...] = ("REQUEST_HEADERS", "REQUEST_BODY", "RESPONSE_HEADERS", "RESPONSE_BODY")
_PARTS_OF_LEVEL: dict[str, tuple[LogPart, ...]] = {
    "ALL": _EVERYTHING,
    "TRACE": _EVERYTHING,
    "DEBUG": ("REQUEST_HEADERS", "RESPONSE_HEADERS"),
    "INFO": ("RESPONSE_HEADERS",),
}


class Auth(Described):
    """How the request says who it is."""

    type_: Literal["BASIC", "BEARER", "DIGEST"] = prop("BASIC and DIGEST take a user and a password, BEARER a token.")
    username: str | None = prop("User, for BASIC and DIGEST.", default=None)
    password: str | None = prop("Password, for BASIC and DIGEST.", default=None, secret=True)
    token: str | None = prop("Token, for BEARER.", default=None, secret=True)

    def checked(self) -> Auth:
        """The same, when everything its type needs is there. Raises Invalid."""
        needed = ("token",) if self.type_ == "BEARER" else ("username", "password")
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise Invalid(
                f"authentication of type {self.type_} has no {' and no '.join(missing)}",
                where="$.options.auth",
                expected=f"{{type: {self.type_}, {', '.join(f'{name}: …' for name in needed)}}}",
            )
        return self


class Timeout(Described):
    """How long to wait for the other side."""

    connect_timeout: timedelta = prop("For a connection; PT0S: without end.", default=timedelta(seconds=10))
    read_idle_timeout: timedelta = prop(
        "For the next bytes of the answer, and for the other side to take ours; PT0S: without end.",
        default=timedelta(minutes=5),
    )


class Proxy(Described):
    """The proxy to go through; written here, it overrides those of the environment."""

    type_: ProxyType = prop("DIRECT uses none, not even one that the environment names.", default="DIRECT")
    address: str | None = prop("Host name or address.", default=None)
    port: int | None = prop("Port.", default=None)
    username: str | None = prop("User, when the proxy asks for one.", default=None)
    password: str | None = prop("Password, when the proxy asks for one.", default=None, secret=True)


class Ssl(Described):
    """How the server's certificate is checked."""

    insecure_trust_all_certificates: bool = prop("Whether any certificate will do. For tests only.", default=False)


@frozen
class Terms:
    """What a request keeps to: the options with every older form in its place and every default filled in."""

    auth: Auth | None
    timeout: Timeout
    proxy: Proxy | None
    trust_all: bool
    follow_redirects: bool
    allow_failed: bool
    allowed_codes: tuple[int, ...]
    charset: str
    logs: tuple[LogPart, ...]
    max_length: int | None

    def accept(self, code: int) -> bool:
        """Whether an answer of this status is a success; a list of codes is exact, a 200 outside of it fails too."""
        if self.allowed_codes:
            return code in self.allowed_codes
        return self.allow_failed or code < 400


class Options(Described):
    """Options of an HTTP request."""

    auth: Auth | None = prop("How the request says who it is.", default=None)
    timeout: Timeout | None = prop("How long to wait for the other side.", default=None)
    proxy: Proxy | None = prop("The proxy to go through, by default that of the environment.", default=None)
    ssl: Ssl | None = prop("How the server's certificate is checked.", default=None)
    follow_redirects: bool = prop("Whether to go where a redirect points, at most 50 times.", default=True)
    allow_failed: bool = prop("Whether every status code is a success.", default=False)
    allowed_response_codes: list[int] = prop(
        "The only status codes that are a success; by default those below 400.", factory=list
    )
    default_charset: str = prop("Charset of answers that do not name theirs.", default="UTF-8")
    logs: list[LogPart] = prop("What of request and answer is logged.", factory=list)
    max_content_length: int | None = prop("Most bytes that an answer may have.", default=None)

    connect_timeout: timedelta | None = prop(
        "Older form of `timeout.connectTimeout`.", default=None, deprecated="timeout.connectTimeout"
    )
    read_timeout: timedelta | None = prop(
        "Older form of `timeout.readIdleTimeout`.", default=None, deprecated="timeout.readIdleTimeout"
    )
    read_idle_timeout: timedelta | None = prop("Has no effect.", default=None, deprecated="timeout.readIdleTimeout")
    connection_pool_idle_timeout: timedelta | None = prop(
        "Has no effect: every task opens its own connection.", default=None, deprecated="nothing; leave it out"
    )
    basic_auth_user: str | None = prop("Older form of `auth`.", default=None, deprecated="auth")
    basic_auth_password: str | None = prop("Older form of `auth`.", default=None, deprecated="auth", secret=True)
    proxy_type: ProxyType | None = prop("Older form of `proxy.type`.", default=None, deprecated="proxy.type")
    proxy_address: str | None = prop("Older form of `proxy.address`.", default=None, deprecated="proxy.address")
    proxy_port: int | None = prop("Older form of `proxy.port`.", default=None, deprecated="proxy.port")
    proxy_username: str | None = prop("Older form of `proxy.username`.", default=None, deprecated="proxy.username")
    proxy_password: str | None = prop(
        "Older form of `proxy.password`.", default=None, deprecated="proxy.password", secret=True
    )
    log_level: LogLevel | None = prop("Older form of `logs`.", default=None, deprecated="logs")

    def terms(self, *, allow_failed: bool, ssl: Ssl | None) -> Terms:
        """The terms these options mean; where an older form stands beside today's, today's is taken.

        allow_failed, ssl: the older forms of two options, written on the task itself. Raises Invalid.
        """
        if not is_charset(self.default_charset):
            where = "$.options.defaultCharset"
            raise Invalid(f"`{self.default_charset}` is not a charset", where=where, expected="UTF-8, …")
        return Terms(
            auth=self._auth(),
            timeout=self._timeout(),
            proxy=self._proxy(),
            trust_all=(self.ssl or ssl or Ssl()).insecure_trust_all_certificates,
            follow_redirects=self.follow_redirects,
            allow_failed=self.allow_failed or allow_failed,
            allowed_codes=tuple(self.allowed_response_codes),
            charset=self.default_charset,
            logs=tuple(self.logs) or _PARTS_OF_LEVEL.get(self.log_level or "", ()),
            max_length=self.max_content_length,
        )

    def ineffective(self) -> tuple[str, ...]:
        """Names of options that are written and change nothing (the reference accepts and ignores them too)."""
        ignored = {
            "readIdleTimeout": self.read_idle_timeout,
            "connectionPoolIdleTimeout": self.connection_pool_idle_timeout,
        }
        return tuple(name for name, value in ignored.items() if value is not None)

    def _auth(self) -> Auth | None:
        if self.auth is not None:
            return self.auth.checked()
        if self.basic_auth_user is None and self.basic_auth_password is None:
            return None
        return Auth(type_="BASIC", username=self.basic_auth_user, password=self.basic_auth_password).checked()

    def _timeout(self) -> Timeout:
        if self.timeout is not None:
            return self.timeout
        written = {"connect_timeout": self.connect_timeout, "read_idle_timeout": self.read_timeout}
        return Timeout(**{name: value for name, value in written.items() if value is not None})

    def _proxy(self) -> Proxy | None:
        if self.proxy is not None or self.proxy_address is None:
            return self.proxy
        return Proxy(
            type_=self.proxy_type or "DIRECT",
            address=self.proxy_address,
            port=self.proxy_port,
            username=self.proxy_username,
            password=self.proxy_password,
        )


def is_charset(name: str) -> bool:
    """Whether text can be written in it; Python knows others that are for bytes, such as `hex`."""
    try:
        " ".encode(name)
    except (LookupError, ValueError):
        return False
    return True
