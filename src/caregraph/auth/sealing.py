"""Secrets that the server itself must read again: kept encrypted under a key that is not in the database."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class Seal:
    """AES-256-GCM under a key derived (HKDF-SHA-256) from the server's secret."""

    def __init__(self, secret_key: str) -> None:
        """Without `secret_key` nothing can be sealed."""
        derived = HKDF(SHA256(), 32, salt=None, info=b"caregraph application secrets")
        self._cipher = AESGCM(derived.derive(secret_key.encode())) if secret_key else None

    @property
    def is_usable(self) -> bool:
        """Whether there is a key."""
        return self._cipher is not None

    def sealed(self, secret: str, *, belongs_to: str) -> str | None:
        """`secret` encrypted; it opens only for the same `belongs_to`. Null without a key."""
        if self._cipher is None:
            return None
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), belongs_to.encode())).decode()

    def opened(self, sealed: str, *, belongs_to: str) -> str | None:
        """The secret again; null without the key it was sealed with."""
        if self._cipher is None:
            return None
        try:
            data = base64.b64decode(sealed)
            return self._cipher.decrypt(data[:_NONCE], data[_NONCE:], belongs_to.encode()).decode()
        except (InvalidTag, binascii.Error):
            return None
