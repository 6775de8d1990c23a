"""From a request's parameters to a result, whatever carried them: the same checks for HTTP and every stream."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Database
from caregraph.graph.context import Context
from caregraph.graph.cost import too_expensive
from caregraph.graph.errors import RequestError, presentable
from caregraph.graph.execution import Engine, InvalidDocumentError, Prepared
from caregraph.graph.feeds import Feed
from caregraph.graph.rates import OperationLimits, told
from caregraph.settings import Settings

from .documents import Documents
from .guard import Guard
from .observe import Observation, observation
from .requests import GraphQLRequest


class RefusedRequestError(Exception):
    """An operation that never starts: it does not parse, does not validate, or breaks a limit."""

    def __init__(self, *errors: GraphQLError) -> None:
        """`errors` as they are told."""
        super().__init__()
        self.errors = list(errors)


@dataclass(frozen=True)
class Ready:
    """An operation that may start."""

    prepared: Prepared
    operation: OperationDefinitionNode
    request: GraphQLRequest
    text: str
    """The document, also where the request only names it."""
    cost: int = 0


class Runner:
    """Prepares and runs operations; the transports only read and write bytes."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        settings: Settings,
        *,
        provided: Mapping[type[Any], Any],
        documents: Documents,
        guard: Guard,
        limits: OperationLimits,
    ) -> None:
        """`provided` are the application's services by type, for resolvers; `documents` knows texts by their ids."""
        self.engine = engine
        self.guard = guard
        self.settings = settings
        self._documents = documents
        self._limits = limits
        self._database = database
        self._provided = provided

    def prepare(self, request: GraphQLRequest) -> Ready:
        """Everything that needs no viewer and no database; raises `RefusedRequestError`."""
        with self._refusing(request.query):
            text = self._documents.text_of(request)
            return self._prepared(request, text, is_trusted=self._documents.is_trusted(text))

    def prepare_own(self, text: str, variables: Mapping[str, str]) -> Ready:
        """The same for a query that the server writes itself, which no list of trusted documents has to know."""
        with self._refusing(text):
            return self._prepared(GraphQLRequest(text, variables, None, None), text, is_trusted=False)

    @contextmanager
    def _refusing(self, text: str) -> Iterator[None]:
        try:
            yield
        except (InvalidDocumentError, RequestError) as error:
            refused = RefusedRequestError(*(error.errors if isinstance(error, InvalidDocumentError) else [error]))
            self.guard.refuse(observation(kind="none", name=None, text=text), refused.errors)
            raise refused from error

    def _prepared(self, request: GraphQLRequest, text: str, *, is_trusted: bool) -> Ready:
        prepared = self.engine.prepare(text)
        self._documents.remember(request, text)
        operation = prepared.operation(request.operation_name)
        cost = self.engine.cost(prepared, operation, request.variables)
        if cost > self.settings.maximum_cost and not is_trusted:
            raise too_expensive(cost, self.settings.maximum_cost)
        return Ready(prepared, operation, request, text, cost)

    async def admit(self, ready: Ready, viewer: Viewer, client_address: str) -> Context:
        """A context for an operation that its caller may still send; raises `RateLimitedError`.

        A subscription is counted once, when it starts: its events are not the caller's doing.
        """
        try:
            await self._limits.spend(viewer, client_address, cost=ready.cost)
        except RequestError as error:
            self.guard.refuse(_seen(ready), [error])
            raise
        return self.context(viewer, client_address)

    def context(self, viewer: Viewer, client_address: str) -> Context:
        """A context for one operation, or for one event of a subscription."""
        return Context(
            viewer=viewer,
            database=self._database,
            settings=self.settings,
            provided=self._provided,
            client_address=client_address,
        )

    async def run(
        self, ready: Ready, context: Context, root: Any = None, *, has_place: bool = False
    ) -> ExecutionResult:
        """Run a query or a mutation, or a subscription for the one event whose payload is `root`."""
        seen = _seen(ready)
        context.operation = seen.name or None
        result = await self.guard.run(
            seen,
            context,
            lambda: self._execute(ready, context, root),
            has_place=has_place,
            is_event=root is not None,
        )
        wanted = ready.request.extensions or {}
        if wanted.get("cost") is True:
            result.extensions = {**(result.extensions or {}), "cost": self._cost(ready, context)}
        if wanted.get("rateLimit") is True:
            context.budgets = await self._limits.budgets(context.viewer, context.client_address)
            result.extensions = {**(result.extensions or {}), "rateLimit": told(context.budgets)}
        return result

    async def subscribe(self, ready: Ready, context: Context) -> Feed | ExecutionResult:
        """Start a subscription."""
        name = ready.operation.name
        context.operation = name.value if name else None
        return await self.engine.subscribe(
            ready.prepared,
            context,
            variables=ready.request.variables,
            operation_name=ready.request.operation_name,
        )

    async def _execute(self, ready: Ready, context: Context, root: Any) -> ExecutionResult:
        return await self.engine.run(
            ready.prepared,
            context,
            variables=ready.request.variables,
            operation_name=ready.request.operation_name,
            root=root,
        )

    def _cost(self, ready: Ready, context: Context) -> dict[str, int]:
        limits = self.settings
        return {
            "requested": ready.cost,
            "limit": limits.maximum_cost,
            "rows": context.rows,
            "rowLimit": limits.maximum_rows,
        }

    def body(self, result: ExecutionResult) -> dict[str, Any]:
        """A result as it is told. Without `data` where the operation never started."""
        told: dict[str, Any] = {}
        if result.errors:
            told["errors"] = [presentable(one, development=self.settings.development) for one in result.errors]
        if result.data is not None or any(one.path is not None for one in result.errors or ()):
            told["data"] = result.data
        if result.extensions:
            told["extensions"] = result.extensions
        return told


def _seen(ready: Ready) -> Observation:
    name = ready.operation.name
    return observation(
        kind=ready.operation.operation.value, name=name.value if name else None, text=ready.text, cost=ready.cost
    )
