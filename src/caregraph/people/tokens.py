"""Groups and tokens: which groups an application's tokens are limited to."""

from typing import Annotated, Any

from caregraph.db.base import table_of
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import RequestError
from caregraph.graph.fields import describe
from caregraph.graph.links import replace_links
from caregraph.graph.loaders import Link, RowById, RowsByParent
from caregraph.graph.paging import Window
from caregraph.organizations.models import AccessToken, Application, ApplicationGroup

from . import models

_MOST_GROUPS = 1_000
_LINKS = table_of(ApplicationGroup)
_OF_APPLICATION = Link(models.Group, _LINKS.c.application_id, _LINKS.c.group_id)
_OF_ORGANIZATION = Link(models.Group, table_of(models.Group).c.organization_id)


async def set_application_groups(
    tx: Tx,
    application: Application,
    groups: Annotated[list[models.Group], describe("Ids of all groups from now on; an empty list leaves it none.")],
) -> Application:
    """Limit an application, with all its tokens and keys, to the clients of some groups.

    `updateApplication` with `isLimitedToGroups: false` lifts the limit.
    """
    application.is_limited_to_groups = True
    await replace_links(tx, ApplicationGroup, "group_id", groups, application_id=application.id)
    return application


async def groups_of_token(context: Context, token: AccessToken) -> list[Any] | None:
    """The groups that an access token reaches; null where its application is not to be seen."""
    application = await context.load(RowById(Application), token.application_id)
    if application is None:
        return None
    link, key = (
        (_OF_APPLICATION, application.id)
        if application.is_limited_to_groups
        else (_OF_ORGANIZATION, token.organization_id)
    )
    found = await context.load(RowsByParent(link, _WINDOW), key)
    if found.goes_on:
        raise RequestError("LIMIT_EXCEEDED", f"AccessToken.groups has more than {_MOST_GROUPS} rows")
    return list(found.rows)


_WINDOW = Window(order=(("name", False),), limit=_MOST_GROUPS)
