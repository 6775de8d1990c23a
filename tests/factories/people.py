"""Clients and labels."""

from typing import Any

from caregraph.people import models
from caregraph.people.enums import ConsentKind
from kit import Principal


async def make_client(owner: Principal, *others: Principal, **overrides: Any) -> models.Client:
    """A client whom `owner` and `others` own."""
    async with owner.world.writing(owner) as tx:
        client = models.Client(**{"full_name": "Kim Client", **overrides})
        tx.add(client)
        await tx.flush()
        for one in (owner, *others):
            tx.add(models.ClientOwner(client_id=client.id, user_id=one.row_id))
    return client


async def make_label(principal: Principal, name: str, *carriers: models.Client) -> models.Label:
    """A label on some clients."""
    async with principal.world.writing(principal) as tx:
        label = models.Label(name=name)
        tx.add(label)
        await tx.flush()
        for client in carriers:
            tx.add(models.ClientLabel(client_id=client.id, label_id=label.id))
    return label


async def make_consent(principal: Principal, client: models.Client, **overrides: Any) -> models.Consent:
    """A consent of `client` that `principal` recorded."""
    values = {"kind": ConsentKind.SMS, "given": True, "recorded_by": principal.row_id}
    async with principal.world.writing(principal) as tx:
        consent = models.Consent(**{**values, **overrides}, client_id=client.id)
        tx.add(consent)
    return consent


async def make_file(principal: Principal, client: models.Client, **overrides: Any) -> models.File:
    """A file about `client`, of which the storage has nothing."""
    values = {"name": "letter.pdf", "content_type": "application/pdf", "size": 1, "sha256": "00", "storage_key": "key"}
    async with principal.world.writing(principal) as tx:
        file = models.File(**{**values, **overrides}, client_id=client.id)
        tx.add(file)
    return file


async def make_group(principal: Principal, name: str, *clients: models.Client, **overrides: Any) -> models.Group:
    """A group with some clients in it."""
    async with principal.world.writing(principal) as tx:
        group = models.Group(**{"name": name, **overrides})
        tx.add(group)
        await tx.flush()
        for client in clients:
            tx.add(models.ClientGroup(client_id=client.id, group_id=group.id))
    return group
