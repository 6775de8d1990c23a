"""What is particular to clients."""

from factories.people import make_client
from kit import World


async def test_users_see_their_own_clients_and_superusers_all(world: World) -> None:
    await make_client(world.user, full_name="Own")
    await make_client(world.colleague, full_name="Another's")
    await make_client(world.other_user, full_name="Elsewhere")
    query = "{ clients { totalCount nodes { fullName } } }"

    assert (await world.user.ask(query)).data["clients"] == {"totalCount": 1, "nodes": [{"fullName": "Own"}]}
    assert (await world.superuser.ask(query)).data["clients"]["totalCount"] == 2
    assert (await world.other_superuser.ask(query)).data["clients"]["nodes"] == [{"fullName": "Elsewhere"}]
    assert (await world.nobody.ask(query)).error == ("UNAUTHENTICATED", "Authentication failed")
