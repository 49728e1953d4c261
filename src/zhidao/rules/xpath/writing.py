"""Closures written out as Python source: what many small calls do, one function does in one frame.

A closure may bear its source: a function that, given a writer and the name of the variable with the
context node, tells an expression of the same value and the same errors. The expression uses that
variable, the frame `e`, constants of the writer and names of its own. A closure without a source
is called as it is, so any part may stay unwritten. Rules are written when they turn out to be
asked often; until then, and in a process that judges one document, they cost nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any, Final, TypeVar

from zhidao.rules.xpath.values import XPathError

RunT = TypeVar("RunT", bound=Callable[..., Any])


Source = Callable[["Writer", str], str]
"""Tells the expression that a closure stands for, in parentheses where it needs them."""


def written(run: RunT, source: Source, *, safe: bool = False, whole: bool = False) -> RunT:
    """The closure with its source. `safe`: it never raises; `whole`: it always gives an int."""
    run.source = source  # type: ignore[attr-defined]
    run.safe = safe  # type: ignore[attr-defined]
    run.whole = whole  # type: ignore[attr-defined]
    return run


def is_safe(run: Callable[..., Any]) -> bool:
    """Whether a closure is known never to raise."""
    return bool(getattr(run, "safe", False))


def is_whole(run: Callable[..., Any]) -> bool:
    """Whether a closure is known to give an int, never None."""
    return bool(getattr(run, "whole", False))


def too_many() -> Any:
    """The error of a sequence where one item may stand."""
    raise XPathError("XPTY0004")


class Writer:
    """Source out of closures, and functions out of source; helpers are shared by all of a set."""

    def __init__(self) -> None:
        self._space: dict[str, Any] = {"__builtins__": _BUILTINS, "too_many": too_many}
        self._constants: dict[int, str] = {}
        self._functions: dict[tuple[int, str], str] = {}
        # Bodies by their text: equal expressions of several rules are one function.
        self._bodies: dict[str, str] = {}
        # Ids are names here: what they belong to must live as long.
        self._held: list[Any] = []
        self._globals = self._locals = 0

    def name(self) -> str:
        """A name that nobody has yet in the function that is being written."""
        self._locals += 1
        return f"v{self._locals}"

    def _global(self) -> str:
        self._globals += 1
        return f"g{self._globals}"

    def constant(self, value: Any) -> str:
        """The name of a value; small values of Python's own stand as they are."""
        if value is None or type(value) in (bool, int) or (type(value) is str and len(value) < 99):
            return repr(value)
        known = self._constants.get(id(value))
        if known is None:
            known = self._constants[id(value)] = self._global()
            self._space[known] = value
            self._held.append(value)
        return known

    def of(self, run: Callable[..., Any], node: str) -> str:
        """The expression of a closure at a node."""
        source: Source | None = getattr(run, "source", None)
        if source is None:
            return f"{self.constant(run)}({node}, e)"
        return source(self, node)

    def string(self, node: str) -> str:
        """The expression of a node's string; most nodes are leaves, which have it at hand."""
        v = self.name()
        return f"({v} if ({v} := {node}.text) is not None else {node}.string())"

    def listing(self, run: Callable[..., Any], node: str) -> str:
        """The expression where a loop of a comprehension begins: it may not bind names there."""
        text = self.of(run, node)
        if ":=" not in text:
            return text
        name = self.function(run, lambda n: [f"return {self.of(run, n)}"], role="listing")
        return f"{name}({node}, e)"

    def each(
        self, run: Callable[..., Any], node: str, *, one: Source, more: Callable[[str, str], str]
    ) -> str:
        """The expression of a list made of the items of another.

        `one` tells it for a single item, by far the most frequent: that spares a comprehension,
        which is a call. `more` tells it for the names of the list and of an item. Of no items
        it is the list itself.
        """
        items, item = self.name(), self.name()
        single = one(self, f"{items}[0]")
        if len(single) > _SINGLE_CHARS_MAX:
            return more(self.listing(run, node), item)
        found = f"{items} := {self.of(run, node)}"
        many = f"{more(items, item)} if {items} else {items}"
        return f"({single} if len({found}) == 1 else {many})"

    def function(self, key: Any, body: Callable[[str], list[str]], *, role: str = "") -> str:
        """The name of a function of node and frame, made once for each key and role."""
        known = self._functions.get((id(key), role))
        if known is None:
            outer, self._locals = self._locals, 0
            lines = "\n ".join(body("n"))
            self._locals = outer
            # What only calls another function is that function.
            only = _CALL.fullmatch(lines)
            known = only[1] if only else self._bodies.get(lines)
            if known is None:
                known = self._bodies[lines] = self._global()
                self._run(f"def {known}(n, e):\n {lines}\n")
            self._functions[id(key), role] = known
            self._held.append(key)
        return known

    def lambda_of(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """A closure that does the same in fewer frames; itself where nothing is gained."""
        if getattr(run, "source", None) is None:
            return run
        name = self.function(run, lambda n: [f"return {self.of(run, n)}"], role="whole")
        made: Callable[..., Any] = self._space[name]
        return made

    def _run(self, text: str) -> None:
        # Every character comes from this package's own templates, numbers and repr of texts.
        exec(_interned(compile(text, "<rules>", "exec")), self._space)  # noqa: S102


def _interned(code: CodeType) -> CodeType:
    """The code with the very names that documents have: then a look-up compares no characters."""
    return code.replace(
        co_consts=tuple(
            _interned(each)
            if isinstance(each, CodeType)
            else sys.intern(each)
            if type(each) is str
            else each
            for each in code.co_consts
        )
    )


_CALL: Final = re.compile(r"return (g[0-9]+)\(n, e\)")
# What stands in an expression twice may hold such an expression itself: longer ones do not.
_SINGLE_CHARS_MAX: Final = 500

_BUILTINS: Final = {
    "len": len,
    "bool": bool,
    "list": list,
    "type": type,
    "str": str,
    "sorted": sorted,
    "XPathError": XPathError,
}
