"""`fit.root.*`."""

from kit import Principal, World


async def test_hello_greets_anyone(world: World) -> None:
    greeting = {"helloFrom": "Caregraph", "apiReference": "/"}

    for principal in (world.nobody, *world.principals):
        assert (await principal.run("fit.root.hello")).result == greeting


async def test_hello_refuses_wrong_credentials(world: World) -> None:
    stranger = Principal(world, "stranger", {**world.user.headers, "X-Api-Token": "wrong"})

    answer = await stranger.run("fit.root.hello")

    assert answer.status == 401
    assert answer.error == ("UNAUTHENTICATED", "Authentication failed")
