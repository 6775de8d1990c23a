"""What a scale can come to follows its items, their options and how they count."""

from caregraph.graph.node import global_id
from factories.assessments import make_item, make_scale
from kit import World

LIMITS = "query($id: ID!) { scale(id: $id) { minSumScore maxSumScore minMeanScore maxMeanScore } }"
WEIGH = 'mutation($id: ID!) { updateItemScale(id: $id, input: { weight: "2" }) { errors { message } } }'


async def limits(world: World) -> tuple[str | None, ...]:
    answer = await world.user.ask(LIMITS, id=global_id("Scale", 1))
    return tuple(answer.data["scale"].values())


async def test_limits_follow_items_and_options(world: World) -> None:
    for _ in range(2):
        await make_item(world.superuser, values=[0, 3])
    await make_scale(world.superuser)
    run, scale_id = world.superuser.run, global_id("Scale", 1)
    assert await limits(world) == (None,) * 4

    for one in (1, 2):
        await run("gloo.items.add_to_scale", scaleId=scale_id, itemId=global_id("Item", one))
    assert await limits(world) == ("0.0", "6.0", "0.0", "3.0")

    await run("gloo.item_options.update", id=global_id("ItemOption", 2), value="4")
    assert await limits(world) == ("0.0", "7.0", "0.0", "3.5")

    await run("gloo.item_options.create", itemId=global_id("Item", 1), text="Never", value="-1")
    assert await limits(world) == ("-1.0", "7.0", "-0.5", "3.5")

    await run("gloo.item_options.delete", id=global_id("ItemOption", 1))
    await world.superuser.ask(WEIGH, id=global_id("ItemScale", 2))
    assert await limits(world) == ("-1.0", "10.0", "-0.333333333333", "3.33333333333")  # of twice the weight

    await run("gloo.items.remove_from_scale", scaleId=scale_id, itemId=global_id("Item", 2))
    assert await limits(world) == ("-1.0", "4.0", "-1.0", "4.0")
