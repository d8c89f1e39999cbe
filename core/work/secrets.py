"""Secrets: where their values come from, and how they are kept out of what people see."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.errors import Invalid, NotFound, Unreachable
from core.model.codec import SecretText
from core.work.encryption import KEY, decrypt, encrypt

SHORTEST = 4
SHORTEST_LINE = 8
"""Of a secret with several lines, the shortest one that is hidden by itself."""
TELLING_NOTHING = frozenset({"true", "false", "null"})
"""Values that stand everywhere: hiding them would hide no secret, and a condition would lose its meaning."""
MASK = "••••"
SEALED = "$sealed"
"""Names no secret of the environment, but an encrypted text that stands where a sub-key would."""


class Secrets:
    """Values by name, whatever its case: a dotenv file first, then `SECRET_NAME` variables (plain or base64)."""

    def __init__(self, environment: Mapping[str, str], file: Path | None = None, encryption_key: str = "") -> None:
        self._file = read_dotenv(file) if file else {}
        self._environment = environment
        self._key = encryption_key

    @property
    def seals(self) -> bool:
        """Whether there is a key to encrypt with."""
        return bool(self._key)

    def sealed(self, text: str, vector: bytes) -> SecretText:
        """A text as it stands encrypted in records; `Redactor.get` gives it back. Raises Invalid, Unreachable."""
        return SecretText(((SEALED, encrypt(self._key, text, vector)),))

    def unsealed(self, sealed: str) -> str:
        """Raises Invalid when it was sealed with another key, or with one that is not set any more."""
        if not self._key:
            raise Invalid("a value is encrypted, and no key is set", where=KEY, expected="the key that was set then")
        return decrypt(self._key, sealed)

    def get(self, name: str) -> str:
        """The value. Raises NotFound."""
        key = name.upper()
        if key in self._file:
            return self._file[key]
        value = self._environment.get(f"SECRET_{key}")
        if value is None:
            raise NotFound(
                f"Cannot find secret for key '{name}'.",
                expected=f"a line `{key}=…` in the file of --secrets, or the environment variable SECRET_{key}",
            )
        return _plain(value)


class Redactor:
    """Knows the secrets that one attempt used; hides them where people look, marks them in what is recorded."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._used: dict[str, tuple[str, ...]] = {}

    def get(self, name: str, subkey: str | None = None) -> str:
        """A secret's value, or one member of a secret that is a JSON object; from now on it is hidden."""
        if name == SEALED and subkey is not None:
            return self._unsealed(subkey)
        value = self._secrets.get(name)
        self._used[value] = (name.upper(),)
        return value if subkey is None else self._member(name, value, subkey)

    def know(self, name: str, sealed: str | None = None) -> None:
        """Hide a secret, and each member of one that is a JSON object. Raises NotFound, Invalid."""
        value = self.get(name, sealed)
        if sealed is None and value.lstrip().startswith("{"):
            with suppress(ValueError):
                for subkey in json.loads(value):
                    self._member(name, value, subkey)

    def _unsealed(self, sealed: str) -> str:
        value = self._secrets.unsealed(sealed)
        self._used[value] = (SEALED, sealed)
        return value

    def _member(self, name: str, value: str, subkey: str) -> str:
        try:
            content = json.loads(value)
        except ValueError:
            raise Invalid(
                f"Failed to read secret sub-key '{subkey}' from secret '{name}'. "
                "Ensure the secret contains valid JSON value."
            ) from None
        if not isinstance(content, dict) or subkey not in content:
            raise NotFound(f"Cannot find secret sub-key '{subkey}' in secret '{name}'.")
        part = content[subkey]
        text = part if isinstance(part, str) else json.dumps(part)
        self._used[text] = (name.upper(), subkey)
        return text

    def hide(self, text: str) -> str:
        """The text with every secret replaced by a mask."""
        if not self._used:
            return text
        for form in sorted({form for value in self._hidden() for form in _forms(value)}, key=len, reverse=True):
            text = text.replace(form, MASK)
        return text

    def cover(self, value: Any) -> Any:
        """The value with every text in it hidden where it holds a secret: for what is shown and never read again."""
        if not self._used:
            return value
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {self.cover(key): self.cover(item) for key, item in value.items()}
        return [self.cover(item) for item in value] if isinstance(value, (list, tuple)) else value

    def mark(self, value: Any) -> Any:
        """The value with every secret replaced by a reference that only expressions resolve."""
        if not self._used:
            return value
        if isinstance(value, str):
            return self._marked_text(value)
        if isinstance(value, Mapping):
            return {self.hide(key) if isinstance(key, str) else key: self.mark(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mark(item) for item in value]
        return value

    def _marked_text(self, text: str) -> str | SecretText:
        parts: list[str | tuple[str, ...]] = [text]
        for value in self._hidden():
            parts = [piece for part in parts for piece in _cut(part, value, self._used[value])]
        return text if parts == [text] else SecretText(tuple(parts))

    def _hidden(self) -> list[str]:
        hidden = (value for value in tuple(self._used) if len(value) >= SHORTEST and value not in TELLING_NOTHING)
        return sorted(hidden, key=len, reverse=True)


def _forms(value: str) -> list[str]:
    """How a secret may be met in a log: whole, written as JSON, and line by line (a private key, say)."""
    lines = [line.strip() for line in value.splitlines()]
    return [value, json.dumps(value, ensure_ascii=False)[1:-1], *(line for line in lines if len(line) >= SHORTEST_LINE)]


def _cut(part: str | tuple[str, ...], value: str, name: tuple[str, ...]) -> list[str | tuple[str, ...]]:
    if not isinstance(part, str):
        return [part]
    pieces: list[str | tuple[str, ...]] = []
    for piece in part.split(value):
        pieces += [piece, name] if piece else [name]
    return pieces[:-1]


def read_dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines; quotes around a value are dropped, `#` begins a comment line. Raises Unreachable, Invalid."""
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise Unreachable(f"the secrets can't be read: {(error.strerror or '').lower()}", where=str(path)) from error
    except UnicodeDecodeError as error:
        what = "the secrets can't be read: they are not UTF-8"
        raise Invalid(what, where=str(path), expected="NAME=value") from error
    found = {}
    for number, line in enumerate(lines, 1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise Invalid("this is not a secret", where=f"{path}:{number}", expected="NAME=value")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip().upper()] = value
    return found


def _plain(value: str) -> str:
    """The reference keeps secrets in base64, of one line or several; what is not that of printable text stays."""
    try:
        text = binascii.a2b_base64(value.replace("\r", "").replace("\n", ""), strict_mode=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return value
    return text if text and all(sign.isprintable() or sign in "\r\n\t" for sign in text) else value
