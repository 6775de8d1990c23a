"""The audit as those who audit an organization read it: who read or changed whose record, newest first."""

import enum
from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, and_, false, true
from sqlalchemy import inspect as mapped

from caregraph.db import audit
from caregraph.db.base import Base
from caregraph.db.keys import SUBJECT, model_of, referred
from caregraph.graph.context import Context
from caregraph.graph.errors import refuse_nul
from caregraph.graph.fields import describe, field, member, method
from caregraph.graph.node import Node, global_id, node, parse_id
from caregraph.graph.relations import referenced
from caregraph.refs import UserRef


@strawberry.enum(description="What an entry of the audit is about.")
class AuditKind(enum.Enum):
    """The kinds of `db/audit.py`, described."""

    READ = member("READ", "Rows of clients' records were read, or files of theirs, or the audit itself.")
    AGGREGATE = member("AGGREGATE", "Clients' records were counted or computed over, and none was shown.")
    CREATE = member("CREATE", "Something is new.")
    UPDATE = member("UPDATE", "Something is different.")
    DELETE = member("DELETE", "Something is gone.")
    SIGN_IN = member("SIGN_IN", "A user signed in and was given a token.")
    REFUSED = member("REFUSED", "Access was denied, or credentials were wrong.")


@strawberry.enum(description="As whom somebody acted.")
class AuditActor(enum.Enum):
    """The actors of `db/audit.py`, described."""

    USER = member("USER", "A signed-in user.")
    APPLICATION = member("APPLICATION", "A program with credentials of its own.")
    CALCULATOR = member("CALCULATOR", "Calculator credentials.")
    SYSTEM = member("SYSTEM", "The server itself: its jobs, and the commands of whoever runs it.")
    LINK = member("LINK", "Whoever held a download link; `user` is for whom it was made.")
    NOBODY = member("NOBODY", "Somebody who was not signed in; `user` is whose account was tried.")


@strawberry.enum(description="What happened to rows.")
class AuditedChangeKind(enum.Enum):
    """The kinds of `db/events.py`, as the audit tells them."""

    CREATED = member("CREATED", "They are new.")
    UPDATED = member("UPDATED", "They are different.")
    DELETED = member("DELETED", "They are gone.")


@strawberry.type(description="Rows of one type to which the same happened in one transaction.")
class AuditedChange:
    """Rows that went along with another, by the database's cascades, are told too."""

    type_name: str = field("Type of the rows: a type of this graph, or a link such as `ClientOwner`.")
    change: AuditedChangeKind = field("What happened to them.")
    rows: list[list[strawberry.ID]] = field(
        "Id of each row; of a link the ids of the rows that it joins. Empty where rows came in bulk."
    )


@node(audit.AuditEvent)
class AuditEvent(Node):
    """An entry of the audit. It holds ids and no names, and is never changed or deleted, not even with its client."""

    occurred_at: datetime = field("When it was written down: for changes just before their commit.")
    address: str | None = field("Network address that the request came from; null for the server's own jobs.")
    operation: str | None = field("Name of the GraphQL operation; null where it had none.")
    fields: list[str] = field("Root fields of the operation that the entry is about, by their names in the schema.")
    user: UserRef | None = referenced("user_id", "The user who acted; null when there was none, or none any more.")

    @method("As whom somebody acted.")
    def actor(self: audit.AuditEvent) -> AuditActor:
        """By its stored name."""
        return AuditActor(self.actor)

    @method("What it is about.")
    def kind(self: audit.AuditEvent) -> AuditKind:
        """By its stored name."""
        return AuditKind(self.kind)

    @method("Id of the user who acted, also of one who is there no more.")
    def user_id(self: audit.AuditEvent) -> strawberry.ID | None:
        """Global."""
        return None if self.user_id is None else strawberry.ID(global_id("User", self.user_id))

    @method("Id of the program that acted, also of one that is there no more.")
    def application_id(self: audit.AuditEvent) -> strawberry.ID | None:
        """Global."""
        return None if self.application_id is None else strawberry.ID(global_id("Application", self.application_id))

    @method("Ids of the clients whose records were read or changed, also of those who are there no more.")
    def client_ids(self: audit.AuditEvent) -> list[strawberry.ID]:
        """Global."""
        return [strawberry.ID(global_id(_subject(), row_id)) for row_id in self.client_ids]

    @method("What changed; empty for what was read or refused.")
    def changes(self: audit.AuditEvent) -> list[AuditedChange]:
        """By type and by what happened."""
        return [
            AuditedChange(
                type_name=name, change=AuditedChangeKind(change), rows=[list(_ids(name, key)) for key in keys]
            )
            for name, change, keys in self.changes
        ]


def _ids(name: str, key: list[int]) -> list[Any]:
    """Global ids of a row, or of the rows at the ends of a link."""
    model = next((one.class_ for one in Base.registry.mappers if one.class_.__name__ == name), None)
    if model is None or len(key) == 1:
        return [global_id(name, row_id) for row_id in key]
    ends = (model_of(referred(column).table).__name__ for column in mapped(model).primary_key)
    return [global_id(end, row_id) for end, row_id in zip(ends, key, strict=True)]


async def found(
    context: Context,
    *,
    client: Annotated[strawberry.ID | None, describe("Only about this client, who need not be there any more.")] = None,
    user: Annotated[strawberry.ID | None, describe("Only of this user, who need not be there any more.")] = None,
    kind: Annotated[AuditKind | None, describe("Only of this kind.")] = None,
    operation: Annotated[str | None, describe("Only of operations with exactly this name.")] = None,
    from_: Annotated[datetime | None, describe("Only from this instant on.")] = None,
    to: Annotated[datetime | None, describe("Only before this instant.")] = None,
) -> ColumnElement[bool] | None:
    """Which entries to list; all conditions must hold."""
    event = audit.AuditEvent
    refuse_nul("operation", operation)
    conditions: list[ColumnElement[bool]] = [true()]
    if client is not None:
        row_id = _row_id(client, _subject())
        named = audit.names_client(row_id or 0, is_sqlite=context.database.is_sqlite)
        conditions.append(named if row_id else false())
    if user is not None:
        row_id = _row_id(user, "User")
        conditions.append(event.user_id == row_id if row_id else false())
    if kind is not None:
        conditions.append(event.kind == kind.value)
    if operation is not None:
        conditions.append(event.operation == operation)
    if from_ is not None:
        conditions.append(event.occurred_at >= from_)
    if to is not None:
        conditions.append(event.occurred_at < to)
    return and_(*conditions)


def _subject() -> str:
    """What those are called in the graph whom records are about: a type of a later slice."""
    return model_of(Base.metadata.tables[SUBJECT]).__name__


def _row_id(text: str, name: str) -> int | None:
    parsed = parse_id(text)
    return parsed[1] if parsed is not None and parsed[0] == name else None
