"""Many rows at once for lists, and how a list is walked."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from caregraph.people.models import Client, ClientOwner
from caregraph.treatment.models import Episode, EpisodeClient
from kit import Principal


async def make_clients(owner: Principal, *names: str, birth_dates: dict[str, date] | None = None) -> list[Client]:
    """Clients of these names in one transaction, in the order of their ids."""
    async with owner.world.writing(owner) as tx:
        clients = [Client(full_name=name, birth_date=(birth_dates or {}).get(name)) for name in names]
        for client in clients:
            tx.add(client)
            await tx.flush()
        tx.add_all(ClientOwner(client_id=client.id, user_id=owner.row_id) for client in clients)
    return clients


async def make_episodes(owner: Principal, client: Client, **episodes: dict[str, Any]) -> list[Episode]:
    """Episodes of a client by title."""
    async with owner.world.writing(owner) as tx:
        made = [
            Episode(**{"title": title, "start_date": date(2026, 1, 5), **values}) for title, values in episodes.items()
        ]
        for episode in made:
            tx.add(episode)
            await tx.flush()
        tx.add_all(EpisodeClient(episode_id=episode.id, client_id=client.id) for episode in made)
    return made


Fetch = Callable[..., Awaitable[dict[str, Any]]]


async def walk_forwards(fetch: Fetch, size: int, **arguments: Any) -> list[list[str]]:
    """The pages of a list from its start to its end, each the names on it."""
    return await _walk(fetch, {"first": size}, "after", "endCursor", "hasNextPage", arguments)


async def walk_backwards(fetch: Fetch, size: int, **arguments: Any) -> list[list[str]]:
    """The pages of a list from its end to its start, each the names on it."""
    return await _walk(fetch, {"last": size}, "before", "startCursor", "hasPreviousPage", arguments)


async def _walk(
    fetch: Fetch, size: dict[str, int], argument: str, cursor: str, goes_on: str, arguments: dict[str, Any]
) -> list[list[str]]:
    pages = []
    position: dict[str, str] = {}
    while True:
        page = await fetch(**size, **position, **arguments)
        pages.append([node["name"] for node in page["nodes"]])
        assert len(pages) < 100, "the list does not end"
        if not page["pageInfo"][goes_on]:
            return pages
        position = {argument: page["pageInfo"][cursor]}
