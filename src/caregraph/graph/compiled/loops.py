"""The generated loop of a selection: one list comprehension that makes the dictionaries of all its rows.

The text of the loop holds nothing of a request but response names, as literals of Python; everything else that it
mentions is a constant by number.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect

Build = Callable[[Any, Any, Any, Any], list[dict[str, Any]]]


class Loop:
    """Collects the entries of a dictionary, then compiles the loop.

    Expressions may mention `r`, the row as the driver gives it, `s`, the row as resolvers know it, `viewer`, and by
    `child(n)` the answers of the n-th field below.
    """

    def __init__(self, dialect: Dialect) -> None:
        """For rows of a driver of `dialect`."""
        self.dialect = dialect
        self._constants: dict[str, Any] = {}
        self._entries: list[str] = []
        self._once: dict[str, str] = {}
        self._children = 0
        self.needs_source = False

    def constant(self, value: Any) -> str:
        """The name of `value` in expressions."""
        for name, known in self._constants.items():
            if known is value:
                return name
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def child(self) -> str:
        """The name of the answers of one more field below."""
        self._children += 1
        return f"c{self._children - 1}"

    def once(self, expression: str) -> str:
        """The name of `expression`, which is then evaluated once for a row."""
        return self._once.setdefault(expression, f"w{len(self._once)}")

    def add(self, response_name: str, expression: str) -> None:
        """One more entry."""
        self._entries.append(f"{response_name!r}: {expression}")

    def compiled(self) -> Build:
        """The function of rows, sources, viewer and the answers below."""
        children = "".join(f"c{number}, " for number in range(self._children))
        over = "for r, s in zip(rows, sources)" if self.needs_source else "for r in rows"
        for expression, name in self._once.items():
            over += f" for {name} in ({expression},)"
        lines = [
            "def build(rows, sources, viewer, children):",
            *([f"    {children}= children"] if children else []),
            f"    return [{{{', '.join(self._entries)}}} {over}]",
        ]
        names = dict(self._constants)
        exec("\n".join(lines), names)  # noqa: S102 text of our own making, see above
        build: Build = names["build"]
        return build
