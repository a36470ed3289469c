"""Encryption at rest: AES-256-GCM under a key per person, campaign or endpoint, those under one key of the deployment.

A sealed value is `version byte + 12 bytes of nonce + ciphertext and tag`. The context is authenticated, not stored:
a value sealed for one context cannot be read in another, so that a row's secret moved to another row is unreadable.
"""

import hmac
import os
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = b"\x01"


class Unreadable(ValueError):
    """The key, the context or the sealed bytes are not those that were sealed; nothing tells which."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def seal(plaintext: bytes, *, key: bytes, context: str) -> bytes:
    """Encrypt and authenticate `plaintext`, bound to `context`."""
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(_checked(key)).encrypt(nonce, plaintext, _associated(context))


def unseal(sealed: bytes, *, key: bytes, context: str) -> bytes:
    """Return what was sealed, or raise `Unreadable`. Accepts a database's memoryview."""
    sealed = bytes(sealed)
    if sealed[:1] != VERSION:
        raise Unreadable("sealed by no version this code knows")
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(_checked(key)).decrypt(nonce, ciphertext, _associated(context))
    except (InvalidTag, ValueError) as error:
        raise Unreadable("the key, the context or the sealed bytes do not match") from error


def wrap_key(key: bytes, *, context: str) -> bytes:
    """Seal a key under the deployment's key, to be stored beside the row it belongs to."""
    return seal(_checked(key), key=_root_key("wrap key"), context=context)


def unwrap_key(wrapped: bytes, *, context: str) -> bytes:
    return unseal(wrapped, key=_root_key("wrap key"), context=context)


def seal_secret(secret: str, *, context: str = "") -> bytes:
    """Seal a secret such as an endpoint's API key; see `outbound.bind_secret` for one bound to its origin."""
    return seal(secret.encode(), key=_root_key("seal secret"), context=context)


def unseal_secret(sealed: bytes, *, context: str = "") -> str:
    return unseal(sealed, key=_root_key("seal secret"), context=context).decode()


def blind_digest(value: str | bytes, *, purpose: str, key: bytes | None = None) -> str:
    """Return 64 hex digits that stand for `value` and cannot be tried out without the key.

    HMAC-SHA256 under a key derived for `purpose`, from `key` (a campaign's, say) or from the deployment's, so that
    digests of two purposes or two campaigns cannot be joined.
    """
    derived = _root_key(f"digest {purpose}") if key is None else _derive(_checked(key), f"digest {purpose}")
    return hmac.new(derived, value.encode() if isinstance(value, str) else value, sha256).hexdigest()


def encryption_key() -> bytes:
    """The deployment's key, or `ImproperlyConfigured` naming the environment variable that sets it."""
    key = getattr(settings, "ENCRYPTION_KEY", b"")
    if not isinstance(key, bytes) or len(key) != KEY_BYTES:
        length = len(key) if isinstance(key, bytes) else 0
        raise ImproperlyConfigured(
            f"CARDINAL_ENCRYPTION_KEY must be base64 of {KEY_BYTES} random bytes, it holds {length}. Make one with:"
            ' python3 -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())" and keep a copy:'
            " without it nothing that was encrypted can be read."
        )
    return key


def is_usable() -> bool:
    """Whether the setting holds a key at all."""
    key = getattr(settings, "ENCRYPTION_KEY", b"")
    return isinstance(key, bytes) and len(key) == KEY_BYTES


def _root_key(purpose: str) -> bytes:
    return _derive_cached(encryption_key(), purpose)


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"cardinal {purpose}".encode()).derive(key)


# Only for keys of the deployment: a person's key must be gone from memory soon after it is destroyed.
_derive_cached = lru_cache(maxsize=256)(_derive)


def _checked(key: bytes) -> bytes:
    key = bytes(key)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key


def _associated(context: str) -> bytes:
    return b"cardinal/1/" + context.encode()
