"""Every mutation on rows of either town, for everybody who must not get through: refused as declared, nothing changed.

Calls that are allowed are not sent: the tests of the contract send them.
"""

import re
from typing import Any

from caregraph.graph.node import parse_id
from matrix.cast import Cast
from matrix.declared import OF_ONESELF, refusal, refused_at, sees
from matrix.reading import CORE
from tenancy.test_root_fields import MUTATIONS, WITHOUT_ROWS

MUTATION = CORE.type_map["Mutation"].fields
CALLS = {name: row[0] for name, row in MUTATIONS.items()} | WITHOUT_ROWS
# The rows of Harbor in the place of Northfield's.
_IN_HARBOR = {
    "ann": "kay",
    "alone": "harbor_episode",
    "ann_rater": "harbor_rater",
    "ann_ors": "harbor_ors",
    "ann_srs": "harbor_srs",
    "ann_file": "harbor_file",
    "alone_session": "harbor_session",
    "label": "harbor_label",
    "group": "harbor_group",
    "user": "otto",
    "invitation": "harbor_invitation",
    "northfield": "harbor",
    "location": "harbor_location",
    "token": "otto_token",
    **{one: f"harbor_{one}" for one in ("application", "access_token", "api_key", "plan")},
    **{one: f"harbor_{one}" for one in ("item", "scale", "domain", "assessment", "answers", "config", "draft")},
    **{one: f"harbor_{one}" for one in ("calculation", "variable", "norm", "range")},
    **{one: f"harbor_{one}" for one in ("grant", "network_member")},
    **{one: f"harbor_{one}" for one in ("option", "placed", "tag", "weighed")},
}
IN_NORTHFIELD = {"user": "ben", "token": "ben_token"}


def rows_of(call: str, town: dict[str, str]) -> dict[str, str]:
    """The rows that a call names, by its variables."""
    return {one: town.get(one, one) for one in re.findall(r"\$(\w+)", call)}


async def wrong_refusals(cast: Cast, who: str) -> list[str]:
    """What differs from the declared refusals, of all calls that `who` may not make."""
    wrong = []
    before = await cast.world.counts()
    for town in (IN_NORTHFIELD, _IN_HARBOR):
        for name, call in CALLS.items():
            names = rows_of(call, town)
            told = _refused(who, name, set(names.values()), cast)
            if told is not None:
                found = await send(cast, who, call, names)
                wrong += [] if found in told else [f"{who}: {name} on {sorted(names.values())} is {found}, not {told}"]
    after = await cast.world.counts()
    changed = {table for table, count in after.items() if count != before[table]}
    return [*wrong, *(f"{who} changed the number of {table}" for table in sorted(changed))]


def _refused(who: str, name: str, rows: set[str], cast: Cast) -> list[Any] | None:
    """The ways in which a call may be refused; null if it may not."""
    asked = refused_at(who, name)
    if asked is not None:
        return [asked]
    hidden = {row for row in rows if not sees(who, row)}
    if hidden:
        kinds = {(parse_id(cast.ids[row]) or ("", 0))[0] for row in hidden}
        return [("NOT_FOUND", f"{kind} not found") for kind in sorted(kinds)]
    if name in OF_ONESELF and who not in rows and refusal(who, "MANAGE_USERS"):
        return [("FORBIDDEN", "Access denied")]
    return None


async def send(cast: Cast, who: str, call: str, names: dict[str, str]) -> Any:
    """Send a call with rows for its variables: code and message of the refusal, wherever it stands; the answer where there is none."""
    variables = f"({' '.join(f'${name}: ID!' for name in names)})" if names else ""
    ids = {name: cast.ids[row] for name, row in names.items()}
    answer = await cast.people[who].ask(f"mutation{variables} {{ result: {call} }}", **ids)
    if "errors" in answer.body:
        return answer.error
    result = answer.result
    (refused,) = result.get("errors") or [None]
    answered = {key: value for key, value in result.items() if key != "errors" and value is not None}
    return (refused["code"], refused["message"]) if refused and not answered else result
