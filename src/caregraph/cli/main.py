"""The `caregraph` command."""

import asyncio
import difflib
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from socket import socket
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from graphql import GraphQLError
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from caregraph import schema as graph
from caregraph.app import create_app
from caregraph.auth.secrets import Passwords
from caregraph.db import migrate as migrations
from caregraph.db import rotation
from caregraph.db.encryption import UnreadableValueError
from caregraph.db.keyuse import EncryptionKeyError
from caregraph.db.session import Database
from caregraph.graph.scalars import SCALARS, EmailAddress
from caregraph.graph.subgraph import subgraph_sdl
from caregraph.settings import InvalidSettingError, Settings

from . import instruments, manifest, provision, show
from .demo import credentials
from .demo.plan import Scale
from .demo.run import prepare
from .doctor.findings import Level, Plan
from .doctor.run import examine
from .serving import server, supervising

T = TypeVar("T")

_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 8, 200
_LONGEST_DIFFERENCE = 40
_LAST_WORD = 0.1

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="One typed GraphQL server for outcome-informed care.",
)
users = typer.Typer(no_args_is_help=True, help="Accounts.")
app.add_typer(users, name="users")
operations = typer.Typer(no_args_is_help=True, help="The operation documents of this version.")
app.add_typer(operations, name="operations")
app.add_typer(instruments.app, name="instruments")

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65_535)]


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def demo(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    database: Annotated[
        str | None, typer.Option(help="File or database URL to keep the demo in; a temporary file by default.")
    ] = None,
    scale: Annotated[Scale, typer.Option(help="How much data: about 300 or about 2,100 clients.")] = Scale.SMALL,
    write_credentials: Annotated[
        Path | None, typer.Option(help="Also write address and credentials to this file, as JSON.", dir_okay=False)
    ] = None,
) -> None:
    """Serve two fictional organizations, with credentials to look around.

    Whoever reaches the address can use the credentials, so keep it on your own machine. A database that already holds
    the demo is not filled again; it gets fresh credentials, and earlier ones end.
    """
    server.end_on_terminate()
    if write_credentials is not None and not write_credentials.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {write_credentials.parent} to write credentials to")
    with _embedded(database) as url, _listening(host, port) as taken:
        settings = _settings(database_url=url, log_level="warning", log_format="text", shutdown_grace=0.0)
        with show.progress() as progress:
            ready = _run(prepare(settings, scale, progress))
        base, application = server.address(taken), create_app(settings, principals=ready.principals)
        taken.listen()  # whoever has read the address may come at once, and waits for the start
        if write_credentials is not None:
            credentials.write(write_credentials, f"{base}/graphql", ready.principals)
        show.demo(base, ready)
        server.serve(application, taken)


@app.command()
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[
        int | None, typer.Option(help="Processes that serve together; by default CAREGRAPH_WORKERS, or 1.", min=1)
    ] = None,
) -> None:
    """Serve the database that the settings in the environment name (`CAREGRAPH_DATABASE_URL` and others)."""
    server.end_on_terminate()
    settings = _settings(workers=workers)
    if settings.workers > 1 and (obstacle := supervising.obstacle(settings)):
        _fail(obstacle)
    at = _run(migrations.revision(Database(settings)))
    if at != migrations.head():
        found = f"is at {at}" if at else "has no tables yet"
        _fail(f"The database {found}, this version needs {migrations.head()}: run caregraph migrate")
    _run(_with_database(settings, Database.check_keys))
    with _listening(host, port) as taken:
        try:
            application = create_app(settings)
        except InvalidSettingError as error:  # what the settings name may be wrong too
            _fail(str(error))
        show.say(f"Caregraph serves at {server.address(taken)}")
        if settings.workers > 1:
            supervising.serve(application, taken)
        else:
            server.serve(application, taken)


@app.command()
def migrate() -> None:
    """Bring the database to the tables of this version."""
    _run(migrations.upgrade(Database(_settings())))
    show.say(f"The database is at {migrations.head()}")


@app.command()
def rotate_keys() -> None:
    """Encrypt everything under the first of `CAREGRAPH_ENCRYPTION_KEYS`, or with `none` first decrypt it.

    Also for a key that is new where there was none. Runs beside servers that have the same keys, as the owner of the
    tables; after an interruption run it again.
    """
    with show.progress() as progress:
        done = _run(_with_database(_settings(), rotation.rotate, progress))
    if done.left:
        _fail(f"{done.left} rows came under another key meanwhile: give all servers the same first key, then run again")
    show.say(f"{done.rows} rows were written, nothing is left under another key")


@app.command()
def schema(
    *,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.", dir_okay=False)] = None,
    check: Annotated[
        Path | None, typer.Option(help="Only compare with this file; exit 1 when it differs.", dir_okay=False)
    ] = None,
    federation: Annotated[
        bool, typer.Option("--federation", help="The subgraph SDL that gateways compose, instead of the API schema.")
    ] = False,
    access: Annotated[
        bool,
        typer.Option(
            help="With --federation: say `@authenticated` and `@requiresScopes`. @apollo/gateway refuses them."
        ),
    ] = True,
) -> None:
    """Print the API schema in the schema definition language."""
    sdl = subgraph_sdl(graph.build(), access=access) if federation else graph.api_sdl(graph.build())
    if check is not None:
        _compare(check, sdl)
    elif output is not None:
        output.write_text(sdl, "utf-8")
    else:
        sys.stdout.write(sdl)


