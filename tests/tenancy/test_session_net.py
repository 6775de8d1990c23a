"""The net under statements written by hand: whatever a session sends touches only rows that its viewer sees."""

from typing import Any

import pytest
from sqlalchemy import CTE, and_, delete, exists, func, inspect, literal, not_, or_, select, union, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from caregraph.auth.viewer import Membership as Place
from caregraph.auth.viewer import Viewer, user_viewer
from caregraph.db.base import TenantRow
from caregraph.db.scope import RULES, ForeignTenantError, MissingRuleError, UnscopedStatementError
from caregraph.db.session import ScopedSession
from caregraph.organizations.models import ApiToken, Membership, Organization, User
from caregraph.people.models import Client, ClientLabel, ClientOwner, Label
from caregraph.treatment.models import Episode, EpisodeClient, OrsScore, Rater, Score, Session
from kit import Principal, World
from tenancy.two_towns import Town, make_harbor, make_northfield


def _viewer(principal: Principal) -> Viewer:
    here = Place(organization_id=principal.organization_id)
    return user_viewer(user_id=principal.row_id, here=here, memberships=[here])


@pytest.fixture
async def town(world: World) -> Town:
    """Northfield, with Harbor beside it."""
    northfield = await make_northfield(world)
    northfield.harbor_client = (await make_harbor(world)).kay
    return northfield


async def _scalars(world: World, statement: Any) -> list[Any]:
    """What Ben gets, sorted."""
    async with world.database.read_session(_viewer(world.user)) as session:
        return sorted(await session.scalars(statement))


async def test_rows_by_key(world: World, town: Town) -> None:
    async with world.database.read_session(_viewer(world.user)) as session:
        found = [await session.get(Client, row.id) for row in (town.ann, town.bo, town.zoe, town.harbor_client)]
        place = await session.get(EpisodeClient, (town.shared.id, town.bo.id))
        scores = [await session.get(Score, row.id) for row in (town.ann_ors, town.bo_ors)]

    assert [one and one.full_name for one in found] == ["Ann", None, None, None]
    assert place is None
    assert [one and one.id for one in scores] == [town.ann_ors.id, None]


async def test_plain_and_counted_rows(world: World, town: Town) -> None:
    assert await _scalars(world, select(Client.full_name)) == ["Ann"]
    assert await _scalars(world, select(func.count()).select_from(Client)) == [1]
    assert await _scalars(world, select(func.count(Episode.id))) == [2]
    assert await _scalars(world, select(Rater.full_name)) == ["Ann's mother"]
    assert await _scalars(world, select(Session.id)) == sorted([town.session.id, town.alone_session.id])
    assert await _scalars(world, select(OrsScore.id)) == [town.ann_ors.id, town.ann_rated.id]
    assert await _scalars(world, select(func.max(Score.id))) == [town.ann_rated.id]
    assert await _scalars(world, select(User.full_name)) == ["Ada Admin", "Ben Borg", "Cleo Cruz"]
    assert await _scalars(world, select(Membership.organization_id).distinct()) == [1]
    assert await _scalars(world, select(func.count(ApiToken.id))) == [1]
    assert await _scalars(world, select(Organization.name)) == ["Northfield"]


async def test_joins_and_aliases(world: World, town: Town) -> None:
    joined = (
        select(Client.full_name + literal(":") + Episode.title)
        .join(EpisodeClient, EpisodeClient.client_id == Client.id)
        .join(Episode, Episode.id == EpisodeClient.episode_id)
    )
    assert await _scalars(world, joined) == ["Ann:Alone", "Ann:Shared"]
    outer = select(Episode.title).outerjoin(Rater, Rater.episode_id == Episode.id).add_columns(Rater.full_name)
    async with world.database.read_session(_viewer(world.user)) as session:
        assert sorted((await session.execute(outer)).all()) == [("Alone", None), ("Shared", "Ann's mother")]
    one, other = aliased(Client), aliased(Client)
    for start in (one, Client):
        assert await _scalars(world, select(other.full_name).select_from(start).join(other, other.id != start.id)) == []
    assert await _scalars(world, select(one.full_name)) == ["Ann"]
    scores = aliased(Score)
    assert await _scalars(world, select(scores.id).join(Client, Client.id == scores.client_id)) == [
        town.ann_ors.id,
        town.ann_srs.id,
        town.ann_rated.id,
    ]


