"""Statements as text for the driver, for hot reads: SQLAlchemy builds and compiles each once, and executes none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Dialect, Executable

Process = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Text:
    """A statement as the driver takes it."""

    sql: str
    parameters: tuple[tuple[str, Process | None], ...]
    """Names in the driver's order, each with what makes its value one of the driver's."""
    known: Mapping[str, Any]
    """The driver's values of parameters that were given when the statement was built."""
    context: Any = None
    """What listeners are told of the execution: its options."""
    is_by_keys: bool = False
    """Whether it reads rows by a parameter `keys`, which then decides how they are found, whatever else is asked."""

    @classmethod
    def of(cls, statement: Executable, dialect: Dialect, *open_parameters: str, **options: bool) -> "Text":
        """Compile `statement`; values of `open_parameters` are given with each read, `options` told to listeners."""
        keys = list(open_parameters)
        compiled: Any = statement.compile(dialect=dialect, column_keys=keys)  # type: ignore[attr-defined]
        state = compiled.construct_expanded_state(dict.fromkeys(keys))
        kinds = {name: bind.type for name, bind in compiled.binds.items()}
        process = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in kinds.items()}
        process |= {name: process[origin] for origin, names in state.parameter_expansion.items() for name in names}
        names = tuple(state.positiontup or ())
        known = {
            name: process[name](value) if process[name] is not None else value
            for name, value in state.parameters.items()
            if name in names and name not in open_parameters
        }
        context = SimpleNamespace(execution_options=options)
        parameters = tuple((name, process[name]) for name in names)
        return cls(state.statement, parameters, known, context, is_by_keys="keys" in keys)

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The driver's values, in its order."""
        known = self.known
        return [
            known[name] if name in known else given[name] if process is None else process(given[name])
            for name, process in self.parameters
        ]
