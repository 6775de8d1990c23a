"""Who reads and writes content of another organization: the one exception to tenancy, cell by cell."""

from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from caregraph.assessments import config_models, models, sharing_models
from caregraph.assessments.enums import Privacy, PublicationStatus, ScoreType
from caregraph.auth.viewer import Viewer
from caregraph.db.base import table_of
from caregraph.db.scope import ForeignTenantError
from caregraph.graph.node import global_id
from caregraph.organizations.enums import Vertical
from caregraph.organizations.models import Organization
from factories.assessments import (
    join_network,
    make_assessment,
    make_calculation,
    make_config,
    make_domain,
    make_grant,
    make_item,
    make_norm,
    make_option,
    make_range,
    make_scale,
    make_tag,
    make_vertical_grant,
    put_on,
)
from kit import Principal, World

HARBOR = 2
MAKERS: dict[str, Any] = {
    "assessment": make_assessment,
    "item": make_item,
    "scale": make_scale,
    "domain": make_domain,
}
MODELS: dict[str, Any] = {
    "assessment": models.Assessment,
    "item": models.Item,
    "scale": models.Scale,
    "domain": models.Domain,
}


async def _reads(principal: Principal, row: Any) -> bool:
    """Whether a row is answered by id, by `node`, by itself in a list, and by hand under PostgreSQL's rules: as one."""
    world, name = principal.world, type(row).__name__
    row_id = global_id(name, row.id)
    answer = await principal.ask("query($id: ID!) { node(id: $id) { id } }", id=row_id)
    found = answer.data["node"] is not None
    async with world.database.read_session(Viewer.system(principal.organization_id)) as session:
        other = aliased(type(row))
        assert (await session.scalar(select(other.id).where(other.id == row.id)) is not None) is found
        statement = text(f"SELECT count(*) FROM {table_of(type(row)).name} WHERE id = :id")
        if not world.database.is_sqlite:
            assert await session.scalar(statement, {"id": row.id}) == int(found)
    return found


async def _listed(principal: Principal, kind: str, scope: str) -> list[str]:
    names = {"assessment": "title", "item": "text", "scale": "name", "domain": "name"}
    answer = await principal.ask(f"{{ {kind}s(scope: {scope}) {{ totalCount nodes {{ {names[kind]} }} }} }}")
    page = answer.data[f"{kind}s"]
    assert page["totalCount"] == len(page["nodes"])
    return sorted(node[names[kind]] for node in page["nodes"])


async def _third(world: World) -> Principal:
    """A superuser of a third organization."""
    return await world.member(await world.organization("Third"), "tess@third.example", "Tess Third", is_superuser=True)


async def _become(world: World, organization_id: int, vertical: Vertical) -> None:
    async with world.database.writing(Viewer.system(organization_id)) as tx:
        await tx.execute(update(Organization).where(Organization.id == organization_id).values(vertical=vertical))


@pytest.mark.parametrize("kind", MAKERS)
async def test_privacy_says_who_reads(world: World, kind: str) -> None:
    """Each privacy, with a grant for Harbor and without."""
    make, author, reader = MAKERS[kind], world.superuser, world.other_user
    rungs = [one for one in Privacy if one is not Privacy.LIMITED_TO_VERTICALS or kind == "assessment"]
    rows = {(one, False): await make(author, f"{one.name} alone", privacy=one) for one in rungs}
    rows |= {(one, True): await make(author, f"{one.name} granted", privacy=one) for one in rungs}
    for (_, is_granted), row in rows.items():
        if is_granted:
            await make_grant(author, row, HARBOR)

    seen = {key for key, row in rows.items() if await _reads(reader, row)}

    public = {(Privacy.PUBLIC, False), (Privacy.PUBLIC, True)}
    assert seen == {(Privacy.LIMITED_TO_ORGANIZATIONS, True), *public}
    assert [key for key, row in rows.items() if await _reads(world.user, row)] == list(rows)
    assert await _listed(reader, kind, "OWN") == []
    assert await _listed(reader, kind, "USABLE") == [
        "LIMITED_TO_ORGANIZATIONS granted",
        "PUBLIC alone",
        "PUBLIC granted",
    ]
    assert "PUBLIC alone" not in await _listed(reader, kind, "SHARED")
    assert "LIMITED_TO_ORGANIZATIONS granted" in await _listed(reader, kind, "SHARED")
    assert await _listed(world.user, kind, "SHARED") == []
    assert len(await _listed(world.user, kind, "OWN")) == len(rows)
    nobody = await world.nobody.ask(f"{{ {kind}s {{ totalCount }} }}")
    assert nobody.error == ("UNAUTHENTICATED", "Authentication failed")
    async with world.database.read_session(Viewer.nobody()) as session:
        assert await session.scalar(select(func.count()).select_from(MODELS[kind])) == 0


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_grant_to_a_network_reaches_its_members(world: World, kind: str) -> None:
    third = await _third(world)
    row = await MAKERS[kind](world.superuser, "For the network", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.superuser, row, third.organization_id)
    assert not await _reads(world.other_user, row)

    await join_network(third, HARBOR)

    assert await _reads(world.other_user, row)
    assert await _listed(world.other_user, kind, "SHARED") == ["For the network"]
    private = await MAKERS[kind](third, "The network's own")
    assert not await _reads(world.other_user, private)


