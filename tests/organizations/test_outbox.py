"""The outbox: mails leave after commit, are tried again, are given up visibly, and say nothing twice."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, or_, select, update

from caregraph.app import create_app
from caregraph.db import outbox
from caregraph.db.base import Base, table_of
from caregraph.db.outbox import DELAYS, LEASE, OutgoingMail
from caregraph.mail import Console, Mail, UndeliverableError, plain, sender_of
from caregraph.organizations import letters
from caregraph.organizations.models import Invitation, Organization, User
from caregraph.settings import InvalidSettingError
from kit import World, settings_for
from postbox import Postbox, deliver

CREATE = """mutation ($input: InvitationInput!) { createInvitation(input: $input) {
    node { id delivery lastSentAt } errors { code message path }
} }"""
RESEND = "mutation ($id: ID!) { resendInvitation(id: $id) { node { delivery } errors { code message } } }"
DELETE = "mutation ($id: ID!) { deleteInvitation(id: $id) { deletedId errors { code } } }"
STATUS = "query ($id: ID!) { invitation(id: $id) { delivery lastSentAt } }"
BY_TOKEN = "query ($token: String!) { openInvitation(token: $token) { email } }"
DINA = {"email": "Dina@Away.example", "firstName": "Dina", "lastName": "Dahl"}


@pytest.fixture
async def postbox(world: World) -> AsyncIterator[Postbox]:
    async with Postbox() as postbox:
        await world.restart(
            mail_url=postbox.url,
            mail_from="Caregraph <care@northfield.example>",
            public_url="https://care.example/app/",
            invitation_pause=0,
        )
        yield postbox


async def invite(world: World, **sent: Any) -> str:
    answer = await world.superuser.ask(CREATE, input={**DINA, **sent})
    payload = answer.data["createInvitation"]
    assert payload == {"node": {"id": payload["node"]["id"], "delivery": "WAITING", "lastSentAt": None}, "errors": []}
    return str(payload["node"]["id"])


async def status(world: World, invitation_id: str) -> tuple[str, bool]:
    """Where the mail is, and whether one was ever sent."""
    found = (await world.superuser.ask(STATUS, id=invitation_id)).data["invitation"]
    return found["delivery"], found["lastSentAt"] is not None


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """From now on the outbox takes it to be later by so much."""

    def moved() -> datetime:
        return present() + by

    present = outbox.now
    monkeypatch.setattr(outbox, "now", moved)


async def test_a_mail_is_sent_once_after_the_commit(world: World, postbox: Postbox) -> None:
    invitation_id = await invite(world)
    assert postbox.mails == []
    assert (await world.counts())["outgoing_mails"] == 1

    assert [await deliver(world), await deliver(world)] == [1, 0]

    (mail,) = postbox.mails
    assert postbox.envelopes == [("care@northfield.example", ["dina@away.example"])]
    assert (mail["From"], mail["To"]) == ("Caregraph <care@northfield.example>", "dina@away.example")
    assert mail["Subject"] == "Invitation to Northfield"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    until = (await world.row(select(table_of(Invitation).c.expires_at)))[0]
    (token,) = postbox.tokens
    assert mail.get_content().splitlines() == [
        "Hello Dina,",
        "",
        "Ada Admin invites you to work in the organization Northfield.",
        "",
        f"To accept, open this link until {until:%d %B %Y, %H:%M} UTC:",
        "",
        f"    https://care.example/app/#invitation={token}",
        "",
        "It works once. If you did not expect this mail, leave it: nothing happens then.",
    ]
    assert len(token) == 43
    assert await status(world, invitation_id) == ("SENT", True)
    assert (await world.nobody.ask(BY_TOKEN, token=token)).data == {"openInvitation": {"email": "dina@away.example"}}
    assert (await world.counts())["outgoing_mails"] == 0


async def test_the_token_is_in_the_mail_only(world: World, postbox: Postbox) -> None:
    await invite(world)
    await deliver(world)

    (token,) = postbox.tokens
    for table in Base.metadata.sorted_tables:
        holding = or_(*(cast(column, Text).contains(token) for column in table.c))
        assert (table.name, *await world.row(select(func.count()).select_from(table).where(holding))) == (table.name, 0)


async def test_what_is_refused_sends_nothing(world: World, postbox: Postbox) -> None:
    await world.superuser.ask(CREATE, input={**DINA, "email": "ben@northfield.example"})

    assert await deliver(world) == 0
    assert (await world.counts())["outgoing_mails"] == 0


async def test_a_server_that_is_away_gets_the_mail_when_it_is_back(
    world: World, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await postbox.close()
    invitation_id = await invite(world)

    assert [await deliver(world), await deliver(world)] == [1, 0]
    assert await status(world, invitation_id) == ("WAITING", False)

    await postbox.open()
    assert await deliver(world) == 0
    later(monkeypatch, DELAYS[0])
    assert await deliver(world) == 1
    assert await status(world, invitation_id) == ("SENT", True)
    assert len(postbox.mails) == 1


@pytest.mark.parametrize("answer", ["451 try again", "421 busy"])
async def test_a_mail_that_is_put_off_is_tried_so_often_and_then_given_up(
    world: World, postbox: Postbox, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    postbox.answer = answer
    invitation_id = await invite(world)

    for delay in DELAYS:
        assert await deliver(world) == 1
        assert await status(world, invitation_id) == ("WAITING", False)
        later(monkeypatch, delay)
    assert await deliver(world) == 1

    assert await status(world, invitation_id) == ("FAILED", False)
    assert (await world.counts())["outgoing_mails"] == 0
    assert postbox.mails == []


async def test_a_recipient_who_is_refused_for_good_is_not_tried_again(
    world: World, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    postbox.answer = "550 no such mailbox dina"
    invitation_id = await invite(world)

    assert await deliver(world) == 1

    assert await status(world, invitation_id) == ("FAILED", False)
    (record,) = (one for one in caplog.records if one.name == "caregraph.outbox")
    assert record.getMessage() == "a mail was given up"
    assert record.__dict__["fields"] == {"kind": "invitation", "attempts": 1, "error": "UndeliverableError"}
    postbox.answer = "250 OK"
    assert (await world.superuser.ask(RESEND, id=invitation_id)).data["resendInvitation"]["errors"] == []
    assert await status(world, invitation_id) == ("WAITING", False)
    await deliver(world)
    assert await status(world, invitation_id) == ("SENT", True)


async def test_two_processes_send_a_mail_once(world: World, postbox: Postbox) -> None:
    other = create_app(world.settings)
    emails = [f"dina{number}@away.example" for number in range(6)]
    for email in emails:
        await invite(world, email=email)

    sent = await asyncio.gather(*(app.state.outbox.deliver() for app in (world.app, other, world.app, other)))
    await other.state.database.close()

    assert sum(sent) == 6
    assert sorted(mail["To"] for mail in postbox.mails) == emails


async def test_a_mail_whose_sender_died_is_sent_by_another_with_a_token_of_its_own(
    world: World, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the first one arrived nobody knows: then it comes twice, and the last one opens the invitation."""

    class DiedError(BaseException):
        pass

    async def die(*_: object) -> None:
        raise DiedError

    invitation_id = await invite(world)
    with monkeypatch.context() as dying:
        dying.setattr(world.app.state.outbox, "_settle", die)
        with pytest.raises(DiedError):
            await deliver(world)
    assert await deliver(world) == 0

    later(monkeypatch, LEASE)
    assert await deliver(world) == 1

    first, second = postbox.tokens
    assert (await world.nobody.ask(BY_TOKEN, token=first)).data == {"openInvitation": None}
    assert (await world.nobody.ask(BY_TOKEN, token=second)).data == {"openInvitation": {"email": "dina@away.example"}}
    assert await status(world, invitation_id) == ("SENT", True)


