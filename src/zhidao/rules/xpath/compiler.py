"""Expression to closure: what `compiled` returns needs no tree walk of its own at run time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from zhidao.rules.xpath import comparisons, declared, operators
from zhidao.rules.xpath.code import (
    ANY,
    BOOLEAN,
    CURRENT,
    DOCUMENT,
    LAST,
    NODES_KIND,
    NUMBER,
    POSITION,
    STRING,
    Code,
    Env,
    Focus,
    Run,
    Scope,
    atom,
    constant,
    require_node,
    single,
    test_of,
    text,
)
from zhidao.rules.xpath.functions import FUNCTIONS
from zhidao.rules.xpath.parser import FN, XS
from zhidao.rules.xpath.paths import Paths
from zhidao.rules.xpath.rewriting import (
    CodeList,
    asks_position,
    code_list,
    maybe_blank,
    repeated,
    rounded_amount,
)
from zhidao.rules.xpath.sequences import (
    logic,
    node_sets,
    said_once,
)
from zhidao.rules.xpath.syntax import (
    Binary,
    Call,
    Cast,
    Conditional,
    ContextItem,
    Expr,
    Filter,
    Literal,
    Loop,
    Negation,
    Path,
    Quantified,
    Root,
    Sequence,
    Step,
    Variable,
)
from zhidao.rules.xpath.values import CASTS, TEXT_CASTS, OutsideSubset, XPathError
from zhidao.rules.xpath.writing import Writer, is_safe, written

_CAST_KINDS: Final = {
    "string": STRING,
    "boolean": BOOLEAN,
    "double": NUMBER,
    "decimal": NUMBER,
    "integer": NUMBER,
    "date": ANY,
}


class Compiler(Paths):
    """Compiles expressions that share variables.

    `slots` counts the places that a frame needs; every scope handed in must use slots of ours.
    `outer`: the slots of the variables that declared functions see.
    """

    def __init__(self, functions: declared.Functions | None = None) -> None:
        super().__init__()
        self.outer: dict[str, int] = {}
        self._functions = functions or declared.Functions({}, {})
        self._calling: list[declared.Key] = []
        self._calls = 0

    def code(self, expr: Expr, scope: Scope) -> Code:
        """The expression as closures. Raises OutsideSubset for what is not compiled."""
        work = self._WORK.get(type(expr))
        if work is None:
            raise OutsideSubset(f"{type(expr).__name__} is not compiled")
        if scope.shared and (slot := scope.shared.get(expr)) is not None:
            return said_once(work(self, expr, scope), slot)
        return work(self, expr, scope)

    def sharing(self, expr: Expr, scope: Scope) -> tuple[Code, list[int]]:
        """The expression with what it says twice computed once.

        The second value names the slots to be emptied before each evaluation.
        """
        shared = {each: self.slot() for each in repeated(expr)}
        inner = Scope(scope.names, scope.focus, shared)
        return self.code(expr, inner), list(shared.values())

    def _literal(self, expr: Literal, scope: Scope) -> Code:
        return constant(STRING if isinstance(expr.value, str) else NUMBER, expr.value)

    def _variable(self, expr: Variable, scope: Scope) -> Code:
        slot = scope.names.get(expr.name)
        if slot is None:
            raise OutsideSubset(f"the variable ${expr.name} is not known")

        def many(n: Any, e: Env) -> list[Any]:
            value = e[slot]
            if type(value) is list:
                return value
            # A global variable, or one of a rule, computed when it is first asked for.
            return value(e)  # type: ignore[no-any-return]

        def source(w: Writer, n: str) -> str:
            v = w.name()
            return f"({v} if type({v} := e[{slot}]) is list else {v}(e))"

        return Code(ANY, written(many, source))

    def _context(self, expr: ContextItem, scope: Scope) -> Code:
        if not scope.focus.is_there:
            raise OutsideSubset("a function that asks for a context item")
        kind = NODES_KIND if scope.focus.is_node else ANY
        is_node = scope.focus.is_node
        return Code(
            kind,
            written(lambda n, e: [n], lambda w, n: f"[{n}]", safe=True),
            written(lambda n, e: n, lambda w, n: n, safe=True),
            written(lambda n, e: True, lambda w, n: "True", safe=True) if is_node else None,
            flat=True,
            string=_own_string() if is_node else None,
        )

    def _root(self, expr: Root, scope: Scope) -> Code:
        require_node(scope.focus)
        return Code(
            NODES_KIND,
            written(lambda n, e: [e[DOCUMENT]], lambda w, n: f"[e[{DOCUMENT}]]", safe=True),
            written(lambda n, e: e[DOCUMENT], lambda w, n: f"e[{DOCUMENT}]", safe=True),
            written(lambda n, e: True, lambda w, n: "True", safe=True),
            flat=True,
        )

    def _sequence(self, expr: Sequence, scope: Scope) -> Code:
        codes = [self.code(each, scope) for each in expr.items]
        manies = [each.many for each in codes]
        if codes and all(each.constant is not None for each in codes):
            known = [each.constant for each in codes]
            return Code(ANY, written(lambda n, e: known, lambda w, n: w.constant(known), safe=True))

        def many(n: Any, e: Env) -> list[Any]:
            return [item for part in manies for item in part(n, e)]

        def source(w: Writer, n: str) -> str:
            return "[" + ", ".join(f"*{w.of(part, n)}" for part in manies) + "]"

        written(many, source, safe=all(map(is_safe, manies)))
        nodes = bool(codes) and all(each.kind == NODES_KIND for each in codes)
        # Kind nodes promises document order only through `ordered`.
        return Code(NODES_KIND if nodes else ANY, many, ordered=False)

    # Operators and keywords.

    def _binary(self, expr: Binary, scope: Scope) -> Code:
        idiom = self._idiom(expr, scope)
        if idiom is not None:
            return idiom
        sign = expr.operator
        left, right = self.code(expr.left, scope), self.code(expr.right, scope)
        if isinstance(expr.right, Variable) and sign in comparisons.GENERAL:
            left = self._kept_values(expr.left, left)
        if sign in ("and", "or"):
            return logic(sign, left, right)
        if sign in comparisons.GENERAL:
            return comparisons.general_comparison(sign, left, right)
        if sign in comparisons.VALUE:
            return comparisons.value_comparison(sign, left, right)
        if sign in operators.ARITHMETIC:
            return operators.arithmetic(sign, left, right)
        if sign == "to":
            return Code(ANY, operators.range_of(left, right))
        return node_sets(sign, left, right)

    def _idiom(self, expr: Binary, scope: Scope) -> Code | None:
        """What rules write at length and is cheaper as a whole."""
        listed = code_list(expr)
        if listed is not None:
            return self._code_list(listed, scope)
        if expr.left in scope.shared:
            return None
        amount = rounded_amount(expr)
        if amount is not None:
            return operators.in_hundredths(self.code(amount, scope))
        spaced = maybe_blank(expr)
        if spaced is not None:
            return comparisons.blankness(expr.operator, self.code(spaced, scope))
        return None

    def _code_list(self, listed: CodeList, scope: Scope) -> Code:
        """One look-up instead of two searches through a long text."""
        value_of = text(self.code(listed.value, scope))
        words = listed.words
        run = written(
            lambda n, e: value_of(n, e) in words,
            lambda w, n: f"({w.of(value_of, n)} in {w.constant(words)})",
            safe=is_safe(value_of),
        )
        return single(BOOLEAN, run)

    def _negation(self, expr: Negation, scope: Scope) -> Code:
        code = self.code(expr.operand, scope)
        if expr.operator == "-":
            return operators.negation(code)
        return operators.arithmetic("+", constant(NUMBER, 0), code)

    def _conditional(self, expr: Conditional, scope: Scope) -> Code:
        test = test_of(self.code(expr.test, scope))
        yes, no = self.code(expr.yes, scope), self.code(expr.no, scope)
        many = _either(test, yes.many, no.many)
        kind = yes.kind if yes.kind == no.kind else ANY
        code = Code(kind, many, ordered=yes.ordered and no.ordered)
        if yes.one is not None and no.one is not None:
            one = code.one = _either(test, yes.one, no.one)
            if kind == BOOLEAN:
                code.test = written(
                    lambda n, e: bool(one(n, e)),
                    lambda w, n: f"bool({w.of(one, n)})",
                    safe=is_safe(one),
                )
        return code

    def _loop(self, expr: Loop, scope: Scope) -> Code:
        (name, domain), rest = expr.bindings[0], expr.bindings[1:]
        values = self.code(domain, scope).many
        slot = self.slot()
        inner = Scope({**scope.names, name: slot}, scope.focus)
        body = self.code(Loop(rest, expr.body) if rest else expr.body, inner)
        run = body.many

        def many(n: Any, e: Env) -> list[Any]:
            found: list[Any] = []
            for item in values(n, e):
                e[slot] = [item]
                found.extend(run(n, e))
            return found

        def source(w: Writer, n: str) -> str:
            def lines(x: str) -> list[str]:
                loop = [f"for item in {w.of(values, x)}:", f" e[{slot}] = [item]"]
                return ["found = []", *loop, f" found += {w.of(run, x)}", "return found"]

            return f"{w.function(many, lines)}({n}, e)"

        written(many, source)
        return Code(body.kind if body.kind != NODES_KIND else ANY, many)

    def _quantified(self, expr: Quantified, scope: Scope) -> Code:
        (name, domain), rest = expr.bindings[0], expr.bindings[1:]
        values = self.code(domain, scope).many
        slot = self.slot()
        inner = Scope({**scope.names, name: slot}, scope.focus)
        body = Quantified(expr.every, rest, expr.body) if rest else expr.body
        coded, emptied = self.sharing(body, inner)
        test = test_of(coded)
        every = expr.every

        def one(n: Any, e: Env) -> bool:
            for item in values(n, e):
                e[slot] = [item]
                for each in emptied:
                    e[each] = None
                if bool(test(n, e)) is not every:
                    return not every
            return every

        def source(w: Writer, n: str) -> str:
            def lines(x: str) -> list[str]:
                empty = "".join(f"e[{each}] = " for each in emptied)
                loop = [f"for item in {w.of(values, x)}:", f" e[{slot}] = [item]"]
                loop += [f" {empty}None"] if empty else []
                stops = f" if {'not ' if every else ''}{w.of(test, x)}: return {not every}"
                return [*loop, stops, f"return {every}"]

            return f"{w.function(one, lines)}({n}, e)"

        return single(BOOLEAN, written(one, source))

    def _cast(self, expr: Cast, scope: Scope) -> Code:
        work = CASTS.get(expr.type_name)
        if work is None:
            raise OutsideSubset(f"the type {expr.type_name}")
        operand = self.code(expr.operand, scope)
        if operand.kind == NODES_KIND and expr.optional and not expr.only_asks:
            return single(_CAST_KINDS[expr.type_name], _cast_nodes(operand.many, work))
        value_of = atom(operand)
        optional = expr.optional

        def cast(n: Any, e: Env) -> Any:
            value = value_of(n, e)
            if value is None:
                if optional:
                    return None
                raise XPathError("XPTY0004")
            return work(value)

        def source(w: Writer, n: str) -> str:
            v = w.name()
            value, empty = w.of(value_of, n), "None" if optional else "too_many()"
            return f"({empty} if ({v} := {value}) is None else {w.constant(work)}({v}))"

        written(cast, source)
        if not expr.only_asks:
            return single(_CAST_KINDS[expr.type_name], cast)

        return single(BOOLEAN, _castable(value_of, work, optional=optional))

    def _call(self, expr: Call, scope: Scope) -> Code:
        if expr.space == XS:
            if len(expr.arguments) != 1:
                raise OutsideSubset("a constructor with more than one value")
            return self._cast(Cast(expr.arguments[0], expr.local, True, False), scope)
        if expr.space != FN:
            return self._declared(expr, scope)
        if not expr.arguments and expr.local in _FOCUS:
            return _of_focus(expr.local, scope.focus)
        if expr.local not in FUNCTIONS:
            raise OutsideSubset(f"the function {expr.local}")
        least, most, build = FUNCTIONS[expr.local]
        arguments = [self.code(each, scope) for each in expr.arguments]
        if least < 0 and not arguments:
            focus = self._context(ContextItem(), scope)
            focus.by_name = expr.local in ("name", "local-name", "namespace-uri")
            arguments = [focus]
        if not abs(least) <= len(arguments) <= most:
            raise OutsideSubset(f"{expr.local} with {len(arguments)} arguments")
        return build(arguments)

    def _declared(self, expr: Call, scope: Scope) -> Code:
        """A call of a function that the rules declare, with slots of its own."""
        key = (expr.space, expr.local, len(expr.arguments))
        function = self._functions.of(key)
        self._calls += 1
        if key in self._calling or self._calls > declared.CALLS_MAX:
            raise OutsideSubset(
                f"the function {expr.local}, which calls itself or is called more than"
                f" {declared.CALLS_MAX} times"
            )
        names, slots = dict(self.outer), []
        for (name, wanted), each in zip(function.parameters, expr.arguments, strict=True):
            code = declared.converted(self.code(each, scope), wanted, "XPTY0004")
            names[name] = self.slot()
            # A place in a predicate is gone once the function is in a predicate of its own.
            slots.append((names[name], code.many, asks_position(each)))
        self._calling.append(key)
        try:
            for name, value in function.variables:
                run = self.code(value, Scope(dict(names), _nowhere())).many
                names[name] = self.slot()
                slots.append((names[name], run, False))
            result = self.code(function.result, Scope(names, _nowhere()))
        finally:
            self._calling.pop()
        return declared.call(slots, declared.converted(result, function.type, "XTTE0780"))

    _WORK: Final[dict[type, Callable[..., Code]]] = {
        Literal: _literal,
        Variable: _variable,
        ContextItem: _context,
        Root: _root,
        Sequence: _sequence,
        Step: Paths._step,
        Path: Paths._path,
        Filter: Paths._filter,
        Binary: _binary,
        Negation: _negation,
        Conditional: _conditional,
        Loop: _loop,
        Quantified: _quantified,
        Cast: _cast,
        Call: _call,
    }


def _nowhere() -> Focus:
    """The focus of a declared function's body: there is none."""
    return Focus(is_node=False, is_there=False)


