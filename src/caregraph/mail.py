"""Mails: what one is, and how it leaves the server, to a terminal or to an SMTP server."""

import re
import sys
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from typing import Protocol, TextIO
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from .settings import PREFIX, InvalidSettingError, Settings

_PORTS = {"smtp": 587, "smtps": 465}
_SECONDS = 20
_REFUSED_FOR_GOOD = range(500, 600)
# What browsers take for an e-mail address (HTML standard): nothing in it can end a header or a command.
_ADDRESS = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+"
)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail of plain text to one person."""

    to: str
    subject: str
    text: str


class MailError(Exception):
    """A mail was not taken; later it may be. Says nothing of what is in it."""


class UndeliverableError(MailError):
    """A mail will not be taken, however often it is tried."""


class Sender(Protocol):
    """How mails leave."""

    async def send(self, mail: Mail) -> None:
        """Hand over one mail; raises `MailError` unless it was taken."""


def sender_of(settings: Settings) -> Sender:
    """The sender that the settings name."""
    url = urlsplit(settings.mail_url)
    if not _ADDRESS.fullmatch(parseaddr(settings.mail_from)[1]):
        raise InvalidSettingError(f"{PREFIX}MAIL_FROM must be an e-mail address, or a name and an address in <>")
    if url.scheme == "console":
        return Console(shows=settings.development or settings.log_format == "text")
    try:
        known = url.scheme in _PORTS and url.hostname and (url.port or _PORTS[url.scheme])
    except ValueError:
        known = None
    if not known:
        raise InvalidSettingError(f"{PREFIX}MAIL_URL must be console:, smtp://host:port or smtps://host:port")
    return Smtp(url, settings.mail_from)


def is_mailable(address: str) -> bool:
    """Whether a mail can be addressed to `address` as it stands."""
    return _ADDRESS.fullmatch(address) is not None


def plain(name: str) -> str:
    """A name as it may stand in a mail: on one line, and nothing that mail programs make a link of."""
    printable = "".join(one if one.isprintable() and one not in "<>:/\\@" else " " for one in name)
    return re.sub(r"[.](?=\S)", ". ", " ".join(printable.split()))


class Console:
    """Shows mails on a terminal, for development. Where logs are collected it shows none: mails name people."""

    def __init__(self, *, shows: bool, stream: TextIO | None = None) -> None:
        """Onto `stream`, or standard error."""
        self._shows = shows
        self._stream = stream

    async def send(self, mail: Mail) -> None:
        """Write the mail out."""
        if not self._shows:
            raise UndeliverableError(f"no mail server: set {PREFIX}MAIL_URL")
        stream = self._stream or sys.stderr
        stream.write(f"\n--- mail to {mail.to}: {mail.subject}\n{mail.text}---\n")
        stream.flush()


class Smtp:
    """Hands mails to an SMTP server. Credentials are only sent over TLS."""

    def __init__(self, url: SplitResult, sender: str) -> None:
        """`smtp://` takes up TLS when the server offers it and must with credentials; `smtps://` begins with it."""
        self._url = url
        self._name, self._address = parseaddr(sender)

    async def send(self, mail: Mail) -> None:
        """One connection per mail: there are few."""
        url = self._url
        try:
            message = self._message(mail)
        except ValueError as error:
            raise UndeliverableError("it cannot be written as a mail") from error
        try:
            await aiosmtplib.send(
                message,
                sender=self._address,
                recipients=[mail.to],
                hostname=url.hostname,
                port=url.port or _PORTS[url.scheme],
                username=unquote(url.username) if url.username else None,
                password=unquote(url.password) if url.password else None,
                use_tls=url.scheme == "smtps",
                start_tls=True if url.scheme == "smtp" and url.username else None,
                local_hostname=self._domain,
                timeout=_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            for_good = all(one.code in _REFUSED_FOR_GOOD for one in error.recipients)
            raise (UndeliverableError if for_good else MailError)("the recipient was refused") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailError("the mail server did not take it") from error

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(self._name, addr_spec=self._address)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message

    @property
    def _domain(self) -> str:
        return self._address.rpartition("@")[2]
