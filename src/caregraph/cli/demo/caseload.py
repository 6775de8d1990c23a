"""Who is on which episode and when its sessions are: the shape of a caseload, in numbers."""

from dataclasses import dataclass

import numpy as np

from .dataset import Calendar, Floats, Ints
from .plan import OrganizationPlan

_SPAN = 3 * 365
"""Days over which the demo's care lies."""
_EPISODES_PER_CLIENT = (0.12, 0.52, 0.26, 0.10)
_MOST_SESSIONS = 30
_ACTIVE_SHARE = 0.3
_SATURDAY = 5


@dataclass(frozen=True, eq=False)
class Caseload:
    """Positions of rows. A place is a client on an episode; the first places are the episodes' first clients."""

    calendar: Calendar
    place_client: Ints
    place_episode: Ints
    episode_start: Ints
    """Days from today, never positive; so are all days here."""
    episode_last: Ints
    """Day of the last session; of the start without any."""
    episode_is_active: Ints
    session_count: Ints
    session_episode: Ints
    session_ordinal: Ints
    """From 0 within the episode."""
    session_day: Ints

    @property
    def first_client(self) -> Ints:
        """By episode."""
        return self.place_client[: len(self.episode_start)]


def caseload(plan: OrganizationPlan, calendar: Calendar, rng: np.random.Generator) -> Caseload:
    """Spread the plan's episodes over its clients and three years."""
    place_client, place_episode = _places(plan, rng)
    counts = _session_counts(plan, rng)
    episode = np.repeat(np.arange(plan.episodes), counts)
    ordinal = np.arange(plan.sessions) - np.repeat(np.cumsum(counts) - counts, counts)
    # Weekly for most; the multiples of a week keep an episode on its weekday.
    steps = np.where(ordinal == 0, 0, rng.choice((7, 14, 21, 35), plan.sessions, p=(0.66, 0.23, 0.07, 0.04)))
    along = np.cumsum(steps)
    before = np.concatenate(([0], along))[np.cumsum(counts) - counts]
    offset = along - before[episode]
    length = np.zeros(plan.episodes, np.int64)
    np.maximum.at(length, episode, offset)
    start, is_active = _starts(place_client[: plan.episodes], length, rng)
    start -= np.maximum((calendar.today.weekday() + start) % 7 - (_SATURDAY - 1), 0)
    return Caseload(
        calendar=calendar,
        place_client=place_client,
        place_episode=place_episode,
        episode_start=start,
        episode_last=start + length,
        episode_is_active=is_active,
        session_count=counts,
        session_episode=episode,
        session_ordinal=ordinal,
        session_day=start[episode] + offset,
    )


def _places(plan: OrganizationPlan, rng: np.random.Generator) -> tuple[Ints, Ints]:
    counts = rng.choice(len(_EPISODES_PER_CLIENT), plan.clients, p=_EPISODES_PER_CLIENT)
    most = len(_EPISODES_PER_CLIENT) - 1
    clients = np.repeat(np.arange(plan.clients), _fitted(counts, plan.episodes + plan.shared_episodes, most, rng))
    rng.shuffle(clients)
    first, partners = clients[: plan.episodes], clients[plan.episodes :]
    shared = rng.choice(plan.episodes, plan.shared_episodes, replace=False)
    while np.any(same := first[shared] == partners):  # nobody shares an episode with themselves
        shared[same] = rng.choice(np.setdiff1d(np.arange(plan.episodes), shared), same.sum(), replace=False)
    return clients, np.concatenate((np.arange(plan.episodes), shared))


def _session_counts(plan: OrganizationPlan, rng: np.random.Generator) -> Ints:
    mean = plan.sessions / plan.episodes
    evenness = 1.7
    counts = rng.negative_binomial(evenness, evenness / (evenness + mean), plan.episodes)
    return _fitted(np.minimum(counts, _MOST_SESSIONS), plan.sessions, _MOST_SESSIONS, rng)


def _fitted(counts: Ints, total: int, most: int, rng: np.random.Generator) -> Ints:
    """`counts` with ones added or taken at random until they make `total`."""
    counts = counts.copy()
    while missing := total - int(counts.sum()):
        free = np.flatnonzero(counts < most if missing > 0 else counts > 0)
        chosen = rng.choice(free, min(abs(missing), len(free)), replace=False)
        counts[chosen] += np.sign(missing)
    return counts


def _starts(owner: Ints, length: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Give each episode its first day and whether it goes on today.

    A client's episodes follow one another. Some clients are in care now; the last session of theirs was recent.
    """
    starts, is_active = np.zeros_like(length), np.zeros(len(length), np.bool_)
    order = np.argsort(owner, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(owner[order])) + 1):
        busy = int(length[mine].sum())
        span = max(_SPAN, busy)
        gaps: Floats = rng.dirichlet(np.ones(len(mine) + 1)) * (span - busy)
        if rng.random() < _ACTIVE_SHARE:
            is_active[mine[-1]] = True
            recent = min(gaps[-1], rng.integers(0, 15))
            gaps[0] += gaps[-1] - recent
        starts[mine] = np.floor(np.cumsum(gaps[:-1])) + np.cumsum(length[mine]) - length[mine] - span
    return starts, is_active.astype(np.int64)
