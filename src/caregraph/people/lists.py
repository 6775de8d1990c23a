"""Whose clients a list shows."""

import enum
from typing import Any

import strawberry

from caregraph.auth.viewer import Permission, Viewer
from caregraph.graph.errors import bad_input, demand
from caregraph.graph.fields import member
from caregraph.graph.node import row_id_of

from .policy import owned_by


@strawberry.enum(description="Whose rows a list shows; never more than you may see.")
class ListScope(enum.Enum):
    """FIT's two lists, and ours of everything visible."""

    VISIBLE = member("VISIBLE", "Everything that you may see.")
    OWNED = member("OWNED", "Of clients whom one user owns: `userId`, or you.")
    ORGANIZATION = member("ORGANIZATION", "Of the whole organization; superusers only.")


def owned_clients(viewer: Viewer, scope: ListScope, user_id: str | None) -> Any:
    """Ids of the clients that `scope` narrows to, as a sub-select; null for no narrowing beyond visibility."""
    if scope is ListScope.ORGANIZATION:
        demand(viewer, Permission.ORGANIZATION)
    if scope is not ListScope.OWNED:
        if user_id is not None:
            raise bad_input("userId goes with scope OWNED", "userId")
        return None
    if user_id is None:
        return owned_by(viewer.organization_id, viewer.user_id)
    return owned_by(viewer.organization_id, row_id_of("User")(user_id))
