"""The lowest and highest sums and means of scales and domains, kept in their columns because lists are ordered by them.

Whatever changes the values of options, the items of a scale or the scales of a domain calls `keep_limits`.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from caregraph.db.session import Tx
from caregraph.scoring.errors import SpecError
from caregraph.scoring.possible import PossibleRange, possible_ranges

from . import models
from .rule_rows import rule_rows
from .specs import domain_key, limits_spec, plain_key, scale_key

_UNKNOWN = PossibleRange(None, None)


async def keep_limits(
    tx: Tx, *, items: Iterable[int] = (), scales: Iterable[int] = (), domains: Iterable[int] = ()
) -> None:
    """Compute the limits again of what is named by id, and of the organization's scales and domains that hold it."""
    await tx.flush()
    here = tx.info["viewer"].organization_id
    held = select(models.ItemScale.scale_id).where(models.ItemScale.item_id.in_(set(items)))
    own = models.Scale.organization_id == here
    wanted = set(scales) | set(await tx.scalars(select(models.Scale.id).where(models.Scale.id.in_(held), own)))
    holding = select(models.DomainScale.domain_id).where(models.DomainScale.scale_id.in_(wanted))
    own = models.Domain.organization_id == here
    topics = set(domains) | set(await tx.scalars(select(models.Domain.id).where(models.Domain.id.in_(holding), own)))
    rows = await rule_rows(tx.execute, scales=wanted, domains=topics)
    try:
        found = possible_ranges(limits_spec(rows))
    except SpecError:  # nothing has numbers
        found = {}
    for scale_id in wanted & rows.scales.keys():
        _write(rows.scales[scale_id], scale_key(scale_id), found)
    for domain_id in topics & rows.domains.keys():
        _write(rows.domains[domain_id], domain_key(domain_id), found)
    await tx.flush()


def _write(row: Any, key: str, found: dict[str, PossibleRange]) -> None:
    for name, mean in (("sum", False), ("mean", True)):
        limits = found.get(plain_key(key, mean=mean), _UNKNOWN)
        for end, value in (("min", limits.minimum), ("max", limits.maximum)):
            if getattr(row, f"{end}_{name}_score") != value:
                setattr(row, f"{end}_{name}_score", value)