def _castable(value_of: Run, work: Callable[[Any], Any], *, optional: bool) -> Run:
    def castable(n: Any, e: Env) -> bool:
        try:
            value = value_of(n, e)
        except XPathError as error:
            # More than one item is not castable; any other error stays one.
            if error.args == ("XPTY0004",):
                return False
            raise
        if value is None:
            return optional
        try:
            work(value)
        except XPathError:
            return False
        return True

    return castable


def _cast_nodes(many: Run, cast: Callable[[Any], Any]) -> Run:
    """The most frequent cast: of one node's string, or of nothing."""
    work: Callable[[str], Any] = TEXT_CASTS.get(cast, cast)

    def run(n: Any, e: Env) -> Any:
        nodes = many(n, e)
        if not nodes:
            return None
        if len(nodes) > 1:
            raise XPathError("XPTY0004")
        return work(nodes[0].string())

    def source(w: Writer, n: str) -> str:
        v = w.name()
        return (
            f"(None if not ({v} := {w.of(many, n)}) else "
            f"{w.constant(work)}({w.string(f'{v}[0]')}) if len({v}) == 1 else too_many())"
        )

    return written(run, source)


def _own_string() -> Run:
    return written(lambda n, e: n.string(), lambda w, n: w.string(n), safe=True)


def _either(test: Run, yes: Run, no: Run) -> Run:
    return written(
        lambda n, e: yes(n, e) if test(n, e) else no(n, e),
        lambda w, n: f"({w.of(yes, n)} if {w.of(test, n)} else {w.of(no, n)})",
        safe=is_safe(test) and is_safe(yes) and is_safe(no),
    )


_FOCUS: Final = ("position", "last", "current")


def _of_focus(name: str, focus: Focus) -> Code:
    if name == "current":
        return Code(
            NODES_KIND,
            written(lambda n, e: [e[CURRENT]], lambda w, n: f"[e[{CURRENT}]]", safe=True),
            written(lambda n, e: e[CURRENT], lambda w, n: f"e[{CURRENT}]", safe=True),
            flat=True,
        )
    if not focus.has_position:
        raise OutsideSubset(f"{name}() outside a predicate")
    focus.used_position = True
    slot = POSITION if name == "position" else LAST
    return single(NUMBER, lambda n, e: e[slot])
