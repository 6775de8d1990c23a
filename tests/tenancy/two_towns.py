"""Two organizations with rows of every kind; whatever Ben of Northfield must not see carries the word HIDDEN."""

from datetime import date
from types import SimpleNamespace

from caregraph.graph.node import global_id
from caregraph.organizations.models import Location
from caregraph.people.models import Client, ClientGroup, Group, UserGroup
from factories.assessments import make_content
from factories.organizations import make_feature, make_invitation, make_permission
from factories.people import make_client, make_consent, make_file, make_label
from factories.programs import make_everything
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal, World


async def _places(principal: Principal, place: str, group: str, *clients: Client) -> tuple[Location, Group]:
    """A location, and a group with clients and a user in it."""
    async with principal.world.writing(principal) as tx:
        location = Location(name=place, is_headquarters=True)
        tx.add(location)
        made = Group(name=group, bio="Of the town")
        tx.add(made)
        await tx.flush()
        tx.add_all(ClientGroup(client_id=client.id, group_id=made.id) for client in clients)
        tx.add(UserGroup(user_id=principal.row_id, group_id=made.id))
    return location, made


HIDDEN = {"alias": "HIDDEN alias", "ssn": "HIDDEN ssn", "comment": "HIDDEN comment", "phone": "999"}


class Town(SimpleNamespace):
    """Rows by name; `ids` are their global ids. `programs` are ids of what superusers manage."""

    programs: dict[str, str]

    @property
    def ids(self) -> dict[str, str]:
        return {name: global_id(type(row).__name__, row.id) for name, row in vars(self).items() if name != "programs"}


async def make_northfield(world: World) -> Town:
    """Ben's Ann has an episode alone and shares one with Cleo's Bo; Cleo's Zoe has an episode of her own.

    Ann and Bo are in a group.
    """
    ann = await make_client(world.user, full_name="Ann", alias="A", birth_date=date(1990, 1, 1))
    bo = await make_client(world.colleague, full_name="HIDDEN Bo", **HIDDEN)
    zoe = await make_client(world.colleague, full_name="HIDDEN Zoe", **HIDDEN)
    label = await make_label(world.superuser, "Winter", ann, bo)
    alone = await make_episode(world.user, ann, title="Alone", start_date=date(2026, 2, 1), labels=(label,))
    shared = await make_episode(world.user, ann, bo, title="Shared", labels=(label,))
    zoes = await make_episode(world.colleague, zoe, title="HIDDEN episode", comment="HIDDEN")
    ann_rater = await make_rater(world.user, shared, ann, full_name="Ann's mother")
    bo_rater = await make_rater(world.user, shared, bo, full_name="HIDDEN father", comment="HIDDEN")
    alone_session = await make_session(world.user, alone, date(2026, 2, 2))
    session = await make_session(world.user, shared, date(2026, 1, 12))
    zoe_session = await make_session(world.colleague, zoes, date(2026, 1, 13))
    location, group = await _places(world.colleague, "Town hall", "Nurses", ann, bo)
    return Town(
        programs=await make_everything(world.superuser, "HIDDEN program", group),
        location=location,
        ann=ann,
        bo=bo,
        zoe=zoe,
        label=label,
        group=group,
        alone=alone,
        shared=shared,
        zoes=zoes,
        ann_rater=ann_rater,
        bo_rater=bo_rater,
        alone_session=alone_session,
        session=session,
        zoe_session=zoe_session,
        granted=await make_permission(world.user, "CREATE_ASSESSMENT"),
        cleos_granted=await make_permission(world.colleague, "CREATE_DEPLOYMENT"),
        invitation=await make_invitation(world.superuser, "HIDDEN@away.example", token="northfield's"),
        feature=await make_feature(world.superuser, "assessments_web.hidden", world.user),
        ann_file=await make_file(world.user, ann),
        bo_file=await make_file(world.colleague, bo, name="HIDDEN file", storage_key="of Bo"),
        ann_consent=await make_consent(world.user, ann),
        bo_consent=await make_consent(world.colleague, bo),
        ann_ors=await make_ors(world.user, session, ann, 1, 1, 1, 1),
        ann_srs=await make_srs(world.user, session, ann, 2, 2, 2, 2),
        ann_rated=await make_ors(world.user, session, ann, 3, 3, 3, 3, rater=ann_rater),
        bo_ors=await make_ors(world.user, session, bo, 7, 7, 7, 7),
        bo_srs=await make_srs(world.user, session, bo, 8, 8, 8, 8),
        bo_rated=await make_ors(world.user, session, bo, 9, 9, 9, 9, rater=bo_rater),
        zoe_ors=await make_ors(world.colleague, zoe_session, zoe, 6, 6, 6, 6),
        **await make_content(world.superuser, "Of the town", ann),
    )


async def make_harbor(world: World) -> Town:
    """One row of every kind in the other organization."""
    owner = world.other_user
    kay = await make_client(owner, full_name="HIDDEN Kay", **HIDDEN)
    label = await make_label(world.other_superuser, "HIDDEN label", kay)
    episode = await make_episode(owner, kay, title="HIDDEN harbor", labels=(label,))
    rater = await make_rater(owner, episode, kay, full_name="HIDDEN harbor rater")
    location, group = await _places(owner, "HIDDEN harbor house", "HIDDEN harbor group", kay)
    session = await make_session(owner, episode, date(2026, 1, 14))
    return Town(
        programs=await make_everything(world.other_superuser, "HIDDEN harbor program", group),
        location=location,
        kay=kay,
        label=label,
        group=group,
        episode=episode,
        rater=rater,
        session=session,
        granted=await make_permission(owner, "CREATE_DEPLOYMENT"),
        invitation=await make_invitation(world.other_superuser, "HIDDEN@away.example", token="harbor's"),
        feature=await make_feature(world.other_superuser, "assessments_web.harbor", owner),
        file=await make_file(owner, kay, name="HIDDEN harbor file", storage_key="of Kay"),
        consent=await make_consent(owner, kay),
        ors=await make_ors(owner, session, kay, 6, 6, 6, 6),
        srs=await make_srs(owner, session, kay, 6, 6, 6, 6),
        **await make_content(world.other_superuser, "HIDDEN harbor", kay),
    )
