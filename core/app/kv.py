"""The key-value stores of namespaces."""

from __future__ import annotations

import re
from typing import Any

from core.engine.clock import now
from core.errors import Invalid, NotFound
from core.host.records import RecordStore
from core.host.views import KvView
from core.model.codec import encode

_KEY = r"[a-zA-Z0-9][a-zA-Z0-9._-]*"


class KvService:
    """Implements `core.host.services.KeyValueStore`."""

    def __init__(self, organization: str, records: RecordStore) -> None:
        self._organization = organization
        self._records = records

    def get(self, namespace: str, key: str) -> KvView:
        found = self._records.kv(self._organization, namespace, key, now())
        if found is None:
            raise NotFound(f"the key `{key}` does not exist in the namespace `{namespace}`")
        return found

    def set(self, namespace: str, key: str, value: Any) -> KvView:
        if not re.fullmatch(_KEY, key):
            allowed = "letters, digits, `.`, `_` and `-`, a letter or digit first"
            raise Invalid(f"`{key}` can't be a key", expected=allowed)
        return self._records.set_kv(self._organization, namespace, key, encode(value), now())

    def list(self, namespace: str) -> tuple[KvView, ...]:
        return self._records.kvs(self._organization, namespace, now())

    def delete(self, namespace: str, key: str) -> bool:
        return self._records.delete_kv(self._organization, namespace, key)
