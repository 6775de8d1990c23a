"""Checks of the settings alone."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from caregraph.db.counters import MEMORY, Counters
from caregraph.http.cross_site import allowed_origins
from caregraph.settings import Settings

from .findings import Finding, Plan, error, warning

_SHORTEST_SECRET = 32
_RANDOM_TEXT = """Set it to random text: python3 -c "import secrets; print(secrets.token_hex(32))\""""
# OWASP's choices for Argon2id: with so many passes, at least so many KiB.
_LEAST_MEMORY = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216}
_LEAST_MEMORY_OF_MORE = 7_168


def secret_key(settings: Settings, plan: Plan) -> Iterator[Finding]:
    """Links are signed with a key of the operator's."""
    if not settings.secret_key and plan.processes > settings.workers:  # workers of one command have drawn one together
        problem = "CAREGRAPH_SECRET_KEY is not set: each process refuses the download links of the others"
        yield error("secret-key", problem, _RANDOM_TEXT)
    elif not settings.secret_key:
        yield warning(
            "secret-key", "CAREGRAPH_SECRET_KEY is not set: download links end with the process", _RANDOM_TEXT
        )
    elif len(settings.secret_key) < _SHORTEST_SECRET:
        problem = f"CAREGRAPH_SECRET_KEY has {len(settings.secret_key)} characters: links can be forged by trying keys"
        yield error("secret-key", problem, _RANDOM_TEXT)


def development(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Causes of errors stay in the server."""
    if settings.development:
        problem = "CAREGRAPH_DEVELOPMENT is on: logs and error messages may hold values of requests"
        yield error("development", problem, "Unset it wherever there are real clients")


def open_origins(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Pages of other sites are named one by one."""
    if "*" in allowed_origins(settings):
        problem = "CAREGRAPH_ALLOWED_ORIGINS is *: any site's page may call this server from a visitor's browser"
        yield error("allowed-origins", problem, "Name the origins of your own front ends")


def introspection(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Whoever closes the endpoint to foreign queries seldom wants to show its schema."""
    if settings.profile == "first-party" and settings.introspection:
        problem = "CAREGRAPH_INTROSPECTION is on although CAREGRAPH_PROFILE is first-party"
        yield warning("introspection", problem, "Set CAREGRAPH_INTROSPECTION=false")


def metrics(settings: Settings, plan: Plan) -> Iterator[Finding]:
    """Numbers about the server are not for everybody."""
    if settings.metrics and not settings.metrics_token and not _is_loopback(plan.host):
        problem = f"/metrics answers anyone who reaches {plan.host}"
        yield warning("metrics", problem, "Set CAREGRAPH_METRICS_TOKEN, or CAREGRAPH_METRICS=false")


def proxies(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Addresses that callers can invent limit nothing."""
    if settings.trusted_proxies.strip() == "*":
        problem = "CAREGRAPH_TRUSTED_PROXIES is *: callers choose the address that sign-in attempts are counted by"
        yield error("trusted-proxies", problem, "Name the addresses or networks of your proxies")


def rate_limits(settings: Settings, plan: Plan) -> Iterator[Finding]:
    """One principal cannot take the whole server."""
    for name in ("rate_limit", "rate_limit_cost"):
        if not getattr(settings, name):
            problem = f"CAREGRAPH_{name.upper()} is 0: one principal may keep the whole server busy"
            yield warning("rate-limits", problem, "Unset it, or set what a principal may need in a minute")
    if settings.rate_limit_url == MEMORY and plan.processes > 1:
        problem = f"Rate limits are counted by each of {plan.processes} processes for itself"
        level = error if settings.workers > 1 else warning  # serve does not start
        yield level("rate-limits", problem, "Set CAREGRAPH_RATE_LIMIT_URL to a Redis or Valkey that they share")


async def rate_limit_store(settings: Settings) -> list[Finding]:
    """The store of the limits answers."""
    counters = Counters(settings.rate_limit_url)
    try:
        if await counters.answers():
            return []
    finally:
        await counters.close()
    problem = "The store that CAREGRAPH_RATE_LIMIT_URL names does not answer: each process counts for itself"
    return [warning("rate-limits", problem, "Start it, or correct the URL")]


def mail(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Who is invited hears of it, and can follow the link."""
    if settings.mail_url.startswith("console:"):
        problem = "CAREGRAPH_MAIL_URL is console: no mail leaves the server, invitations fail"
        yield warning("mail", problem, "Set it to smtp://user:password@host:port or smtps://…")
    elif not settings.public_url.startswith("https://"):
        problem = f"Links in mails lead to {settings.public_url}: tokens travel in the clear, or nowhere"
        yield warning("mail", problem, "Set CAREGRAPH_PUBLIC_URL to the https:// address of your front end")


def password_hashing(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Stolen hashes stay expensive to try."""
    least = _LEAST_MEMORY.get(settings.password_passes, _LEAST_MEMORY_OF_MORE)
    if settings.password_memory < least:
        problem = (
            f"Passwords are hashed with {settings.password_memory} KiB and CAREGRAPH_PASSWORD_PASSES="
            f"{settings.password_passes}: OWASP asks for at least {least} KiB"
        )
        yield error("password-hashing", problem, f"Unset CAREGRAPH_PASSWORD_MEMORY, or set it to {least} or more")


def encryption(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Identifying data is encrypted at rest."""
    if not settings.encryption_keys:
        problem = "CAREGRAPH_ENCRYPTION_KEYS is not set: national numbers and telephones are stored in the clear"
        yield warning("encryption-keys", problem, "Set a key, then run caregraph rotate-keys")


def files(settings: Settings, _plan: Plan) -> Iterator[Finding]:
    """Files about clients are for the server's own user."""
    folder = Path(settings.files_url)
    if "://" not in settings.files_url and folder.is_dir() and folder.stat().st_mode & 0o007:
        problem = f"The folder {folder} of uploaded files is open to every user of this machine"
        yield error("files", problem, f"chmod 700 {folder}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


CHECKS = (
    secret_key,
    development,
    open_origins,
    introspection,
    metrics,
    proxies,
    rate_limits,
    mail,
    password_hashing,
    encryption,
    files,
)
