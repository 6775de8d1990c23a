"""Fields that compute: a function of a row, or of nothing at the root, becomes a field by its signature.

The function takes the context and the row (null at the root); its keyword parameters become arguments. A field of a
type whose answer only a later slice knows names the function as text, `"caregraph.treatment.charts:of_client"`,
looked up when the schema is built: the same allowance that relations have.
"""

import importlib
import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from strawberry.types.arguments import StrawberryArgument, StrawberryArgumentAnnotation
from strawberry.types.unset import UNSET

from caregraph.auth.viewer import Permission

from .errors import demand
from .fields import KitField, argument, kit_field

Function = Callable[..., Awaitable[Any]]


def computed(
    function: Function | str,
    description: str = "",
    *,
    needs: Permission | None = None,
    cost: int = 1,
    size: int | None = None,
) -> Any:
    """A field answered by `function(context, row, **arguments)`; described by its docstring unless named as text.

    `cost` is what it takes by itself, `size` how many items its list is assumed to have.
    """
    text = description or inspect.cleandoc(getattr(function, "__doc__", None) or "")
    if needs is not None:
        text += f"\n\nNeeds: {needs.value}."
    return kit_field(
        text,
        resolve=_resolve,
        arguments=lambda made: keyword_arguments(found(made.function)),
        needs=needs,
        function=function,
        cost=cost,
        size=size,
    )


@cache
def found(function: Function | str) -> Function:
    """The function itself, imported if it is named as text."""
    if not isinstance(function, str):
        return function
    module, _, name = function.partition(":")
    result: Function = getattr(importlib.import_module(module), name)
    return result


async def _resolve(made: KitField, row: Any, info: Any, **arguments: Any) -> Any:
    demand(info.context.viewer, made.needs)
    sent = {name: value for name, value in arguments.items() if value is not UNSET}
    return await found(made.function)(info.context, row, **sent)


@cache
def keyword_arguments(function: Function | None) -> list[StrawberryArgument]:
    """The arguments that the keyword parameters of a function become."""
    if function is None:
        return []
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return [_argument(one, hints[one.name]) for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]


def _argument(one: inspect.Parameter, hint: Any) -> StrawberryArgument:
    annotation, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    description = next(extra.description for extra in extras if isinstance(extra, StrawberryArgumentAnnotation))
    return argument(one.name, annotation, description or "", UNSET if one.default in {None, one.empty} else one.default)
