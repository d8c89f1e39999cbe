"""Texts that are kept encrypted."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from core.model.codec import SecretText
from core.work.encryption import decrypt, encrypt
from core.work.secrets import SEALED, Redactor, Secrets

KEY = "I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK"
OTHER = "AAAAAAAAAAAAAAAAAAAAAA=="
VECTOR = bytes(range(12))


def test_what_was_encrypted_can_be_decrypted_with_the_same_key() -> None:
    sealed = encrypt(KEY, "grüße", VECTOR)

    assert "grü" not in sealed
    assert decrypt(KEY, sealed) == "grüße"
    assert encrypt(KEY, "grüße", bytes(12)) != sealed


def test_another_key_does_not_decrypt() -> None:
    with pytest.raises(Invalid) as caught:
        decrypt(OTHER, encrypt(KEY, "text", VECTOR))
    assert str(caught.value) == (
        "setting encryption_key: a secret was encrypted with another key\n  to do: set the earlier key again"
    )


@pytest.mark.parametrize("key", ["short", "AAAA", "ü"])
def test_a_key_that_can_not_be_used_is_refused(key: str) -> None:
    with pytest.raises(Invalid) as caught:
        encrypt(key, "text", VECTOR)
    assert str(caught.value) == (
        "setting encryption_key: the key can't be used\n  expected: base64 of 16, 24 or 32 bytes"
    )


def test_a_sealed_text_is_a_secret_that_is_hidden_once_it_was_read() -> None:
    secrets = Secrets({}, None, KEY)
    sealed = secrets.sealed("hush-hush", VECTOR)
    redactor = Redactor(secrets)

    assert str(sealed) == "••••"
    assert sealed.reveal(redactor.get) == "hush-hush"
    assert redactor.hide("it is hush-hush") == "it is ••••"
    assert redactor.mark("hush-hush") == SecretText(((SEALED, encrypt(KEY, "hush-hush", VECTOR)),))


def test_without_a_key_nothing_is_unsealed() -> None:
    sealed = Secrets({}, None, KEY).sealed("hush-hush", VECTOR)

    assert not Secrets({}).seals
    with pytest.raises(Invalid) as caught:
        sealed.reveal(Redactor(Secrets({})).get)
    assert str(caught.value) == (
        "setting encryption_key: a value is encrypted, and no key is set\n  expected: the key that was set then"
    )