async def test_a_vertical_is_that_of_the_reader(world: World) -> None:
    row = await make_assessment(world.superuser, "For schools", privacy=Privacy.LIMITED_TO_VERTICALS)
    await make_vertical_grant(world.superuser, row, Vertical.SCHOOL)
    await make_vertical_grant(world.superuser, row, Vertical.FAITH)
    others = {one: await make_assessment(world.superuser, one.name, privacy=one) for one in Privacy}
    for one in others.values():
        await make_vertical_grant(world.superuser, one, Vertical.SCHOOL)
    assert not await _reads(world.other_user, row)

    await _become(world, HARBOR, Vertical.SCHOOL)

    assert await _reads(world.other_user, row)
    seen = {privacy for privacy, one in others.items() if await _reads(world.other_user, one)}
    assert seen == {Privacy.LIMITED_TO_VERTICALS, Privacy.PUBLIC}
    ask = "query($id: ID!) { assessment(id: $id) { sharedWithVerticals sharedWithOrganizationIds isOwn isEditable } }"
    for reader, verticals in ((world.user, ["SCHOOL", "FAITH"]), (world.other_user, ["SCHOOL"])):
        answer = await reader.ask(ask, id=global_id("Assessment", row.id))
        assert answer.data["assessment"]["sharedWithVerticals"] == verticals
        assert answer.data["assessment"]["isOwn"] is (reader is world.user)
    assert await _listed(world.other_user, "assessment", "SHARED") == ["For schools", "LIMITED_TO_VERTICALS"]


async def _build(author: Principal, **overrides: Any) -> dict[str, Any]:
    """A private whole: an assessment with a domain of a scale of an item, and whatever hangs on them."""
    item = await make_item(author, "Deep item")
    alone = await make_item(author, "Item on it")
    scale = await make_scale(author, "Deep scale", item)
    domain = await make_domain(author, "Deep domain", scale)
    assessment = await make_assessment(author, "Whole", **overrides)
    link = await put_on(author, assessment, domain)
    await put_on(author, assessment, alone)
    published = {"status": PublicationStatus.PUBLISHED}
    config = await make_config(author, scale, ScoreType.SCALE_SUM, **published)
    custom = await make_config(author, item, ScoreType.CUSTOM_CALCULATION, **published)
    return {
        "item": item,
        "alone": alone,
        "option": await make_option(author, item),
        "scale": scale,
        "domain": domain,
        "assessment": assessment,
        "link": link,
        "tag": await make_tag(author, "On the item", item),
        "config": config,
        "custom": custom,
        "calculation": await make_calculation(author, custom, A=config),
        "norm": await make_norm(author, config),
        "range": await make_range(author, scale, 0, 5),
    }


