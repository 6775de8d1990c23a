"""A mail server of the tests: it takes mails, refuses them, or is away, on a port of its own."""

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope

from kit import World


class Postbox:
    """What arrived, in order; `answer` is what the server says to every recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []
        self.answer = "250 OK"
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Be there, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="postbox.example", loop=loop), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Be away."""
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def tokens(self) -> list[str]:
        """The invitation tokens in the mails."""
        return [token_in(mail) for mail in self.mails]

    async def handle_RCPT(self, _s: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        if self.answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 OK"


def token_in(mail: EmailMessage) -> str:
    """The token of the link in a mail."""
    (token,) = re.findall(r"/#invitation=(\S+)", mail.get_content())
    return str(token)


async def deliver(world: World) -> int:
    """Let the application send what is due."""
    sent: int = await world.app.state.outbox.deliver()
    return sent
