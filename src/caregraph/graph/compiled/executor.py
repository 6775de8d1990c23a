"""The executor that answers root fields by plans, and the plans that a database's operations share."""

import logging
from collections.abc import Awaitable, Sequence
from copy import copy
from typing import Any

import strawberry
from graphql import GraphQLObjectType
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from caregraph.db.session import Database
from caregraph.graph.cost import made_by_kit
from caregraph.graph.tables import Executor

from .bounded import Bounded
from .plans import Details, Planner, UnplannableError
from .running import Run
from .starts import Start, start_of
from .statements import Read, Statements

LOG = logging.getLogger("caregraph.compiled")
MOST_PLANS = 1000


class Plans:
    """What is compiled for one schema and one database."""

    def __init__(self, schema: strawberry.Schema, database: Database) -> None:
        """Nothing yet."""
        self.database = database
        self.converter = schema.schema_converter
        self.statements = Statements(database)
        self.wholes: dict[type[Any], Read] = {}
        self._starts: Bounded[tuple[Details, Start | None]] = Bounded(MOST_PLANS)

    def start(
        self, planner: Planner, parent: GraphQLObjectType, details: Details, flags: Sequence[str]
    ) -> Start | None:
        """The plan of a root field, or null where graphql-core executes it.

        `flags` are the variables that decide what is included. Fields are known by identity: their nodes are kept here
        beside the plan, so no other node takes their place.
        """
        values = planner.executor.variable_values.coerced
        key = (tuple(id(one.node) for one in details), tuple(values.get(name) for name in flags))
        known = self._starts.get(key)
        if known is None:
            known = (details, _planned(planner, parent, details))
            self._starts.put(key, known)
        return known[1]


def _planned(planner: Planner, parent: GraphQLObjectType, details: Details) -> Start | None:
    field = planner.executor.schema.get_field(parent, details[0].node.name.value)
    made = None if field is None else made_by_kit(field)
    if field is None or made is None or made.start is None:
        return None
    if any(one.fragment_variable_values is not None or one.defer_usage is not None for one in details):
        return None
    try:
        return start_of(planner, field, made, details)
    except UnplannableError:
        return None
    except Exception as error:  # noqa: BLE001 a plan is never what an operation fails for
        LOG.error("no plan for %s: %s", field_name(details), type(error).__name__)  # noqa: TRY400 values may be in it
        return None


def field_name(details: Details) -> str:
    """The schema's name of a field; its alias is the caller's."""
    return str(details[0].node.name.value)


class PlanningExecutor(Executor):
    """graphql-core's executor, but root fields that have a plan are answered by it."""

    def __init__(self, *args: Any, plans: Plans, flags: Sequence[str], **kwargs: Any) -> None:
        """`flags` are the variables that `@include` and `@skip` look at."""
        super().__init__(*args, **kwargs)
        self.converter = plans.converter
        self._plans = plans
        self._flags = flags
        alone = copy(self)  # without the run, which would else hold itself: nothing is left for the garbage collector
        self._planner = Planner(alone, plans.database.dialect, plans.wholes)
        self._run = Run(alone, self._planner, plans.statements)

    @property
    def failure(self) -> Exception | None:
        """Why a plan could not answer, if one could not: then the whole operation is to be executed anew."""
        return self._run.failure

    def with_errors_of_its_own(self, errors: CollectedErrors) -> "PlanningExecutor":
        """The same operation for a part of it, whose errors are looked at apart."""
        made = copy(self)
        made.collected_errors = errors
        return made

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Details,
        path: Path,
        position_context: Any,
    ) -> Any:
        """Begin a plan, or leave the field to graphql-core."""
        if parent_type is self.schema.query_type:
            start = self._plans.start(self._planner, parent_type, field_details_list, self._flags)
            answer = None if start is None else self._begun(start)
            if answer is not None:
                return answer
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def _begun(self, start: Start) -> Awaitable[Any] | None:
        """The answer to wait for; null where permission or arguments are wanting: graphql-core says so."""
        try:
            answer = start.begin(self._run)
        except Exception:  # noqa: BLE001 whatever it is, graphql-core meets it too
            return None
        return self._answered(answer)

    async def _answered(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except Exception as error:  # noqa: BLE001 the operation is executed anew, and says what is wrong
            self._run.failure = self._run.failure or error
            return None