async def test_the_parts_are_read_as_the_whole(world: World) -> None:
    hidden = await _build(world.superuser)
    assert [name for name, row in hidden.items() if await _reads(world.other_user, row)] == []

    async with world.writing(world.superuser) as tx:
        await tx.execute(update(models.Assessment).values(privacy=Privacy.PUBLIC))

    assert [name for name, row in hidden.items() if not await _reads(world.other_user, row)] == []
    draft = await make_config(world.superuser, hidden["domain"], ScoreType.DOMAIN_SUM)
    loose = await make_tag(world.superuser, "On nothing")
    drafted = await make_calculation(world.superuser, draft)
    assert [await _reads(world.other_superuser, one) for one in (draft, drafted, loose)] == [False] * 3
    for reader, sees in ((world.superuser, True), (world.user, False)):
        for one in (draft, drafted):
            answer = await reader.ask(
                "query($id: ID!) { node(id: $id) { id } }", id=global_id(type(one).__name__, one.id)
            )
            assert (answer.data["node"] is not None) is sees
    whole = """query($id: ID!) { assessment(id: $id) {
        organization { id } assessmentItems { nodes { item { text } } }
        domains { name scales { name items { nodes { text options { nodes { value } } tags { nodes { name } } } }
            scoreConfigs { name } resultRanges { name } } scoreConfigs { name } } } }"""
    answer = await world.other_user.ask(whole, id=global_id("Assessment", hidden["assessment"].id))
    assert answer.data["assessment"] == {
        "organization": None,
        "assessmentItems": {"nodes": [{"item": {"text": "Item on it"}}]},
        "domains": [
            {
                "name": "Deep domain",
                "scales": [
                    {
                        "name": "Deep scale",
                        "items": {
                            "nodes": [
                                {
                                    "text": "Deep item",
                                    "options": {"nodes": [{"value": "1.0"}]},
                                    "tags": {"nodes": [{"name": "On the item"}]},
                                }
                            ]
                        },
                        "scoreConfigs": [{"name": "Score"}],
                        "resultRanges": [{"name": "Mild"}],
                    }
                ],
                "scoreConfigs": [],
            }
        ],
    }


async def test_what_is_shared_is_not_shared_on_by_its_users(world: World) -> None:
    """Northfield lends Harbor an item; a third organization reads Harbor's public assessment and not the item."""
    third = await _third(world)
    item = await make_item(world.superuser, "Lent", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.superuser, item, HARBOR)
    assessment = await make_assessment(world.other_superuser, "Harbor's", privacy=Privacy.PUBLIC)
    await put_on(world.other_superuser, assessment, item)

    assert await _reads(third, assessment)
    assert not await _reads(third, item)
    answer = await third.ask(
        "query($id: ID!) { assessment(id: $id) { assessmentItems { totalCount nodes { item { text } } } } }",
        id=global_id("Assessment", assessment.id),
    )
    assert answer.data["assessment"]["assessmentItems"] == {"totalCount": 1, "nodes": [{"item": None}]}


