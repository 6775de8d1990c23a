"""Signed, expiring links: whoever holds one may fetch one thing until it expires, and nothing else."""

import base64
import binascii
import hashlib
import hmac
import time


class Links:
    """Makes and reads link tokens (HMAC-SHA256). Only ids are in them."""

    def __init__(self, secret: str, *, lifetime: int) -> None:
        """`lifetime` in seconds."""
        self._secret = secret.encode()
        self.lifetime = lifetime

    def token(self, *ids: int) -> str:
        """A token for `ids` that expires."""
        text = ".".join(str(number) for number in (*ids, int(time.time()) + self.lifetime))
        return _encode(text.encode()) + "." + _encode(self._signature(text))

    def ids(self, token: str) -> tuple[int, ...] | None:
        """The ids of a token; null for one that is expired, altered or not ours."""
        text, _, signature = token.partition(".")
        try:
            plain = _decode(text).decode()
            if not hmac.compare_digest(_decode(signature), self._signature(plain)):
                return None
            *ids, expires = (int(part) for part in plain.split("."))
        except (ValueError, binascii.Error):
            return None
        return tuple(ids) if expires >= time.time() else None

    def _signature(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
