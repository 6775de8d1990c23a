"""kill -9 between a commit and its mail: the next process sends it."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from process import Process
from sqlalchemy import update

from caregraph.db.base import now
from caregraph.db.outbox import OutgoingMail
from kit import World
from postbox import Postbox

CREATE = 'mutation { createInvitation(input: {email: "dina@away.example"}) { node { delivery } errors { code } } }'
STATUS = "{ invitations { nodes { delivery } } }"


class SlowPostbox(Postbox):
    """Whoever calls waits until they are let in."""

    def __init__(self) -> None:
        super().__init__()
        self.called = asyncio.Event()
        self.let_in = asyncio.Event()

    async def handle_EHLO(  # noqa: N802
        self, _s: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.called.set()
        await self.let_in.wait()
        return responses


async def _ask(process: Process, world: World, query: str) -> Any:
    response = await process.http.post("/graphql", json={"query": query}, headers=world.superuser.headers)
    return response.json()["data"]


async def test_a_mail_outlives_the_process_that_promised_it(world: World, tmp_path: Path) -> None:
    async with SlowPostbox() as postbox:
        async with Process(world, tmp_path, mail_url=postbox.url) as process:
            made = (await _ask(process, world, CREATE))["createInvitation"]
            assert made == {"node": {"delivery": "WAITING"}, "errors": []}
            await postbox.called.wait()
            process.signal(signal.SIGKILL)
            assert await process.ended() == -signal.SIGKILL
        postbox.let_in.set()
        async with world.writing(world.superuser) as tx:  # as if its time were over
            await tx.execute(update(OutgoingMail).values(due_at=now()))

        async with Process(world, tmp_path, mail_url=postbox.url) as process:
            while (await _ask(process, world, STATUS))["invitations"]["nodes"] != [{"delivery": "SENT"}]:
                await asyncio.sleep(0.05)

        assert [mail["To"] for mail in postbox.mails] == ["dina@away.example"]
        assert "dina" not in process.said