async def test_what_one_uses_stays_readable(world: World) -> None:
    item = await make_item(world.superuser, "Lent", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    grant = await make_grant(world.superuser, item, HARBOR)
    await make_scale(world.other_superuser, "Harbor's", item)

    async with world.writing(world.superuser) as tx:
        await tx.delete(grant)

    assert await _reads(world.other_user, item)
    assert await _listed(world.other_user, "item", "SHARED") == []


async def test_grants_are_seen_by_both_sides_only(world: World) -> None:
    third = await _third(world)
    item = await make_item(world.superuser, "Lent", privacy=Privacy.PUBLIC)
    theirs = await make_grant(world.superuser, item, HARBOR)
    others = await make_grant(world.superuser, item, third.organization_id)
    member = await join_network(third, HARBOR)

    assert [await _reads(world.other_user, one) for one in (theirs, others, member)] == [True, True, True]
    assert [await _reads(world.user, one) for one in (theirs, others, member)] == [True, True, False]
    assert [await _reads(third, one) for one in (theirs, others, member)] == [False, True, True]


async def test_others_content_is_never_written(world: World) -> None:
    rows = await _build(world.superuser, privacy=Privacy.PUBLIC)
    before = await world.counts()
    viewer = world.other_superuser.viewer

    for row in rows.values():
        with pytest.raises(ForeignTenantError):
            async with world.database.writing(viewer) as tx:
                await tx.delete(await tx.get_one(type(row), row.id))
        async with world.database.writing(viewer) as tx:
            model = type(row)
            assert (await tx.execute(update(model).values(created_at=model.created_at))).rowcount == 0
            assert (await tx.execute(delete(model))).rowcount == 0
            if not world.database.is_sqlite:
                name = table_of(model).name
                assert (await tx.execute(text(f"UPDATE {name} SET created_at = now()"))).rowcount == 0
                assert (await tx.execute(text(f"DELETE FROM {name}"))).rowcount == 0

    assert await world.counts() == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_the_database_refuses_links_to_what_is_out_of_reach(world: World) -> None:
    """What one uses stays readable, so a link to a guessed id would open it."""
    hidden = await _build(world.superuser)
    own = {
        "assessment": await make_assessment(world.other_superuser),
        "scale": await make_scale(world.other_superuser, "Own"),
        "domain": await make_domain(world.other_superuser, "Own"),
        "item": await make_item(world.other_superuser, "Own"),
    }
    before = await world.counts()
    links: list[Any] = [
        models.AssessmentItem(assessment_id=own["assessment"].id, item_id=hidden["item"].id, position=1),
        models.AssessmentScale(assessment_id=own["assessment"].id, scale_id=hidden["scale"].id),
        models.AssessmentDomain(assessment_id=own["assessment"].id, domain_id=hidden["domain"].id),
        models.DomainScale(domain_id=own["domain"].id, scale_id=hidden["scale"].id),
        models.ItemScale(scale_id=own["scale"].id, item_id=hidden["item"].id, position=1),
        models.RelatedAssessment(assessment_id=own["assessment"].id, related_id=hidden["assessment"].id),
        models.ItemTag(item_id=own["item"].id, tag_id=hidden["tag"].id),
    ]

    for link in links:
        with pytest.raises(DBAPIError, match=r"row is out of reach for table"):
            async with world.database.writing(world.other_superuser.viewer) as tx:
                tx.add(link)

    assert await world.counts() == before


EDITABLE = "query($id: ID!) { node(id: $id) { ... on Item { isEditable } ... on Scale { isEditable } } }"


async def _is_editable(principal: Principal, row: Any) -> bool:
    answer = await principal.ask(EDITABLE, id=global_id(type(row).__name__, row.id))
    return answer.data["node"]["isEditable"]  # type: ignore[no-any-return]


async def test_content_is_frozen_once_others_may_rely_on_it(world: World) -> None:
    author = world.superuser
    private = await make_item(author, "Private")
    public = await make_item(author, "Public", privacy=Privacy.PUBLIC)
    limited = await make_item(author, "Limited", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    deep = await make_item(author, "Deep")
    scale = await make_scale(author, "In a public domain", deep)
    await make_domain(author, "Public", scale, privacy=Privacy.PUBLIC)
    lent = await make_scale(author, "Lent", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)

    editable = {one.id: await _is_editable(author, one) for one in (private, public, limited, deep)}
    assert editable == {private.id: True, public.id: False, limited.id: False, deep.id: False}
    assert not await _is_editable(author, scale)
    assert not await _is_editable(world.other_user, public)
    assert await _is_editable(author, lent)

    await make_grant(author, lent, HARBOR)
    await make_domain(world.other_superuser, "Harbor's", lent)

    assert not await _is_editable(author, lent)
    assert await _is_editable(author, private)


async def test_nothing_of_others_content_is_told_by_its_parts(world: World) -> None:
    """An owner is told that others use what is its own by `isEditable` alone."""
    item = await make_item(world.superuser, "Public", privacy=Privacy.PUBLIC)
    await make_scale(world.other_superuser, "Harbor's private", item)

    answer = await world.user.ask(
        "query($id: ID!) { item(id: $id) { itemScales { totalCount } scales { totalCount } itemResponseCount } }",
        id=global_id("Item", item.id),
    )

    assert answer.data["item"] == {
        "itemScales": {"totalCount": 0},
        "scales": {"totalCount": 0},
        "itemResponseCount": 0,
    }
    viewer = world.superuser.viewer
    async with world.database.read_session(viewer) as session:
        assert await session.scalar(select(func.count()).select_from(sharing_models.AccessGrant)) == 0
        assert await session.scalar(select(func.count()).select_from(config_models.ScoreConfig)) == 0