async def test_sub_selects(world: World, town: Town) -> None:
    """A link that all members see leads to no client that one does not."""
    owned = select(ClientOwner.client_id)
    assert await _scalars(world, select(Client.full_name).where(Client.id.in_(owned))) == ["Ann"]
    has_bo = exists().where(Client.full_name == "HIDDEN Bo")
    assert await _scalars(world, select(literal(1)).where(has_bo)) == []
    shared = (EpisodeClient.episode_id == Episode.id, EpisodeClient.client_id == town.bo.id)
    assert await _scalars(world, select(Episode.title).where(exists().where(*shared))) == []
    assert (
        await _scalars(world, select(Episode.title).where(exists(EpisodeClient.client_id).where(and_(*shared)))) == []
    )
    per_episode = select(func.count(Score.id)).where(Score.episode_id == Episode.id).scalar_subquery()
    async with world.database.read_session(_viewer(world.user)) as session:
        assert sorted((await session.execute(select(Episode.title, per_episode))).all()) == [
            ("Alone", 0),
            ("Shared", 3),
        ]
    derived = select(Client.full_name.label("name")).subquery()
    assert await _scalars(world, select(derived.c.name)) == ["Ann"]


async def test_a_select_that_hides_its_row_types_is_refused(world: World, town: Town) -> None:
    """SQLAlchemy does not look for mapped classes inside `and_`, `or_`, `not_`: no rule would be added."""
    for statement in (
        select(func.count()).where(and_(Client.id > 0, Client.full_name != "")),
        select(func.count()).where(or_(Client.id > 0, Client.id < 0)),
        select(func.count()).where(not_(and_(Client.id == 0, Client.id == 1))),
        select(Episode.title).where(
            exists().where(and_(EpisodeClient.client_id == town.bo.id, EpisodeClient.client_id > 0))
        ),
        select(select(func.count()).where(and_(Client.id > 0, Client.id < 99)).subquery()),
    ):
        with pytest.raises(
            UnscopedStatementError, match=r"^Say of which rows: select\(Model…\) or select\(…\).select_from\(Model\)$"
        ):
            await _scalars(world, statement)


async def test_common_table_expressions_and_unions(world: World, town: Town) -> None:
    names: CTE = select(Client.full_name.label("name")).cte()
    assert await _scalars(world, select(names.c.name)) == ["Ann"]
    assert await _scalars(world, union(select(Client.full_name), select(Episode.title))) == ["Alone", "Ann", "Shared"]
    twice = union_all(select(Client.id), select(Client.id)).subquery()
    assert await _scalars(world, select(func.count()).select_from(twice)) == [2]
    walk = select(Client.id, literal(0).label("step")).cte(recursive=True)
    walk = walk.union_all(select(Client.id, walk.c.step + 1).join(walk, walk.c.id != Client.id).where(walk.c.step < 2))
    assert await _scalars(world, select(func.count()).select_from(walk)) == [1]


async def test_updates(world: World, town: Town) -> None:
    async with world.database.writing(_viewer(world.user)) as tx:
        await tx.execute(update(Client).values(comment="touched"))
        await tx.execute(update(Client).where(Client.full_name.like("HIDDEN%")).values(alias="touched"))
        await tx.execute(update(Score).values(created_at=town.ann.created_at))

    touched = {
        name: await world.row(select(Client.comment, Client.alias).where(Client.id == row.id))
        for name, row in {"ann": town.ann, "bo": town.bo, "kay": town.harbor_client}.items()
    }
    assert touched == {
        "ann": ("touched", "A"),
        "bo": ("HIDDEN comment", "HIDDEN alias"),
        "kay": ("HIDDEN comment", "HIDDEN alias"),
    }
    moved = await world.row(select(func.count()).where(Score.__table__.c.created_at == town.ann.created_at))
    assert moved == (3,)


