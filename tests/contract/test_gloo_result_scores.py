"""`gloo.result_scores.get`: bands of results in words."""

from contract.asserts import assert_nobody_is_refused
from kit import World

BANDS = {
    "Flourishing": "Doing well in most parts of life.",
    "Trusting": "Relying on others and on what one believes.",
    "Growing": "Getting better than before.",
    "Exploring": "Looking for what fits.",
    "Unwavering": "Holding on in spite of difficulties.",
    "Enduring": "Bearing a hard time.",
}


async def test_get_names_the_bands_of_a_result(world: World) -> None:
    known = await world.user.run("gloo.result_scores.get", slug="barna-pulse-pastor-poll")
    unknown = await world.user.run("gloo.result_scores.get", slug="nothing")

    assert known.result == [
        {"label": label, "score": None, "description": text, "details": []} for label, text in BANDS.items()
    ]
    assert unknown.result == []
    await assert_nobody_is_refused(world, "gloo.result_scores.get", slug="barna-pulse-pastor-poll")
    refused = await world.calculator.run("gloo.result_scores.get", slug="barna-pulse-pastor-poll")
    assert refused.error == ("FORBIDDEN", "Access denied")
