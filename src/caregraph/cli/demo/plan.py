"""How large each demo organization is and who works there."""

import enum
import unicodedata
from dataclasses import dataclass, replace


class Scale(enum.Enum):
    """How much data the demo has."""

    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, kw_only=True)
class Staff:
    """A demo user and the roles held."""

    full_name: str
    domain: str
    is_superuser: bool = False
    is_auditor: bool = False
    is_disabled: bool = False
    api_enabled: bool = True

    @property
    def email(self) -> str:
        """`given.family@domain`, in ASCII."""
        ascii_name = unicodedata.normalize("NFKD", self.full_name).encode("ascii", "ignore").decode()
        return f"{ascii_name.casefold().replace(' ', '.')}@{self.domain}"


@dataclass(frozen=True, kw_only=True)
class OrganizationPlan:
    """One organization: its people and exactly how many rows of what."""

    name: str
    domain: str
    seed: int
    labels: tuple[str, ...]
    staff: tuple[Staff, ...]
    clients: int
    episodes: int
    shared_episodes: int
    """Episodes with two clients."""
    raters: int
    sessions: int
    scores: int

    @property
    def superuser(self) -> Staff:
        """The first superuser, with API use enabled."""
        return next(one for one in self.staff if one.is_superuser)

    @property
    def user(self) -> Staff:
        """The first ordinary user, who owns clients and may use the API."""
        return next(one for one in self.staff if one == Staff(full_name=one.full_name, domain=one.domain))

    @property
    def calculator_email(self) -> str:
        """What the calculator's credentials are named."""
        return f"calculator@{self.domain}"


def _staff(
    domain: str, *ordinary: str, superusers: tuple[str, ...], auditor: str, disabled: str, offline: str
) -> tuple[Staff, ...]:
    return (
        *(Staff(full_name=name, domain=domain, is_superuser=True) for name in superusers),
        *(Staff(full_name=name, domain=domain) for name in ordinary),
        Staff(full_name=auditor, domain=domain, is_auditor=True),
        Staff(full_name=disabled, domain=domain, is_disabled=True),
        Staff(full_name=offline, domain=domain, api_enabled=False),
    )


_MORE_STAFF = (
    "Aoife Brennan",
    "Beatriz Nunes",
    "Callum Reid",
    "Dagny Lund",
    "Ewa Zielinska",
    "Farid Rahimi",
    "Greta Baumann",
    "Hiroshi Mori",
    "Ines Carvalho",
    "Jonah Whitlock",
    "Kirsten Vang",
    "Lamin Ceesay",
)

NORTHFIELD = OrganizationPlan(
    name="Northfield Family Services",
    domain="northfield.example",
    seed=20_101,
    labels=("Anxiety", "Bereavement", "Family conflict", "Low mood", "School", "Self-referred", "Waiting list"),
    staff=_staff(
        "northfield.example",
        "Tomasz Wilk",
        "Amina Yusuf",
        "Léa Fontaine",
        superusers=("Morgan Hale", "Priya Raman"),
        auditor="Oskar Lindgren",
        disabled="Dennis Foley",
        offline="Ruth Abbot",
    ),
    clients=190,
    episodes=249,
    shared_episodes=11,
    raters=84,
    sessions=2_005,
    scores=4_010,
)
HARBOR = OrganizationPlan(
    name="Harbor Counselling",
    domain="harbor.example",
    seed=20_202,
    labels=("Addiction", "Adults", "Couples", "Trauma", "Young people"),
    staff=_staff(
        "harbor.example",
        "Noor Bakker",
        "Samuel Osei",
        superusers=("Ingrid Solberg",),
        auditor="Marta Rossi",
        disabled="Colin Sharpe",
        offline="Yuki Tanabe",
    ),
    clients=110,
    episodes=144,
    shared_episodes=6,
    raters=48,
    sessions=1_160,
    scores=2_320,
)
# The data set of the published comparisons: see tests/benchmarks.
NORTHFIELD_LARGE = replace(
    NORTHFIELD,
    staff=NORTHFIELD.staff + tuple(Staff(full_name=name, domain=NORTHFIELD.domain) for name in _MORE_STAFF),
    clients=2_000,
    episodes=2_624,
    shared_episodes=110,
    raters=882,
    sessions=21_132,
    scores=42_264,
)


def organizations(scale: Scale) -> tuple[OrganizationPlan, ...]:
    """The organizations of a scale; the second one stays small."""
    return (NORTHFIELD_LARGE if scale is Scale.LARGE else NORTHFIELD, HARBOR)