async def test_who_lost_a_mail_to_another_sender_has_no_say(
    world: World, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = world.app.state.outbox
    invitation_id = await invite(world)
    ((mail_id, organization_id),) = await box._due()
    slow = await box._take(mail_id, organization_id)
    later(monkeypatch, LEASE)
    await deliver(world)

    await box._settle(slow, letters.InvitationLetter(public_url="").given_up)

    assert await status(world, invitation_id) == ("SENT", True)


async def test_sending_again_while_the_first_mail_is_on_its_way_leaves_one_that_opens(
    world: World, postbox: Postbox
) -> None:
    box = world.app.state.outbox
    invitation_id = await invite(world)
    ((mail_id, organization_id),) = await box._due()
    first = await box._take(mail_id, organization_id)

    await world.superuser.ask(RESEND, id=invitation_id)
    await box._send(first)

    assert await status(world, invitation_id) == ("WAITING", False)
    assert await deliver(world) == 1
    dead, alive = postbox.tokens
    assert (await world.nobody.ask(BY_TOKEN, token=dead)).data == {"openInvitation": None}
    assert (await world.nobody.ask(BY_TOKEN, token=alive)).data == {"openInvitation": {"email": "dina@away.example"}}
    assert await status(world, invitation_id) == ("SENT", True)


async def test_nothing_is_sent_for_an_invitation_that_is_gone_or_over(world: World, postbox: Postbox) -> None:
    gone = await invite(world)
    assert (await world.superuser.ask(DELETE, id=gone)).data["deleteInvitation"]["errors"] == []
    await invite(world, email="over@away.example")
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Invitation).values(expires_at=outbox.now()))

    assert await deliver(world) == 0

    assert postbox.mails == []
    assert (await world.counts())["outgoing_mails"] == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada\r\nBcc: eve@evil.example\r\n\r\nHi", "Ada Bcc eve evil. example Hi"),
        ("Ada\x01\x1b[31m\u202eadA", "Ada [31m adA"),
        ("https://evil.example/x?y", "https evil. example x?y"),
        ("St. Mary's & Søn", "St. Mary's & Søn"),
        ("<script>", "script"),
    ],
)
async def test_names_cannot_become_headers_or_links(world: World, postbox: Postbox, name: str, shown: str) -> None:
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Organization).where(Organization.id == 1).values(name=name))
        await tx.execute(update(User).where(User.id == world.superuser.row_id).values(full_name=name))
    await invite(world, firstName=name)

    await deliver(world)

    (mail,) = postbox.mails
    assert mail["Subject"] == f"Invitation to {shown}"
    assert mail.get_content().splitlines()[0] == f"Hello {plain(name)},"
    assert mail.get_content().splitlines()[2].endswith(f" invites you to work in the organization {shown}.")
    assert set(mail.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    }
    assert postbox.envelopes == [("care@northfield.example", ["dina@away.example"])]


