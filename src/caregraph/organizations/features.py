"""Features: parts of applications that an organization switches on for everyone, or for some of its users first."""

import re
from datetime import datetime
from typing import Annotated

from sqlalchemy import func, select

from caregraph.auth.viewer import Permission
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused, demand
from caregraph.graph.fields import describe, field
from caregraph.graph.links import replace_links
from caregraph.graph.node import Node, node
from caregraph.graph.relations import many
from caregraph.refs import UserRef

from . import models
from .enums import FeatureScope
from .managing import hold_still
from .policy import enabled_for

MOST_FEATURES = 200
_NAME = re.compile(rf"({'|'.join(scope.value for scope in FeatureScope)})\.[a-z0-9_]{{1,100}}")
_WRONG_NAME = "must be a scope, a dot, and 1 to 100 of a-z, 0-9 and _"


@node(models.FeatureFlag)
class FeatureFlag(Node):
    """A feature that an organization has switched on, or had once. Managers see all, others what is on for them."""

    name: str = field("`<scope>.<feature>`, such as `assessments_web.dark_mode`.")
    for_everyone: bool = field("Whether it is enabled for everyone in the organization, programs included.")
    users: list[UserRef] = many(
        description="Users for whom alone it is enabled; empty when it is for everyone, or for nobody.",
        through="feature_users",
        order="full_name",
        size=5,
    )
    created_at: datetime = field("When it was first switched.")
    updated_at: datetime = field("When it was last switched for everyone or no more for everyone.")


async def features(
    context: Context,
    _root: None,
    *,
    scope: Annotated[FeatureScope | None, describe("Only features whose name begins with this.")] = None,
) -> list[str]:
    """Names of the features that are enabled, in order, at most 200 (`gloo.features.list`).

    For a user those enabled for everyone in the organization or for them; for an application or a deployment session
    those enabled for everyone.

    Needs: signed-in user, application, or deployment session token.
    """
    if not context.viewer.may(Permission.RESPOND):
        demand(context.viewer, Permission.CARE)
    flag = models.FeatureFlag
    narrowed = (flag.name.startswith(f"{scope.value}.", autoescape=True),) if scope is not None else ()
    named = select(flag.name).where(enabled_for(context.viewer), *narrowed).order_by(flag.name)
    return list((await context.run_unscoped(named)).scalars())


async def switch_feature(
    tx: Tx,
    name: Annotated[str, describe("`<scope>.<feature>`: one of the scopes, a dot, 1 to 100 of `a-z`, `0-9` and `_`.")],
    enabled: Annotated[bool, describe("Whether the feature is enabled.")],
    users: Annotated[
        list[models.User], describe("Ids of the users for whom alone it is enabled; empty: for everyone. At most 100.")
    ],
) -> models.FeatureFlag:
    """Say for whom a feature is enabled from now on: for everyone, for some users, or for nobody.

    An organization has at most 200 features.
    """
    if not _NAME.fullmatch(name):
        raise Refused(Code.INVALID, _WRONG_NAME, "name")
    if users and not enabled:
        raise Refused(Code.INVALID, "must be empty when the feature is switched off", "userIds")
    await hold_still(tx)
    flag = await _flag(tx, name)
    flag.for_everyone = enabled and not users
    await tx.flush()
    await replace_links(tx, models.FeatureUser, "user_id", users, feature_flag_id=flag.id)
    return flag


async def _flag(tx: Tx, name: str) -> models.FeatureFlag:
    """The row of a feature, made when it is switched for the first time."""
    flag = await tx.scalar(select(models.FeatureFlag).where(models.FeatureFlag.name == name))
    if flag is not None:
        return flag
    if (await tx.scalar(select(func.count()).select_from(models.FeatureFlag)) or 0) >= MOST_FEATURES:
        raise Refused(Code.LIMIT, f"An organization has at most {MOST_FEATURES} features", "name")
    made = models.FeatureFlag(name=name)
    tx.add(made)
    return made