@app.command()
def doctor(
    *,
    host: Host = "127.0.0.1",
    processes: Annotated[
        int | None,
        typer.Option(help="How many processes serve together, workers counted; by default CAREGRAPH_WORKERS.", min=1),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Look for problems in the settings and in the database that they name, and say what to do about each.

    Changes no data. Ends with status 1 when an error was found, with 0 when there are warnings only.
    """
    settings = _settings()
    found = _run(examine(settings, Plan(host, processes or settings.workers)))
    show.findings(found, as_json=as_json)
    if any(one.level is Level.ERROR for one in found):
        raise typer.Exit(1)


@operations.command("manifest")
def operations_manifest() -> None:
    """Print an Apollo persisted query manifest of the operation documents."""
    sys.stdout.write(manifest.text())


@users.command("create")
def create_user(
    *,
    email: Annotated[str, typer.Option(help="E-mail to sign in with.")],
    full_name: Annotated[str, typer.Option(help="Full name.")],
    organization: Annotated[
        str | None, typer.Option(help="Name of the new organization to create the user in.")
    ] = None,
    organization_id: Annotated[
        int | None,
        typer.Option(help="Number of an existing organization. They are not found by name: tenants are separate."),
    ] = None,
    superuser: Annotated[bool, typer.Option("--superuser", help="May do everything in the organization.")] = False,
) -> None:
    """Create an account that may use the API, in a new organization or an existing one.

    The password is asked for, or taken from the variable CAREGRAPH_PASSWORD.
    """
    if (organization is None) == (organization_id is None):
        raise typer.BadParameter("give either --organization or --organization-id")
    for option, text in (("--full-name", full_name), ("--organization", organization)):
        if text is not None and not text.strip():
            raise typer.BadParameter(f"{option} must not be empty")
    settings = _settings()
    account = provision.Account(
        email=_email(email), full_name=full_name, password_hash=_hashed(settings), is_superuser=superuser
    )
    if organization_id is None:
        organization_id, user_id = _run(
            _with_database(settings, provision.create_in_new_organization, organization, account)
        )
    else:
        user_id = _run(_with_database(settings, provision.create_in_organization, organization_id, account))
    show.say(f"User {user_id} was created in organization {organization_id}")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; what the database or the caller's input refuses becomes one line instead of a traceback."""
    try:
        return asyncio.run(_to_the_end(work))
    except (provision.ProvisionError, EncryptionKeyError, UnreadableValueError) as error:
        _fail(str(error))
    except (SQLAlchemyError, OSError) as error:
        _fail(f"The database does not answer as it should: {getattr(error, 'orig', error)}")


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; after a failure let the database driver's thread hand its last word to the loop before it closes."""
    try:
        return await work
    except BaseException:
        await asyncio.sleep(_LAST_WORD)
        raise


async def _with_database(settings: Settings, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    database = Database(settings)
    try:
        return await work(database, *arguments)
    finally:
        await database.close()


def _settings(**overrides: Any) -> Settings:
    try:
        return Settings.from_environment(**overrides)
    except InvalidSettingError as error:
        _fail(str(error))


def _listening(host: str, port: int) -> socket:
    try:
        return server.bound(host, port)
    except OSError as error:
        _fail(f"Cannot listen on {host}:{port}: {error.strerror}")


@contextmanager
def _embedded(place: str | None) -> Iterator[str]:
    """The URL of `place`; without one, of a temporary database that ends with the block."""
    if place is None:
        with tempfile.TemporaryDirectory(prefix="caregraph-demo-") as folder:
            yield _sqlite_url(Path(folder) / "demo.sqlite")
    else:
        yield place if "://" in place else _sqlite_url(Path(place))


def _sqlite_url(file: Path) -> str:
    return URL.create("sqlite+aiosqlite", database=str(file.absolute())).render_as_string()


def _compare(file: Path, sdl: str) -> None:
    found = file.read_text("utf-8") if file.exists() else ""
    if found == sdl:
        return
    changes = difflib.unified_diff(found.splitlines(), sdl.splitlines(), str(file), "the schema", lineterm="", n=1)
    sys.stderr.writelines(f"{line}\n" for line in islice(changes, _LONGEST_DIFFERENCE))
    _fail(f"{file} differs from the schema: run caregraph schema --output {file}")


def _email(text: str) -> str:
    read: Callable[[str], str] = SCALARS[EmailAddress].parse_value  # type: ignore[assignment]
    try:
        return read(text)
    except GraphQLError as error:
        raise typer.BadParameter(f"{text!r} is not an e-mail address") from error


def _hashed(settings: Settings) -> str:
    password = os.environ.get("CAREGRAPH_PASSWORD") or typer.prompt(
        "Password", hide_input=True, confirmation_prompt=True
    )
    if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        _fail(f"A password has {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters")
    return asyncio.run(Passwords(memory=settings.password_memory, passes=settings.password_passes).hash(password))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
