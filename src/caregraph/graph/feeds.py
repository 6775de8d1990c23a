"""Subscriptions: a function of the viewer and the arguments becomes a field that follows events.

The function is called when the subscription starts and again for every event, each time with a fresh context: what it
refuses, and whom it lets see what, is decided anew. It answers a `Watch`, which turns an event of ids into the payload
that this viewer gets, or into nothing.
"""

import enum
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.unset import UNSET

from caregraph.auth.viewer import Permission
from caregraph.db.events import Event, Mailbox

from .computed import keyword_arguments
from .context import Context
from .errors import RequestError, demand
from .fields import KitField, kit_field, member


@strawberry.enum(description="What happened to a row.")
class ChangeKind(enum.Enum):
    """The kinds of `db/events.py`, described."""

    CREATED = member("CREATED", "It is new.")
    UPDATED = member("UPDATED", "It, or a part of it, is different.")
    DELETED = member("DELETED", "It is gone.")


@dataclass(frozen=True)
class Watch:
    """What a subscription follows, for one viewer."""

    concerns: Callable[[Event], bool]
    """Whether an event may matter, told from its ids alone."""
    payload: Callable[[Context, Event], Awaitable[Any]]
    """What the viewer gets; null for what the viewer does not see or did not ask for."""


@dataclass(frozen=True)
class Feed:
    """A subscription that has started: its mailbox fills from now on."""

    mailbox: Mailbox
    watch: Callable[[Context], Awaitable[Watch]]

    def __aiter__(self) -> AsyncIterator[Event]:
        """graphql-core wants a stream; ours is read through `mailbox`, which also knows of time and of an end."""
        raise TypeError("read the mailbox")


def subscription(function: Callable[..., Awaitable[Watch]], *, needs: Permission) -> Any:
    """A field of `Subscription` that follows what `function(context, **arguments)` answers."""
    return kit_field(
        f"{inspect.cleandoc(function.__doc__ or '')}\n\nNeeds: {needs.value}.",
        resolve=_start,
        arguments=lambda made: keyword_arguments(made.function),
        needs=needs,
        function=function,
        is_subscription=True,
    )


async def _start(made: KitField, _source: Any, info: Any, **arguments: Any) -> Feed:
    context: Context = info.context
    sent = {name: value for name, value in arguments.items() if value is not UNSET}

    async def watch(context: Context) -> Watch:
        demand(context.viewer, made.needs)
        watched: Watch = await made.function(context, **sent)
        return watched

    concerns = (await watch(context)).concerns
    organization_id = context.viewer.organization_id
    if organization_id is None:
        raise RequestError("UNAUTHENTICATED", "Authentication failed")
    database, settings = context.database, context.settings
    try:
        await database.listen(settings.pool_timeout)
    except TimeoutError as error:
        raise RequestError("UNAVAILABLE", "The server is busy, try again") from error
    return Feed(database.bus.open(organization_id, concerns, size=settings.subscription_queue), watch)
