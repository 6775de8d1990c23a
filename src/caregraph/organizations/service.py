"""The verbs of organizations: signing in, users and their roles."""

from typing import Annotated, Any

from sqlalchemy import delete, select

from caregraph.auth.secrets import Passwords, new_token, token_hash
from caregraph.auth.tokens import AUTHENTICATION_FAILED
from caregraph.auth.viewer import Viewer
from caregraph.db.attempts import Attempts
from caregraph.db.base import now
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import FORBIDDEN, RequestError
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.rates import RATE_LIMITED, SignInLimits
from caregraph.graph.resource import apply

from . import models
from .inputs import UserInput
from .managing import keep_a_superuser, keep_managed
from .policy import is_self_or_superuser
from .types import Role


async def authenticate(
    context: Context,
    email: Annotated[str, describe("E-mail of the account, in any case.")],
    password: Annotated[str, describe("Its password.")],
) -> dict[str, Any]:
    """Give a new API token, shown this once, for `X-Api-Token`; send it with the e-mail in `X-Api-Email`.

    The account's API use must be enabled. Earlier tokens stay valid. Attempts are limited per account and per address;
    wrong credentials are a top-level error `UNAUTHENTICATED`, too many attempts `RATE_LIMITED`.
    """
    settings = context.settings
    name = email.casefold()
    # An address that floods is stopped before it writes; what is left counts in the database, for all processes.
    await context.the(SignInLimits).attempt(route="authenticate", address=context.client_address)
    attempts = context.the(Attempts)
    within_limits = await attempts.record(
        account=(name, settings.sign_in_attempts_per_account),
        address=(context.client_address, settings.sign_in_attempts_per_address),
    )
    if not within_limits:
        raise RequestError(RATE_LIMITED, "Too many attempts, try again later", retryAfter=settings.sign_in_window)
    account = None if "\x00" in name else await context.the(SignInLookups).account(name)  # PostgreSQL has no such text
    matches = await context.the(Passwords).matches(account.password_hash if account else None, password)
    if account is None or not matches or not account.api_enabled:
        raise RequestError("UNAUTHENTICATED", AUTHENTICATION_FAILED)
    await attempts.forget(account=name)
    token = new_token()
    viewer = Viewer.system(account.organization_id)
    async with context.database.writing(viewer) as tx:
        tx.add(models.ApiToken(user_id=account.user_id, token_hash=token_hash(token)))
    return {"api_token": token}


async def create_user(tx: Tx, context: Context, viewer: Viewer, input: UserInput) -> models.User:  # noqa: A002
    """Create a user of your organization, without roles (`fit.users.create`)."""
    values = await _storable(context, given(input))
    user = models.User(**values)
    tx.add(user)
    await tx.flush()
    tx.add(models.Membership(user_id=user.id, organization_id=viewer.organization_id))
    await tx.flush()
    return user


async def update_user(
    tx: Tx,
    context: Context,
    viewer: Viewer,
    user: models.User,
    input: Changes[UserInput],  # noqa: A002
) -> models.User:
    """Change yourself or, as a superuser, another user (`fit.users.update`). A new password revokes all tokens."""
    if not is_self_or_superuser(viewer, user):
        raise RequestError("FORBIDDEN", FORBIDDEN)
    apply(user, Changes(await _storable(context, input)))
    if "password" in input:
        await _revoke_tokens(tx, user)
    await tx.flush()
    return user


async def delete_user(
    tx: Tx,
    user: models.User,
    force: Annotated[
        bool, describe("Also delete the clients whom only this user owns, with all that is theirs.")
    ] = False,
) -> None:
    """Remove a user from the organization; the account goes with its last organization (`fit.users.delete`).

    Refused while the user has clients, unless forced. Clients whom others also own stay. The last superuser and
    the last manager stay.
    """
    membership = await _membership(tx, user)
    await keep_managed(tx, membership)
    await delete_row(tx, user, force=force, instead=membership)


async def add_role(tx: Tx, user: models.User, role: Annotated[Role, describe("The role to give.")]) -> models.User:
    """Give a user a role; one that is already held stays (`fit.users.add_role`).

    `DISABLED` revokes all tokens for this organization; where else the user works, they go on.
    """
    membership = await _membership(tx, user)
    if role is Role.DISABLED:
        await keep_managed(tx, membership)
        membership.signed_out_at = now()
    setattr(membership, role.value, True)
    return user


async def remove_role(tx: Tx, user: models.User, role: Annotated[Role, describe("The role to take.")]) -> models.User:
    """Take a role from a user; one that is not held stays away (`fit.users.remove_role`)."""
    membership = await _membership(tx, user)
    if role is Role.AGENCY_ADMIN:
        await keep_a_superuser(tx, membership)
    setattr(membership, role.value, False)
    return user


async def _storable(context: Context, values: dict[str, Any]) -> dict[str, Any]:
    """Input values as columns: the e-mail case-folded, the password hashed, absent defaults left to the column."""
    stored = dict(values)
    if "email" in stored:
        stored["email"] = stored["email"].casefold()
    if "password" in stored:
        stored["password_hash"] = await context.the(Passwords).hash(stored.pop("password"))
    return stored


async def _membership(tx: Tx, user: models.User) -> models.Membership:
    return (await tx.scalars(select(models.Membership).where(models.Membership.user_id == user.id))).one()


async def _revoke_tokens(tx: Tx, user: models.User) -> None:
    await tx.execute(delete(models.ApiToken).where(models.ApiToken.user_id == user.id))
