"""Programs that sign in: what is known of an application, and the viewer that its tokens make."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import scopes
from .secrets import token_hash
from .viewer import (
    APPLICATION_PERMISSIONS,
    EVERYTHING,
    GROUP_APPLICATION_PERMISSIONS,
    Permission,
    Viewer,
)

ACCESS_TOKEN = "cga_"  # noqa: S105 prefixes tell kinds of tokens apart
REFRESH_TOKEN = "cgr_"  # noqa: S105
API_KEY = "cgk_"
SECRET = "cgs_"  # noqa: S105
SESSION_TOKEN = "cgd_"  # noqa: S105

_NOBODY = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Application:
    """An enabled application as signing in reads it. Null `group_ids` limit nothing, an empty tuple everything."""

    id: int
    organization_id: int
    scopes: scopes.Scopes
    group_ids: tuple[int, ...] | None = None
    access_token_id: int | None = None

    def viewer(self) -> Viewer:
        """Whoever sends one of its tokens."""
        limited = self.group_ids is not None
        return Viewer(
            organization_id=self.organization_id,
            organization_ids=(self.organization_id,),
            application_id=self.id,
            access_token_id=self.access_token_id,
            permissions=GROUP_APPLICATION_PERMISSIONS if limited else APPLICATION_PERMISSIONS,
            group_ids=self.group_ids,
            scopes=None if EVERYTHING in self.scopes else self.scopes,
        )

    def owner(self) -> Viewer:
        """Whoever sends its key and secret: good for making API keys alone."""
        return Viewer(
            organization_id=self.organization_id,
            application_id=self.id,
            permissions=frozenset({Permission.APPLICATION_SECRET}),
        )


@dataclass(frozen=True, kw_only=True)
class ApplicationSecrets:
    """What an enabled application can prove itself with: live secrets, and a public key if one is registered."""

    application: Application
    key: str
    hashes: Sequence[str] = ()
    sealed: Sequence[str] = ()
    public_key: str | None = None


def holds(hashes: Sequence[str], secret: str) -> bool:
    """Whether `secret` is one of those hashed; takes the same time whichever it is, and for an unknown application."""
    return sum(hmac.compare_digest(one, token_hash(secret)) for one in hashes or (_NOBODY,)) > 0


def respondent(application: Viewer, deployment_session_id: int) -> Viewer:
    """Whoever fills in one session through an application; nothing of its own reach is left."""
    return replace(
        application,
        organization_ids=(),
        deployment_session_id=deployment_session_id,
        permissions=frozenset({Permission.RESPOND}),
        group_ids=(),
    )


def basic_credentials(credentials: str) -> tuple[str, str] | None:
    """Key and secret behind `Basic`; null for anything that RFC 7617 would not call so."""
    try:
        key, colon, secret = base64.b64decode(credentials, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (key, secret) if colon and key and secret else None
