"""The verbs of organizations: signing in, users and their roles."""

from datetime import timedelta
from typing import Annotated, Any

from sqlalchemy import Delete, delete, select

from caregraph.auth.secrets import Passwords, new_token, token_hash
from caregraph.auth.tokens import AUTHENTICATION_FAILED
from caregraph.auth.viewer import Viewer
from caregraph.db.attempts import Attempts
from caregraph.db.audit import Actor, Kind, entry
from caregraph.db.base import now
from caregraph.db.lookups import SignInLookups, works_elsewhere
from caregraph.db.session import Tx
from caregraph.db.trail import Trail
from caregraph.graph.context import Context
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import FORBIDDEN, Code, Refused, RequestError
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.locking import lock
from caregraph.graph.rates import RATE_LIMITED, SignInLimits
from caregraph.graph.resource import apply

from . import models
from .founding import NO_PASSWORD
from .inputs import UserInput
from .managing import keep_a_superuser, keep_managed
from .policy import is_self_or_superuser
from .profiles import international, with_names
from .types import Role

WORKS_ELSEWHERE = "The account also works elsewhere: only its owner changes it"
NOT_OURS = "These credentials are revoked where they were issued"


async def authenticate(
    context: Context,
    email: Annotated[str, describe("E-mail of the account, in any case.")],
    password: Annotated[str, describe("Its password.")],
) -> dict[str, Any]:
    """Give a new API token, shown this once, for `X-Api-Token`; send it with the e-mail in `X-Api-Email`.

    The account's API use must be enabled. Earlier tokens stay valid until they expire or are revoked. Attempts are
    limited per account and per address; wrong credentials are a top-level error `UNAUTHENTICATED`, too many attempts
    `RATE_LIMITED`.
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
    tried = {"organization_id": account and account.organization_id, "user_id": account and account.user_id}
    if account is None or not matches or not account.api_enabled:
        refused = context.origin("authenticate", actor=Actor.NOBODY, **tried)
        await context.the(Trail).write(entry(refused, Kind.REFUSED))
        raise RequestError("UNAUTHENTICATED", AUTHENTICATION_FAILED)
    await attempts.forget(account=name)
    token = new_token()
    lifetime = timedelta(seconds=settings.api_token_lifetime)
    expires_at = now() + lifetime if lifetime else None
    viewer = Viewer.system(account.organization_id)
    origin = context.origin("authenticate", actor=Actor.USER, kind=Kind.SIGN_IN, **tried)
    async with context.database.writing(viewer, origin=origin) as tx:
        await tx.execute(_tokens_of(account.user_id).where(models.ApiToken.expires_at <= now()))
        tx.add(models.ApiToken(user_id=account.user_id, token_hash=token_hash(token), expires_at=expires_at))
    return {"api_token": token, "expires_at": expires_at}


async def sign_out(
    context: Context,
    viewer: Viewer,
    everywhere: Annotated[
        bool, describe("Revoke all your API tokens, and what other issuers signed for you until now.")
    ] = False,
) -> dict[str, Any]:
    """Revoke the API token that this request is sent with; with `everywhere` all that lets you in, anywhere.

    A JWT can be revoked only together with all others; its issuer may sign a new one right after. Passwords stay.
    """
    user_id = viewer.user_id
    if user_id is None or not (everywhere or viewer.api_token_id):
        raise Refused(Code.INVALID, NOT_OURS, "everywhere")
    revoked = _tokens_of(user_id)
    # Whoever acts in no organization yet is a member of several: an account is the same in each.
    acting = Viewer.system(viewer.organization_id or viewer.organization_ids[0])
    await context.end_snapshot()
    origin = context.origin("signOut", organization_id=acting.organization_id)
    async with context.database.writing(acting, origin=origin) as tx:
        if everywhere:
            (await tx.get_one(models.User, user_id)).signed_out_at = now()
        else:
            revoked = revoked.where(models.ApiToken.id == viewer.api_token_id)
        return {"revoked_count": (await tx.execute(revoked)).rowcount}  # type: ignore[attr-defined]


async def sign_user_out(tx: Tx, user: models.User) -> models.User:
    """Sign a user out of your organization: tokens from before fail there. Elsewhere they go on."""
    (await _membership(tx, user)).signed_out_at = now()
    await tx.flush()
    return user


async def revoke_api_token(tx: Tx, token: models.ApiToken) -> None:
    """Revoke one of your API tokens."""
    await tx.delete(token)
    await tx.flush()


async def create_user(
    tx: Tx,
    context: Context,
    input: UserInput,  # noqa: A002
    roles: Annotated[list[Role], describe("Roles to begin with; none by default.")] = [],  # noqa: B006 never changed
) -> models.User:
    """Create a user of your organization (`fit.users.create`). A full name, or a first and last one, must be given."""
    values = with_names(given(input), dict.fromkeys(("first_name", "last_name")))
    if "full_name" not in values:
        raise Refused(Code.INVALID, "must not be empty", "input", "fullName")
    user = models.User(**{"password_hash": NO_PASSWORD, **await _storable(context, values)})
    tx.add(user)
    await tx.flush()
    tx.add(models.Membership(user_id=user.id, **{role.value: True for role in roles}))
    await tx.flush()
    return user


async def update_user(
    tx: Tx,
    context: Context,
    viewer: Viewer,
    user: models.User,
    input: Changes[UserInput],  # noqa: A002
) -> models.User:
    """Change yourself or, as a superuser, another user (`fit.users.update`, `gloo.users.update`).

    A new password revokes all tokens. An account that also works elsewhere is changed by its owner only: whoever could
    change its e-mail or password here would get in there. The last superuser and the last manager keep the API.
    """
    if not is_self_or_superuser(viewer, user):
        raise RequestError("FORBIDDEN", FORBIDDEN)
    if viewer.user_id != user.id:
        await _must_work_here_only(tx, context, viewer, user)
    if input.get("api_enabled") is False:
        await keep_managed(tx, await _membership(tx, user))
    names = {"first_name": user.first_name, "last_name": user.last_name}
    apply(user, Changes(await _storable(context, with_names(input, names))))
    if "password" in input:
        user.password_is_own = viewer.user_id == user.id
        await tx.execute(_tokens_of(user.id))
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


async def _must_work_here_only(tx: Tx, context: Context, viewer: Viewer, user: models.User) -> None:
    """Refuse to change another's account that has a place in another organization too, or just gets one."""
    await lock(tx, user)
    here = viewer.organization_id
    if here is None or await works_elsewhere(tx.execute, context.database, user_id=user.id, organization_id=here):
        raise Refused(Code.CONFLICT, WORKS_ELSEWHERE, "id")


async def _storable(context: Context, values: dict[str, Any]) -> dict[str, Any]:
    """Input values as columns: e-mail case-folded, telephone number as E.164, password hashed."""
    stored = dict(values)
    if "email" in stored:
        stored["email"] = stored["email"].casefold()
    if stored.get("phone"):
        stored["phone"] = international(stored["phone"])
    if "password" in stored:
        stored["password_hash"] = await context.the(Passwords).hash(stored.pop("password"))
    return stored


async def _membership(tx: Tx, user: models.User) -> models.Membership:
    return (await tx.scalars(select(models.Membership).where(models.Membership.user_id == user.id))).one()


def _tokens_of(user_id: int) -> Delete:
    """Deletes the tokens of one user: superusers may have to, although nobody sees another's."""
    return delete(models.ApiToken).where(models.ApiToken.user_id == user_id).execution_options(scoped=True)
