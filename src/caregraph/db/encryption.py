"""National numbers, e-mail addresses and telephone numbers at rest: encrypted columns, and what finds them again.

A keyring belongs to an engine, as part of its dialect: types find it there, and applications with different keys live
in one process. Without a key everything is stored as it is. What was stored before a key came, or under an earlier
one, stays readable until `db/rotation.py` has written it anew.
"""

import base64
import binascii
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, Dialect, Table, Text, TypeDecorator
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import mapped_column
from sqlalchemy.sql import operators

from caregraph.settings import NO_KEY, PREFIX, named_keys

SETTING = f"{PREFIX}ENCRYPTION_KEYS"
MARK = "sealed:"
"""Begins every stored value that is not simply the value: `sealed:<key>:<nonce and ciphertext>`."""

_PLAIN = f"{MARK}:"
_NONCE = 12
_ATTRIBUTE = "caregraph_keyring"

Normal = Callable[[str], str]


class UnreadableValueError(Exception):
    """A stored value that no key of this server opens, or that somebody altered. It is never shown as it lies there."""


@dataclass(frozen=True, repr=False)
class Key:
    """One key: what encrypts, what finds, and what shows which key it is, each derived from the same secret."""

    name: str
    cipher: AESGCM
    index: bytes
    proof: str

    @classmethod
    def of(cls, name: str, secret: bytes) -> "Key":
        """Derive all three."""
        return cls(
            name,
            AESGCM(_derived(secret, b"caregraph encryption")),
            _derived(secret, b"caregraph blind index"),
            _derived(secret, b"caregraph proof").hex(),
        )


class Keyring:
    """The keys of one server: the first encrypts, all decrypt. With none, or `none` first, nothing is encrypted."""

    def __init__(self, setting: str) -> None:
        """`setting` is `name:base64` of 32 bytes, several with commas between."""
        named = named_keys(setting)
        self.keys = {name: Key.of(name, secret) for name, secret in named.items() if secret is not None}
        self.first = self.keys.get(next(iter(named), NO_KEY))

    @property
    def prefix(self) -> str | None:
        """How values begin that were stored under the first key; null when nothing is encrypted."""
        return None if self.first is None else f"{MARK}{self.first.name}:"

    def seal(self, value: str, place: str) -> str:
        """What to store for `value` in the column `place`."""
        if self.first is None:
            return f"{_PLAIN}{value}" if value.startswith(MARK) else value
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self.first.cipher.encrypt(nonce, value.encode(), place.encode())
        return f"{MARK}{self.first.name}:{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, stored: str, place: str) -> str:
        """The value behind what is stored in `place`; raises for what cannot be read."""
        if not stored.startswith(MARK):
            return stored
        if stored.startswith(_PLAIN):
            return stored.removeprefix(_PLAIN)
        name, _, text = stored.removeprefix(MARK).partition(":")
        if name not in self.keys:
            raise UnreadableValueError(f"{place} holds a value under a key that this server does not have")
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
            return self.keys[name].cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise UnreadableValueError(f"{place} holds a value that the key {name} does not open") from error

    def index(self, normal: str, place: str, organization_id: int) -> str:
        """What equal values of one organization's column have in common, under the first key."""
        return _index(self.first, normal, place, organization_id)

    def indexes(self, normal: str, place: str, organization_id: int | None) -> list[str]:
        """Every form in which an equal value may be indexed, whenever it was stored; none for nothing."""
        keys = (None, *self.keys.values()) if normal else ()
        return [_index(key, normal, place, organization_id) for key in keys]


def _index(key: Key | None, normal: str, place: str, organization_id: int | None) -> str:
    if key is None:
        return f"={normal}"
    return "#" + digest(key.index, f"{organization_id}\0{place}\0{normal}".encode(), sha256).hex()


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=purpose).derive(secret)


def equip(engine: AsyncEngine, keyring: Keyring) -> None:
    """Give `engine` its keys."""
    vars(engine.sync_engine.dialect)[_ATTRIBUTE] = keyring


def keyring_of(dialect: Dialect) -> Keyring:
    """The keys of a dialect's engine; one that was given none can read what is not encrypted."""
    found = vars(dialect).get(_ATTRIBUTE)
    return found if isinstance(found, Keyring) else Keyring("")


class Encrypted(TypeDecorator[str]):
    """Text that is encrypted when the engine has a key. Nothing but null can be asked of such a column in SQL."""

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        """`place` is `table.column`: a value copied into another column cannot be read there."""
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt."""
        return None if value is None else keyring_of(dialect).seal(value, self.place)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt."""
        return None if value is None else keyring_of(dialect).open(value, self.place)

    @property
    def python_type(self) -> type[str]:
        """What it holds."""
        return str

    class Comparator(TypeDecorator.Comparator[str]):
        """Refuses comparisons: equal values are stored differently."""

        def operate(self, op: Any, *other: Any, **options: Any) -> Any:
            """Only whether there is a value."""
            if op not in {operators.is_, operators.is_not} or other != (None,):
                raise TypeError("An encrypted column cannot be compared or ordered: ask its blind index")
            return super().operate(op, *other, **options)

    comparator_factory = Comparator


def number(text: str) -> str:
    """A national or local number without what people put between its characters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(one for one in folded if not one.isspace() and unicodedata.category(one) != "Pd")


def telephone(text: str) -> str:
    """A telephone number's digits, with the plus of a country."""
    return "".join(one for one in number(text) if one not in "().-/")


def mailbox(text: str) -> str:
    """An e-mail address in any case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def blind_index(of: str, normal: Normal) -> Any:
    """A column that finds equal values of the encrypted column `of`; `normal` says what counts as equal."""
    return mapped_column(Text, nullable=True, info={"blind": (of, normal), "internal": True})


def blind_indexes(table: Table, values: Mapping[str, Any], keyring: Keyring) -> dict[str, str | None]:
    """The blind indexes of a row with these values, by column."""
    found: dict[str, str | None] = {}
    for column in table.c:
        if "blind" in column.info:
            of, normal = column.info["blind"]
            text = values.get(of)
            place = f"{table.name}.{of}"
            found[column.name] = None if text is None else keyring.index(normal(text), place, values["organization_id"])
    return found


def equals(column: Any, text: str, keyring: Keyring, organization_id: int | None) -> ColumnElement[bool]:
    """Whether the value behind the blind index `column` equals `text`."""
    of, normal = column.info["blind"]
    place = f"{column.property.columns[0].table.name}.{of}"
    return column.in_(keyring.indexes(normal(text), place, organization_id))  # type: ignore[no-any-return]
