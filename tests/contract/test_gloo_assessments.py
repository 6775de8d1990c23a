"""`gloo.assessments.*`."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.assessments.enums import ItemType, Privacy, PublicationStatus
from caregraph.assessments.models import Assessment
from caregraph.graph.node import global_id
from caregraph.organizations.enums import Vertical
from caregraph.organizations.models import Organization
from contract.asserts import assert_bad_variable, assert_nobody_is_refused, changed, changes, page, refused, strange_ids
from factories.assessments import (
    join_network,
    make_answers,
    make_assessment,
    make_domain,
    make_grant,
    make_item,
    make_scale,
    make_tag,
    make_vertical_grant,
    put_on,
)
from factories.organizations import grant, make_location
from kit import World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NORTHFIELD, HARBOR = global_id("Organization", 1), global_id("Organization", 2)
TEXTS = {
    "title": "Well-being",
    "displayTitle": "How you are",
    "displayDescription": "A few questions",
    "authorName": "Ada Admin",
    "authorDescription": "Writes",
    "shortDescription": "Short",
    "longDescription": "Long",
}
MORE = {
    "videos": [{"url": "https://video.example/1", "title": "Why"}],
    "testimonials": [{"name": "Ann", "quote": "It helped", "organization": "Harbor"}],
    "customSupportUrl": "https://help.example",
    "userResultPreviewUrl": "https://result.example/user",
    "orgResultPreviewUrl": "https://result.example/org",
    "iconName": "icon-heart",
    "deployAnonymously": True,
}
ASSESSMENT = {
    **TEXTS,
    "id": global_id("Assessment", 1),
    "description": None,
    "type": "ORDINAL",
    "showLongitudinalResults": False,
    "state": "CREATED",
    "createdAt": ANY,
    "updatedAt": ANY,
    "logoCloudinaryXid": None,
    "backgroundCloudinaryXid": None,
    "status": "DRAFT",
    "hasResultsApp": False,
    "deploymentSessionsCount": 0,
    "videos": [],
    "privacy": "PRIVATE",
    "publishedAt": None,
    "testimonials": [],
    "customSupportUrl": None,
    "userResultPreviewUrl": None,
    "orgResultPreviewUrl": None,
    "iconName": None,
    "sharedWithOrganizationIds": [],
    "sharedWithVerticals": [],
    "organization": {"id": NORTHFIELD},
    "highlighted": False,
    "highlightedText": None,
    "deployAnonymously": False,
    "allowCsvDownload": True,
    "featured": False,
    "featuredPosition": None,
    "identifier": None,
    "isLegacy": False,
    "legacyAssessmentId": None,
    "step": None,
    "createdBy": None,
}
# As the factory makes it for Ada.
MADE = {
    **ASSESSMENT,
    "createdBy": {"id": global_id("User", 1)},
    **dict.fromkeys(("displayTitle", "displayDescription", "shortDescription", "longDescription"), "For you"),
}
OF_OTHERS: dict[str, Any] = {"organization": None, "createdBy": None}
HERE = {"organizationId": global_id("Organization", 1)}
FIRST = ASSESSMENT["id"]
NO_ASSESSMENT = refused("NOT_FOUND", "Assessment not found", "id")
PUBLISHED = refused("CONFLICT", "The assessment is published", "id")
IN_USE = refused("CONFLICT", "The assessment is shared or in use and can no longer be changed", "id")
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("gloo.assessments.create", {**HERE, **TEXTS}),
    ("gloo.assessments.update", {"id": FIRST, "title": "x"}),
    ("gloo.assessments.clone", {"id": FIRST}),
    ("gloo.assessments.get", {"id": FIRST}),
    ("gloo.assessments.get_duration", {"id": FIRST}),
    ("gloo.assessments.find_all", {"ids": [FIRST]}),
    ("gloo.assessments.list_for_organization", HERE),
    ("gloo.assessments.list_shared_with_organization", HERE),
    ("gloo.assessments.list_deployable_for_location", {"locationId": global_id("Location", 1)}),
]
WRITES = CALLS[:3]


def copy_of(made: dict[str, Any], number: int, **overrides: Any) -> dict[str, Any]:
    return {**made, "id": global_id("Assessment", number), **overrides}


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_strangers_are_refused(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_assessment(world.superuser)

    await assert_nobody_is_refused(world, call, **variables)
    async with changes(world) as found:
        assert (await world.calculator.run(call, **variables)).error == FORBIDDEN
        if (call, variables) in WRITES:
            assert (await world.user.run(call, **variables)).error == FORBIDDEN
    assert found == {}


async def test_create_begins_a_private_draft(world: World) -> None:
    author = await grant(world.user, "CREATE_ASSESSMENT")

    async with changes(world) as found:
        plain = await author.run("gloo.assessments.create", **HERE, **TEXTS)
        full = await world.superuser.run("gloo.assessments.create", **HERE, **TEXTS, **MORE)

    assert plain.result == changed({**ASSESSMENT, "createdBy": {"id": world.user.id}})
    assert full.result == changed(copy_of(ASSESSMENT, 2, **MORE, createdBy={"id": world.superuser.id}))
    assert found == {"assessments": 2}


async def test_what_is_created_and_listed_is_where_the_request_acts(world: World) -> None:
    await make_assessment(world.superuser)

    async with changes(world) as found:
        for strange in strange_ids("Organization", Organization(id=2)):
            created = await world.superuser.run("gloo.assessments.create", organizationId=strange, **TEXTS)
            assert created.result == refused("NOT_FOUND", "Organization not found", "organizationId")
            for call in ("gloo.assessments.list_for_organization", "gloo.assessments.list_shared_with_organization"):
                assert (await world.superuser.run(call, organizationId=strange)).result == page()
    assert found == {}


LIMITS = {
    **dict.fromkeys(("title", "displayTitle", "authorName"), 50),
    "displayDescription": 300,
    "authorDescription": 500,
    "shortDescription": 180,
    "longDescription": 1000,
}


@pytest.mark.parametrize(("name", "longest"), LIMITS.items())
async def test_texts_have_the_documented_limits(world: World, name: str, longest: int) -> None:
    await make_assessment(world.superuser)
    exact = await world.superuser.run("gloo.assessments.update", id=FIRST, **{name: "x" * longest})
    assert exact.result["errors"] == []

    async with changes(world) as found:
        for text, message in (
            ("x" * (longest + 1), f"must have at most {longest} characters"),
            (" ", "must not be empty"),
        ):
            expected = refused("INVALID", message, "input", name)
            assert (
                await world.superuser.run("gloo.assessments.create", **HERE, **{**TEXTS, name: text})
            ).result == expected
            updated = await world.superuser.run("gloo.assessments.update", id=FIRST, **{name: text})
            assert updated.result == expected
    assert found == {}


@pytest.mark.parametrize(
    ("wrong", "message", "path"),
    [
        ({"videos": [{"url": "https://v.example", "title": "x" * 51}]}, "at most 50", ["videos", "0", "title"]),
        (
            {"testimonials": [{**MORE["testimonials"][0], "name": "x" * 51}]},
            "at most 50",
            ["testimonials", "0", "name"],
        ),
        (
            {"testimonials": [{**MORE["testimonials"][0], "quote": "x" * 501}]},
            "at most 500",
            ["testimonials", "0", "quote"],
        ),
        (
            {"testimonials": [MORE["testimonials"][0], {**MORE["testimonials"][0], "organization": "x" * 51}]},
            "at most 50",
            ["testimonials", "1", "organization"],
        ),
    ],
)
async def test_parts_of_lists_have_the_documented_limits(
    world: World, wrong: dict[str, Any], message: str, path: list[str]
) -> None:
    await make_assessment(world.superuser)
    expected = refused("INVALID", f"must have {message} characters", "input", *path)

    async with changes(world) as found:
        created = await world.superuser.run("gloo.assessments.create", **HERE, **TEXTS, **wrong)
        updated = await world.superuser.run("gloo.assessments.update", id=FIRST, **wrong)

    assert (created.result, updated.result, found) == (expected, expected, {})


async def test_too_many_videos_are_refused(world: World) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("gloo.assessments.create", **HERE, **TEXTS, videos=MORE["videos"] * 101)

    assert answer.result == refused("INVALID", "must have at most 100 items", "input", "videos")
    assert found == {}


async def test_a_video_has_an_address(world: World) -> None:
    message = "URL cannot represent a value that is not an http or https address"
    videos = [{"url": "javascript:alert(1)", "title": "x"}]

    await assert_bad_variable(
        world,
        "gloo.assessments.create",
        f"Variable '$videos' has invalid value at [0].url: {message}",
        **HERE,
        **TEXTS,
        videos=videos,
    )


async def test_update_replaces_four_lists_and_keeps_the_rest(world: World) -> None:
    ada = world.superuser
    await make_assessment(ada)
    other = await make_assessment(ada, "Other")
    tag = await make_tag(ada, "Mood")
    lists = {"tagIds": [global_id("Tag", tag.id)], "relatedAssessmentIds": [global_id("Assessment", other.id)]}
    shared = {"privacy": "LIMITED_TO_ORGANIZATIONS", "shareWithOrgIds": [HARBOR]}

    async with changes(world) as found:
        answer = await ada.run(
            "gloo.assessments.update", id=FIRST, **MORE, description="Ours", title="New", **lists, **shared
        )
    expected = {**MADE, **MORE, "description": "Ours", "title": "New", "privacy": "LIMITED_TO_ORGANIZATIONS"}
    assert answer.result == changed({**expected, "sharedWithOrganizationIds": [HARBOR]})
    assert found == {"access_grants": 1, "assessment_tags": 1, "related_assessments": 1}

    async with changes(world) as found:
        answer = await ada.run("gloo.assessments.update", id=FIRST, description=None)

    assert answer.result == changed({**expected, "description": None})
    assert found == {"access_grants": -1, "assessment_tags": -1, "related_assessments": -1}


async def test_update_shares_with_verticals_instead_of_organizations(world: World) -> None:
    await make_assessment(world.superuser)
    await world.superuser.run(
        "gloo.assessments.update", id=FIRST, privacy="LIMITED_TO_ORGANIZATIONS", shareWithOrgIds=[HARBOR]
    )
    verticals = ["SCHOOL", "FAITH", "SCHOOL"]

    async with changes(world) as found:
        answer = await world.superuser.run(
            "gloo.assessments.update", id=FIRST, privacy="LIMITED_TO_VERTICALS", shareWithVerticals=verticals
        )

    expected = {**MADE, "privacy": "LIMITED_TO_VERTICALS", "sharedWithVerticals": ["SCHOOL", "FAITH"]}
    assert answer.result == changed(expected)
    assert found == {"access_grants": -1, "vertical_access_grants": 2}
    kept = await world.superuser.run("gloo.assessments.update", id=FIRST, shareWithVerticals=["FAITH"])
    assert kept.result == changed({**expected, "sharedWithVerticals": ["FAITH"]})


async def test_update_refuses_wrong_lists(world: World) -> None:
    ada = world.superuser
    await make_assessment(ada)
    foreign = await make_assessment(world.other_superuser, "Harbor's")
    tag = await make_tag(world.other_superuser)
    limited = {"privacy": "LIMITED_TO_ORGANIZATIONS"}
    nowhere = global_id("Organization", 999_999)
    wrong: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (
            {"shareWithOrgIds": [HARBOR]},
            refused("INVALID", "goes with the privacy LIMITED_TO_ORGANIZATIONS", "input", "shareWithOrganizationIds"),
        ),
        (
            {**limited, "shareWithVerticals": ["FAITH"]},
            refused("INVALID", "goes with the privacy LIMITED_TO_VERTICALS", "input", "shareWithVerticals"),
        ),
        (
            {**limited, "shareWithOrgIds": [HARBOR, NORTHFIELD]},
            refused("INVALID", "The organization owns it already", "input", "shareWithOrganizationIds", "1"),
        ),
        (
            {**limited, "shareWithOrgIds": [HARBOR, nowhere]},
            refused("NOT_FOUND", "Organization not found", "input", "shareWithOrganizationIds", "1"),
        ),
        (
            {**limited, "shareWithOrgIds": [HARBOR] * 101},
            refused("INVALID", "must have at most 100 items", "input", "shareWithOrganizationIds"),
        ),
        (
            {"relatedAssessmentIds": [FIRST]},
            refused("INVALID", "An assessment is not related to itself", "input", "relatedAssessmentIds"),
        ),
        *(
            (
                {"relatedAssessmentIds": [one]},
                refused("NOT_FOUND", "Assessment not found", "input", "relatedAssessmentIds"),
            )
            for one in strange_ids("Assessment", foreign)
        ),
        *(
            ({"tagIds": [one]}, refused("NOT_FOUND", "Tag not found", "input", "tagIds"))
            for one in strange_ids("Tag", tag)
        ),
        ({"status": "DRAFT"}, refused("INVALID", "must be PUBLISHED", "input", "status")),
        ({"title": None}, refused("INVALID", "must not be null", "input", "title")),
    ]

    async with changes(world) as found:
        for variables, expected in wrong:
            answer = await ada.run("gloo.assessments.update", id=FIRST, **{"title": "Changed", **variables})
            assert answer.result == expected
        for strange in strange_ids("Assessment", foreign):
            assert (await ada.run("gloo.assessments.update", id=strange, title="x")).result == NO_ASSESSMENT
    assert found == {}
    assert (await ada.run("gloo.assessments.get", id=FIRST)).result == MADE


async def test_publishing_needs_a_question_and_freezes_what_is_asked(world: World) -> None:
    ada = world.superuser
    assessment = await make_assessment(ada)
    await put_on(ada, assessment, await make_item(ada, "Read this", item_type=ItemType.INSTRUCTION))
    publish = {"id": FIRST, "status": "PUBLISHED"}

    async with changes(world) as found:
        empty = await ada.run("gloo.assessments.update", **publish, title="Changed")
    message = "An assessment without questions cannot be published"
    assert empty.result == refused("INVALID", message, "input", "status")
    assert found == {}

    await put_on(ada, assessment, await make_item(ada, "How are you?"))
    published = (await ada.run("gloo.assessments.update", **publish, title="Last words")).result
    when = published["node"]["publishedAt"]
    assert published == changed({**MADE, "title": "Last words", "status": "PUBLISHED", "publishedAt": ANY})
    assert when is not None
    scale = await make_scale(ada)
    add = {"assessmentId": FIRST, "scaleId": global_id("Scale", scale.id)}

    async with changes(world) as found:
        assert (await ada.run("gloo.assessments.update", id=FIRST, title="Other words")).result == PUBLISHED
        assert (await ada.run("gloo.scales.add_to_assessment", **add)).result == PUBLISHED
        again = (await ada.run("gloo.assessments.update", **publish, title="Last words")).result
        shared = await ada.run(
            "gloo.assessments.update", id=FIRST, privacy="LIMITED_TO_ORGANIZATIONS", shareWithOrgIds=[HARBOR]
        )
    assert again["node"]["publishedAt"] == when
    assert shared.result["node"]["sharedWithOrganizationIds"] == [HARBOR]
    assert found == {"access_grants": 1}
    editable = await ada.ask("query($id: ID!) { assessment(id: $id) { isEditable } }", id=FIRST)
    assert editable.data == {"assessment": {"isEditable": False}}


async def test_what_others_may_rely_on_is_no_longer_changed(world: World) -> None:
    ada, olga = world.superuser, world.other_superuser
    public = await make_assessment(ada, privacy=Privacy.PUBLIC)
    used = await make_assessment(ada, "Lent", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(ada, used, 2)
    await make_answers(olga, used, None)
    not_ours = refused("CONFLICT", "The assessment belongs to another organization", "id")

    async with changes(world) as found:
        for one, variables in (
            (public, {"title": "Other words"}),
            (public, {"privacy": "PRIVATE"}),
            (used, {"title": "Other words"}),
        ):
            answer = await ada.run("gloo.assessments.update", id=global_id("Assessment", one.id), **variables)
            assert answer.result == IN_USE
        assert (await olga.run("gloo.assessments.update", id=FIRST, title="Ours")).result == not_ours
    assert found == {}


async def test_clone_copies_what_one_may_use(world: World) -> None:
    ada, olga = world.superuser, world.other_superuser
    item, scale = await make_item(ada, privacy=Privacy.PUBLIC), await make_scale(ada)
    domain = await make_domain(ada, "Life", scale)
    made = await make_assessment(
        ada, "x" * 50, status=PublicationStatus.PUBLISHED, privacy=Privacy.PUBLIC, videos=MORE["videos"], featured=True
    )
    await put_on(ada, made, item, scale, domain)
    await make_tag(ada, "Mood", made)
    links = {"assessment_items": 1, "assessment_scales": 1, "assessment_domains": 1, "assessment_tags": 1}
    expected = copy_of(MADE, 2, title=f"[CLONE] {'x' * 42}", videos=MORE["videos"])

    async with changes(world) as found:
        own = await ada.run("gloo.assessments.clone", id=FIRST)
    assert own.result == changed(expected)
    assert found == {"assessments": 1, **links}

    async with changes(world) as found:
        theirs = await olga.run("gloo.assessments.clone", id=FIRST)
    mine = {"organization": {"id": HARBOR}, "createdBy": {"id": olga.id}}
    assert theirs.result == changed(copy_of(expected, 3, **mine))
    assert found == {"assessments": 1, **links}
    parts = """query($id: ID!) { assessment(id: $id) { assessmentItems { nodes { position required item { text } } }
        scales { name } domains { name scales { name } } tags { name } } }"""
    answer = await olga.ask(parts, id=global_id("Assessment", 3))
    assert answer.data["assessment"] == {
        "assessmentItems": {"nodes": [{"position": 1, "required": True, "item": {"text": "How are you?"}}]},
        "scales": [{"name": "Mood"}],
        "domains": [{"name": "Life", "scales": [{"name": "Mood"}]}],
        "tags": [{"name": "Mood"}],
    }


async def test_clone_is_refused_where_parts_are_hidden(world: World) -> None:
    """Northfield lends Harbor an item; a third organization copies Harbor's public assessment."""
    tess = await world.member(await world.organization("Third"), "tess@third.example", "Tess", is_superuser=True)
    item = await make_item(world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.superuser, item, 2)
    await put_on(world.other_superuser, await make_assessment(world.other_superuser, privacy=Privacy.PUBLIC), item)
    foreign = await make_assessment(world.other_superuser, "Private")

    async with changes(world) as found:
        hidden = await tess.run("gloo.assessments.clone", id=FIRST)
        for strange in strange_ids("Assessment", foreign):
            assert (await tess.run("gloo.assessments.clone", id=strange)).result == NO_ASSESSMENT
    assert hidden.result == refused("CONFLICT", "Parts of it are not shared with your organization", "id")
    assert found == {}


