"""`gloo.assessment_scales.get` and `gloo.domain_scales.get`: scales where they stand."""

from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import select

from caregraph.assessments.enums import Privacy
from caregraph.assessments.models import DomainScale
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, strange_ids
from factories.assessments import make_assessment, make_domain, make_scale, put_on
from kit import Principal, World

GETS = pytest.mark.parametrize("call", ["gloo.assessment_scales.get", "gloo.domain_scales.get"])


async def _link(principal: Principal, call: str, **overrides: Any) -> Any:
    scale = await make_scale(principal)
    if call == "gloo.assessment_scales.get":
        return await put_on(principal, await make_assessment(principal, **overrides), scale)
    domain = await make_domain(principal, "Life", scale, **overrides)
    async with principal.world.writing(principal) as tx:
        return (await tx.scalars(select(DomainScale).where(DomainScale.domain_id == domain.id))).one()


@GETS
async def test_get_shows_the_link_to_whoever_reads_what_it_stands_in(world: World, call: str) -> None:
    link = await _link(world.superuser, call)
    whole = "assessment" if call == "gloo.assessment_scales.get" else "domain"
    kind = type(link).__name__
    expected = {
        "id": global_id(kind, link.id),
        whole: {"id": global_id(whole.capitalize(), 1)},
        "scale": {"id": global_id("Scale", 1)},
        "createdAt": ANY,
        "updatedAt": ANY,
    }
    foreign = await _link(world.other_superuser, call)
    tess = await world.member(await world.organization("Third"), "tess@third.example", "Tess")
    public = await _link(tess, call, privacy=Privacy.PUBLIC)

    await assert_nobody_is_refused(world, call, id=expected["id"])
    assert (await world.user.run(call, id=expected["id"])).result == expected
    assert (await world.other_user.run(call, id=expected["id"])).result is None
    for strange in strange_ids(kind, foreign):
        assert (await world.user.run(call, id=strange)).result is None
    assert (await world.user.run(call, id=global_id(kind, public.id))).result["scale"] is not None
