"""GraphQL types of clients, labels, groups and files."""

from datetime import date, datetime

from caregraph.graph.computed import computed
from caregraph.graph.fields import field
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import many, one, referenced
from caregraph.graph.scalars import PhoneNumber
from caregraph.refs import (
    AnswerSetRef,
    ClientRef,
    ConsentRef,
    EpisodeChartRef,
    EpisodeRef,
    FileRef,
    GroupRef,
    LabelRef,
    OrganizationRef,
    ScoresTableRef,
    UserRef,
)

from . import files, models
from .consents import current_consents
from .enums import ConsentKind, Gender


@node(
    models.Client,
    where=(models.Client.full_name, models.Client.birth_date, models.Client.created_at),
    order_by=(models.Client.full_name, models.Client.birth_date, models.Client.created_at),
)
class Client(Node):
    """A person served. Seen by the users who own the client, and by superusers."""

    full_name: str = field("Full name.")
    alias: str | None = field("Another name to look the client up by.")
    ssn: str | None = field("National or local number, free text to look the client up by.")
    birth_date: date | None = field("Day of birth.")
    gender: Gender = field("Gender as recorded.")
    phone: PhoneNumber | None = field("Telephone number.")
    comment: str | None = field("Free text about the client.")
    gdpr_approval: bool = field("Whether the client approved data processing; when and to whom: `consents`.")
    created_at: datetime = field("When the client was recorded.")
    erased_at: datetime | None = field("When what identifies the client was erased; null: it was not.")
    organization: OrganizationRef | None = one(
        "clients.organization_id", "The client's organization; null except to superusers."
    )
    owners: list[UserRef] = many(
        description="The users who work with the client, at least one; id, e-mail and full name only.",
        through="client_owners",
        order="full_name",
        size=2,
    )
    labels: list[LabelRef] = many(description="Labels on the client.", through="client_labels", order="name", size=3)
    groups: list[GroupRef] = many(
        description="Groups that the client is in; credentials of groups see only theirs.",
        through="client_groups",
        order="name",
        size=2,
    )
    episodes: Page[EpisodeRef] = many(
        description="The client's courses of care.", through="episode_clients", order="start_date", size=3
    )
    files: Page[FileRef] = many("files.client_id", description="Files about the client.", order="created_at", size=5)
    answer_sets: Page[AnswerSetRef] = many(
        "answer_sets.client_id", description="The client's answers to assessments.", order="created_at", size=3
    )
    consents: list[ConsentRef] = computed(current_consents, size=3)
    consent_history: Page[ConsentRef] = many(
        "consents.client_id", description="All that was recorded, also what holds no more.", order="recorded_at", size=5
    )
    scores_by_session: list[EpisodeChartRef] = computed(
        "caregraph.treatment.charts:of_client",
        "Charts of the client's scores, an entry per episode by its start (`fit.clients.scores_by_session`).",
        size=3,
    )
    scores_table: ScoresTableRef | None = computed(
        "caregraph.treatment.tables:of_client", "The client's scores of all episodes as columns.", cost=10
    )


@node(models.Label, where=(models.Label.name,), order_by=(models.Label.name,))
class Label(Node):
    """A tag of the organization for clients and episodes. All its users may read it, superusers change it."""

    name: str = field("Name, unique within the organization; filters go by it, letter for letter.")


@node(models.Group, where=(models.Group.name,), order_by=(models.Group.name,))
class Group(Node):
    """A cohort of clients: a practice, an employer, a class. Applications can be limited to groups.

    All users of the organization may read it, superusers and applications of the organization change it.
    """

    name: str = field("Name, unique within the organization.")
    bio: str | None = field("Free description.")
    created_at: datetime = field("When the group was made.")
    organization: OrganizationRef | None = one("groups.organization_id", "The group's organization.")
    clients: Page[ClientRef] = many(
        description="Clients in the group whom you may see.", through="client_groups", order="full_name", size=100
    )
    users: Page[UserRef] = many(
        description="Users (coaches) who work with the group.", through="user_groups", order="full_name", size=10
    )


@node(models.File, order_by=(models.File.created_at,))
class File(Node):
    """A file about a client. Seen as the client is."""

    name: str = field("File name as it was sent, without folders.")
    content_type: str = field("Media type, such as `application/pdf`.")
    size: int = field("Bytes.")
    sha256: str = field("SHA-256 of the bytes, hexadecimal.")
    created_at: datetime = field("When it was uploaded.")
    client: ClientRef = one("files.client_id", "The client whom it is about.")
    url: str = computed(files.link)


@node(models.Consent, order_by=(models.Consent.recorded_at,))
class Consent(Node):
    """What a client allowed or refused at some time. Seen as the client is; never changed, a new one follows."""

    kind: ConsentKind = field("What it is about.")
    given: bool = field("True: allowed. False: refused or withdrawn.")
    recorded_at: datetime = field("When it was recorded.")
    recorded_by: UserRef | None = referenced(
        "recorded_by", "Who recorded it; null for an account that is gone, a program, and after erasure of the client."
    )
    client: ClientRef = one("consents.client_id", "The client.")
