"""GraphQL types of clients and labels."""

from datetime import date, datetime

from caregraph.graph.computed import computed
from caregraph.graph.fields import field
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import many, one
from caregraph.graph.scalars import PhoneNumber
from caregraph.refs import ClientRef, EpisodeChartRef, EpisodeRef, FileRef, LabelRef, OrganizationRef, UserRef

from . import files, models
from .enums import Gender


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
    gdpr_approval: bool = field("Whether the client approved data processing.")
    created_at: datetime = field("When the client was recorded.")
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
    episodes: Page[EpisodeRef] = many(
        description="The client's courses of care.", through="episode_clients", order="start_date", size=3
    )
    files: Page[FileRef] = many("files.client_id", description="Files about the client.", order="created_at", size=5)
    scores_by_session: list[EpisodeChartRef] = computed(
        "caregraph.treatment.charts:of_client",
        "Charts of the client's scores, an entry per episode by its start (`fit.clients.scores_by_session`).",
        size=3,
    )


@node(models.Label, where=(models.Label.name,), order_by=(models.Label.name,))
class Label(Node):
    """A tag of the organization for clients and episodes. All its users may read it, superusers change it."""

    name: str = field("Name, unique within the organization; filters go by it, letter for letter.")


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


@node(models.Group)
class Group(Node):
    """A cohort of clients: a practice, an employer, a class. Credentials can be limited to groups."""

    name: str = field("Name, unique within the organization.")
    bio: str | None = field("What the group is.")