async def test_deletes(world: World, town: Town) -> None:
    before = await world.counts()

    async with world.database.writing(_viewer(world.user)) as tx:
        await tx.execute(delete(Score))
        await tx.execute(delete(ClientLabel))

    after = await world.counts()
    assert after == {**before, "scores": before["scores"] - 3, "client_labels": before["client_labels"] - 1}


async def test_nobody_and_the_calculator_touch_nothing(world: World, town: Town) -> None:
    tenant_models = [one.class_ for one in inspect(Client).registry.mappers if issubclass(one.class_, TenantRow)]
    before = await world.counts()

    async with world.database.read_session(Viewer.nobody()) as session:
        counts = {
            model.__name__: await session.scalar(select(func.count()).select_from(model)) for model in tenant_models
        }
    async with world.database.writing(Viewer.nobody()) as tx:
        for model in (Score, Rater, Session, ClientOwner, Client, Label, Membership):
            await tx.execute(delete(model))

    assert counts == dict.fromkeys(counts, 0)
    assert len(counts) == 59
    assert await world.counts() == before


async def test_a_session_without_a_viewer_reads_and_writes_nothing(world: World, town: Town) -> None:
    async def write(session: AsyncSession) -> None:
        session.add(Label(name="x", organization_id=1))
        await session.flush()

    for work in (
        lambda session: session.scalars(select(Client)),
        lambda session: session.get(Client, town.ann.id),
        lambda session: session.execute(delete(Client)),
        write,
    ):
        async with AsyncSession(world.database.engines[-1], sync_session_class=ScopedSession) as session:
            with pytest.raises(KeyError, match="viewer"):
                await work(session)


async def test_a_new_row_belongs_to_the_viewer_s_organization(world: World) -> None:
    async with world.database.writing(_viewer(world.other_user)) as tx:
        label = Label(name="Stamped")
        tx.add(label)

    assert label.organization_id == 2


async def test_a_row_of_another_organization_is_never_written(world: World, town: Town) -> None:
    before = await world.counts()
    viewer = _viewer(world.user)

    with pytest.raises(ForeignTenantError, match=r"^Label of another organization$"):
        async with world.database.writing(viewer) as tx:
            tx.add(Label(name="Planted", organization_id=2))
    with pytest.raises(ForeignTenantError, match=r"^Client of another organization$"):
        async with world.database.writing(viewer) as tx:
            (await tx.get_one(Client, town.ann.id)).organization_id = 2
    with pytest.raises(ForeignTenantError, match=r"^Client of another organization$"):
        async with world.database.writing(viewer) as tx:
            await tx.delete(await tx.merge(town.harbor_client, load=False))
    with pytest.raises(ForeignTenantError, match=r"^Client of another organization$"):
        async with world.database.writing(viewer) as tx:
            (await tx.merge(town.harbor_client, load=False)).alias = "touched"

    assert await world.counts() == before


async def test_nobody_writes_no_row_of_a_tenant(world: World) -> None:
    with pytest.raises(Exception, match=r"organization_id|organization") as caught:
        async with world.database.writing(Viewer.nobody()) as tx:
            tx.add(Label(name="x"))

    assert type(caught.value).__name__ in {"IntegrityError", "ProgrammingError", "DBAPIError"}


async def test_a_model_without_a_rule_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RULES, Label)
    viewer = _viewer(world.user)

    for statement in (
        select(Label),
        select(func.count()).select_from(Label),
        select(Client).where(
            Client.id.in_(select(ClientLabel.client_id).join(Label, Label.id == ClientLabel.label_id))
        ),
        update(Label).values(name="x"),
        delete(Label),
    ):
        with pytest.raises(MissingRuleError, match=r"^Label has no visibility rule: declare one in its policy.py$"):
            async with world.database.writing(viewer) as tx:
                await tx.execute(statement)
