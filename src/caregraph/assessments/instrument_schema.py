"""Root fields of the library of instruments."""

import strawberry

from caregraph.auth.viewer import Permission
from caregraph.graph.actions import Payload, action
from caregraph.graph.computed import computed

from .instrument_types import Instrument, of_library
from .instruments import install_instrument
from .types import Assessment


@strawberry.type
class Query:
    """Reading the library."""

    instruments: list[Instrument] | None = computed(of_library, needs=Permission.CARE, size=17)


@strawberry.type
class Mutation:
    """Taking instruments from the library."""

    install_instrument: Payload[Assessment] | None = action(install_instrument, needs=Permission.CREATE_ASSESSMENT)