async def test_the_running_application_sends_at_once(world: World, postbox: Postbox) -> None:
    async with world.app.router.lifespan_context(world.app):
        invitation_id = await invite(world)
        while await status(world, invitation_id) != ("SENT", True):
            await asyncio.sleep(0.01)

    assert len(postbox.mails) == 1


async def test_without_a_mail_server_it_fails_visibly_where_logs_are_collected(world: World) -> None:
    invitation_id = await invite(world)

    assert await deliver(world) == 1

    assert await status(world, invitation_id) == ("FAILED", False)


async def test_the_console_shows_mails_to_developers() -> None:
    stream = io.StringIO()
    mail = Mail(to="dina@away.example", subject="Hello", text="Text.\n")

    await Console(shows=True, stream=stream).send(mail)
    with pytest.raises(UndeliverableError, match=r"^no mail server: set CAREGRAPH_MAIL_URL$"):
        await Console(shows=False, stream=stream).send(mail)

    assert stream.getvalue() == "\n--- mail to dina@away.example: Hello\nText.\n---\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mail_url": "sendmail:"}, "CAREGRAPH_MAIL_URL must be console:, smtp://host:port or smtps://host:port"),
        ({"mail_url": "smtp:"}, "CAREGRAPH_MAIL_URL must be console:, smtp://host:port or smtps://host:port"),
        ({"mail_url": "smtp://h:99999"}, "CAREGRAPH_MAIL_URL must be console:, smtp://host:port or smtps://host:port"),
        ({"mail_from": "nobody"}, "CAREGRAPH_MAIL_FROM must be an e-mail address, or a name and an address in <>"),
        ({"public_url": "care.example"}, "CAREGRAPH_PUBLIC_URL must begin with https:// or http://"),
        ({"invitation_lifetime": 0}, "CAREGRAPH_INVITATION_LIFETIME must be above 0"),
        ({"pending_invitations": -1}, "CAREGRAPH_PENDING_INVITATIONS must not be below 0"),
    ],
)
def test_wrong_settings_are_refused_at_the_start(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        sender_of(settings_for("sqlite+aiosqlite://", **settings))

    assert str(caught.value) == message


async def test_credentials_are_not_sent_without_tls(world: World, postbox: Postbox) -> None:
    await world.restart(mail_url=postbox.url.replace("//", "//ada:secret@"))
    invitation_id = await invite(world)

    assert await deliver(world) == 1

    assert await status(world, invitation_id) == ("WAITING", False)
    assert postbox.mails == []
    assert (await world.row(select(OutgoingMail.attempts)))[0] == 1