async def test_tags_of_others_are_copied_where_one_sees_them_and_stay_where_one_has_them(world: World) -> None:
    """Northfield's tag stands on Harbor's public copy; a third organization sees the copy, but not the tag."""
    tess = await world.member(await world.organization("Third"), "tess@third.example", "Tess", is_superuser=True)
    ada, olga, tags = world.superuser, world.other_superuser, "{ assessment(id: $id) { tags { name } } }"
    lent = await make_assessment(ada, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    tag = await make_tag(ada, "Mood", lent)
    access = await make_grant(ada, lent, 2)
    copy = (await olga.run("gloo.assessments.clone", id=FIRST)).result["node"]["id"]
    await ada.run("gloo.access_grants.delete", accessGrantId=global_id("AccessGrant", access.id))

    async with changes(world) as found:
        kept = await olga.run("gloo.assessments.update", id=copy, privacy="PUBLIC", tagIds=[global_id("Tag", tag.id)])
    assert (kept.result["errors"], found) == ([], {})
    again = (await tess.run("gloo.assessments.clone", id=copy)).result["node"]["id"]
    assert (await olga.ask(f"query($id: ID!) {tags}", id=copy)).data == {"assessment": {"tags": [{"name": "Mood"}]}}
    assert (await tess.ask(f"query($id: ID!) {tags}", id=again)).data == {"assessment": {"tags": []}}


async def test_get_and_find_all_show_what_one_may_read(world: World) -> None:
    public = await make_assessment(world.superuser, privacy=Privacy.PUBLIC)
    archived = await make_assessment(world.superuser, "Old", archived_at=public.created_at)
    foreign = await make_assessment(world.other_superuser, "Private")
    expected = {**MADE, "privacy": "PUBLIC"}
    ids = [global_id("Assessment", one.id) for one in (public, archived, foreign)] + strange_ids("Assessment", foreign)

    assert (await world.user.run("gloo.assessments.get", id=FIRST)).result == expected
    assert (await world.other_user.run("gloo.assessments.get", id=FIRST)).result == {**expected, **OF_OTHERS}
    for strange in strange_ids("Assessment", foreign):
        assert (await world.user.run("gloo.assessments.get", id=strange)).result is None
    found = await world.user.run("gloo.assessments.find_all", ids=ids)
    assert found.result == page(expected, copy_of(MADE, 2, title="Old"))
    assert (await world.user.run("gloo.assessments.find_all", ids=[])).result == page()


async def test_find_all_takes_a_hundred_ids(world: World) -> None:
    answer = await world.user.run("gloo.assessments.find_all", ids=[FIRST] * 101)

    assert answer.error == ("BAD_USER_INPUT", "ids takes at most 100 ids")


async def test_list_for_organization_searches_filters_and_sorts(world: World) -> None:
    ada = world.superuser
    await make_assessment(ada)
    await make_assessment(ada, "Zest", status=PublicationStatus.PUBLISHED)
    await make_assessment(ada, "Archived", archived_at=(await make_assessment(ada, "Mood")).created_at)
    public = await make_assessment(world.other_superuser, "Merely public", privacy=Privacy.PUBLIC)
    lent = await make_assessment(world.other_superuser, "Lent", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.other_superuser, lent, 1)

    async def titles(**variables: Any) -> list[str]:
        answer = await world.user.run("gloo.assessments.list_for_organization", **HERE, **variables)
        assert answer.result["totalCount"] == len(answer.result["nodes"])
        return [one["title"] for one in answer.result["nodes"]]

    by_title = ["TITLE_DESC"]
    whole = await world.user.run("gloo.assessments.list_for_organization", **HERE, q="WELL")
    assert whole.result == page(MADE)
    assert await titles() == ["Well-being", "Zest", "Mood"]
    assert await titles(includeShared=True, sort=by_title) == ["Zest", "Well-being", "Mood", "Lent"]
    assert await titles(status="PUBLISHED") == ["Zest"]
    assert await titles(includeShared=True, status="DRAFT", q="e") == ["Well-being", "Lent"]
    second = await world.user.run("gloo.assessments.list_for_organization", **HERE, first=1, offset=1)
    assert second.result == page(
        copy_of(MADE, 2, title="Zest", status="PUBLISHED", publishedAt=ANY), total=3, more=True
    )
    assert public.id


async def test_list_shared_with_organization_knows_grants_networks_and_verticals(world: World) -> None:
    olga = world.other_superuser
    tess = await world.member(await world.organization("Network"), "tess@third.example", "Tess", is_superuser=True)
    await make_assessment(world.superuser, "Own")
    await make_assessment(olga, "Merely public", privacy=Privacy.PUBLIC)
    lent, by_network = [
        await make_assessment(olga, title, privacy=Privacy.LIMITED_TO_ORGANIZATIONS) for title in ("Lent", "By network")
    ]
    asleep = await make_assessment(olga, "Granted, but private")
    schools = await make_assessment(olga, "For others", privacy=Privacy.LIMITED_TO_VERTICALS)
    for one in (lent, asleep):
        await make_grant(olga, one, 1)
    await make_grant(olga, by_network, tess.organization_id)
    await join_network(tess, 1)
    await make_vertical_grant(olga, schools, Vertical.OTHER)

    answer = await world.user.run("gloo.assessments.list_shared_with_organization", **HERE, sort=["TITLE_ASC"])

    shared = {**OF_OTHERS, "privacy": "LIMITED_TO_ORGANIZATIONS"}
    assert answer.result == page(
        copy_of(MADE, 4, title="By network", **shared, sharedWithOrganizationIds=[global_id("Organization", 3)]),
        copy_of(
            MADE,
            6,
            title="For others",
            **OF_OTHERS,
            privacy="LIMITED_TO_VERTICALS",
            sharedWithVerticals=["OTHER"],
        ),
        copy_of(MADE, 3, title="Lent", **shared, sharedWithOrganizationIds=[NORTHFIELD]),
    )


async def test_list_deployable_for_location_is_what_its_organization_may_use(world: World) -> None:
    ada = world.superuser
    here, elsewhere = await make_location(ada), await make_location(world.other_superuser, "Pier")
    tagged = await make_assessment(ada)
    await make_assessment(ada, "Zest", status=PublicationStatus.PUBLISHED)
    await make_assessment(world.other_superuser, "Public", privacy=Privacy.PUBLIC)
    await make_assessment(world.other_superuser, "Private")
    tag = await make_tag(ada, "Mood", tagged)

    async def titles(**variables: Any) -> list[str]:
        variables = {"locationId": global_id("Location", here.id), **variables}
        answer = await world.user.run("gloo.assessments.list_deployable_for_location", **variables)
        return [one["title"] for one in answer.result["nodes"]]

    by_tag = await world.user.run(
        "gloo.assessments.list_deployable_for_location",
        locationId=global_id("Location", here.id),
        tagIds=[global_id("Tag", tag.id)],
    )
    assert by_tag.result == page(MADE)
    assert await titles() == ["Well-being", "Zest", "Public"]
    assert await titles(status="PUBLISHED", sort=["TITLE_ASC"]) == ["Zest"]
    for strange in strange_ids("Location", elsewhere):
        assert await titles(locationId=strange) == []


async def test_get_duration_counts_and_estimates(world: World) -> None:
    ada = world.superuser
    assessment = await make_assessment(ada, privacy=Privacy.PUBLIC)
    items = [await make_item(ada, item_type=kind) for kind in ItemType]
    assert (await world.user.run("gloo.assessments.get_duration", id=FIRST)).result == {
        "duration": {"questionCount": 0, "itemCount": 0, "low": 0, "high": 0}
    }

    await put_on(ada, assessment, *items)

    expected = {"duration": {"questionCount": 4, "itemCount": 5, "low": 40, "high": 111}}
    for reader in (world.user, world.other_user):
        assert (await reader.run("gloo.assessments.get_duration", id=FIRST)).result == expected
    foreign = Assessment(id=999)
    for strange in strange_ids("Assessment", foreign):
        assert (await world.user.run("gloo.assessments.get_duration", id=strange)).result is None
