"""The generated loop of a selection: one list comprehension that makes the dictionaries of all its rows.

The text of the loop holds nothing of a request but response names, as literals of Python; everything else that it
mentions is a constant by number.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect

Build = Callable[[Any, Any, Any, Any], list[dict[str, Any]]]


class Loop:
    """Collects the entries of a dictionary, then compiles the loop.

    Expressions may mention `r`, the row as the driver gives it, `s`, the row as resolvers know it, `viewer`, and what
    the fields below answer: `child` names all answers of the next one, `own` those that come as a list, row by row.
    """

    def __init__(self, dialect: Dialect, constants: dict[str, Any] | None = None) -> None:
        """For rows of a driver of `dialect`. Loops that are to become one share their `constants`."""
        self.dialect = dialect
        self.constants: dict[str, Any] = {} if constants is None else constants
        self._entries: list[str] = []
        self._once: dict[str, str] = {}
        self._children = 0
        self._own: list[str] = []
        self.needs_source = False

    def constant(self, value: Any) -> str:
        """The name of `value` in expressions."""
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def child(self) -> str:
        """The name of the answers of one more field below."""
        self._children += 1
        return f"c{self._children - 1}"

    def own(self) -> str:
        """The name of a row's own answer of one more field below."""
        self._own.append(self.child())
        return f"own_{self._own[-1]}"

    def once(self, expression: str) -> str:
        """The name of `expression`, which is then evaluated once for a row."""
        return self._once.setdefault(expression, f"w{len(self._once)}")

    def add(self, response_name: str, expression: str) -> None:
        """One more entry."""
        self._entries.append(f"{response_name!r}: {expression}")

    def compiled(self) -> Build:
        """The function of rows, sources, viewer and the answers below."""
        children = "".join(f"c{number}, " for number in range(self._children))
        beside = (
            {"r": "rows"} | ({"s": "sources"} if self.needs_source else {}) | {f"own_{one}": one for one in self._own}
        )
        over = f"for {', '.join(beside)} in zip({', '.join(beside.values())})" if len(beside) > 1 else "for r in rows"
        for expression, name in self._once.items():
            over += f" for {name} in ({expression},)"
        lines = [f"    {children}= children"] if children else []
        return _compiled([*lines, f"    return [{self.entries} {over}]"], self.constants)

    @property
    def entries(self) -> str:
        """The expression of one dictionary."""
        return f"{{{', '.join(self._entries)}}}"


def choosing(loops: Mapping[Any, Loop], discriminator: int, otherwise: Callable[[], None]) -> Build:
    """One loop of several that share their constants and need nothing but rows: by what each row's place holds."""
    first, *_ = loops.values()
    made = f"{first.constant(otherwise)}()"
    for stored, loop in loops.items():
        made = f"{loop.entries} if r[{discriminator}] == {first.constant(stored)} else {made}"
    return _compiled([f"    return [{made} for r in rows]"], first.constants)


def _compiled(lines: Sequence[str], constants: Mapping[str, Any]) -> Build:
    names = dict(constants)
    text = "\n".join(["def build(rows, sources, viewer, children):", *lines])
    exec(text, names)  # noqa: S102 text of our own making, see above
    build: Build = names.pop("build")  # a function that its own names hold would stay until garbage is collected
    return build
