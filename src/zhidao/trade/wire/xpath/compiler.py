"""Expression to closure: what `compiled` returns needs no tree walk of its own at run time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from zhidao.trade.wire.xpath import axes, operators
from zhidao.trade.wire.xpath.code import (
    ANY,
    BOOLEAN,
    CURRENT,
    DOCUMENT,
    FIRST_FREE,
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
from zhidao.trade.wire.xpath.functions import FUNCTIONS
from zhidao.trade.wire.xpath.parser import FN, XS
from zhidao.trade.wire.xpath.rewriting import (
    CodeList,
    code_list,
    is_closed,
    is_shared,
    shortened,
    worth_keeping,
)
from zhidao.trade.wire.xpath.sequences import (
    arranged,
    by_name,
    checked_nodes,
    from_one,
    in_document_order,
    logic,
    node_sets,
    one_kind,
    positional,
)
from zhidao.trade.wire.xpath.syntax import (
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
from zhidao.trade.wire.xpath.values import CASTS, OutsideSubset, XPathError

_CAST_KINDS: Final = {
    "string": STRING,
    "boolean": BOOLEAN,
    "double": NUMBER,
    "decimal": NUMBER,
    "integer": NUMBER,
    "date": ANY,
}


class Compiler:
    """Compiles expressions that share variables.

    `slots` counts the places that a frame needs; every scope handed in must use slots of ours.
    """

    def __init__(self) -> None:
        self.slots = FIRST_FREE
        self._kept: dict[tuple[Expr, ...], int] = {}
        self._tests: dict[Expr, int] = {}

    def slot(self) -> int:
        """A new place in the frame."""
        self.slots += 1
        return self.slots - 1

    def code(self, expr: Expr, scope: Scope) -> Code:
        """The expression as closures. Raises OutsideSubset for what is not compiled."""
        work = self._WORK.get(type(expr))
        if work is None:
            raise OutsideSubset(f"{type(expr).__name__} is not compiled")
        return work(self, expr, scope)

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

        return Code(ANY, many)

    def _context(self, expr: ContextItem, scope: Scope) -> Code:
        kind = NODES_KIND if scope.focus.is_node else ANY
        test = (lambda n, e: True) if scope.focus.is_node else None
        return Code(
            kind,
            lambda n, e: [n],
            lambda n, e: n,
            test,
            flat=True,
            string=(lambda n, e: n.string()) if scope.focus.is_node else None,
        )

    def _root(self, expr: Root, scope: Scope) -> Code:
        require_node(scope.focus)
        return Code(
            NODES_KIND,
            lambda n, e: [e[DOCUMENT]],
            lambda n, e: e[DOCUMENT],
            lambda n, e: True,
            flat=True,
        )

    def _sequence(self, expr: Sequence, scope: Scope) -> Code:
        codes = [self.code(each, scope) for each in expr.items]
        manies = [each.many for each in codes]
        if codes and all(each.constant is not None for each in codes):
            known = [each.constant for each in codes]
            return Code(ANY, lambda n, e: known)

        def many(n: Any, e: Env) -> list[Any]:
            return [item for part in manies for item in part(n, e)]

        nodes = bool(codes) and all(each.kind == NODES_KIND for each in codes)
        # Kind nodes promises document order only through `ordered`.
        return Code(NODES_KIND if nodes else ANY, many, ordered=False)

    # Paths.

    def _step(self, expr: Step, scope: Scope) -> Code:
        require_node(scope.focus)
        run = self._axis(expr, scope)
        one_node = expr.axis in ("self", "parent")
        flat = expr.axis in ("child", "attribute", "self", "parent")
        test = self._existence(expr, scope)
        if expr.axis in axes.REVERSE and expr.axis != "parent":
            forward = run
            run = lambda n, e: forward(n, e)[::-1]  # noqa: E731 (document order)
        one = (lambda n, e: next(iter(run(n, e)), None)) if one_node else None
        return Code(NODES_KIND, run, one, test, flat=flat, string=self._string(expr, run))

    def _string(self, step: Step, run: Run) -> Run | None:
        """The string of the one node of a step, without making a node of an attribute."""
        tag = axes.tag_of(step.test)
        if step.axis == "attribute" and tag is not None and not step.predicates:
            return lambda n, e: n.attributes.get(tag, "")

        def string(n: Any, e: Env) -> str:
            nodes = run(n, e)
            if not nodes:
                return ""
            if len(nodes) > 1:
                raise XPathError("XPTY0004")
            return str(nodes[0].string())

        return string

    def _axis(self, step: Step, scope: Scope) -> Run:
        """The step's nodes in the axis's order, predicates applied."""
        return self._filtered(axes.along(step.axis, step.test), step.predicates, scope, node=True)

    def _existence(self, step: Step, scope: Scope) -> Run | None:
        tag = axes.tag_of(step.test)
        if step.predicates or tag is None:
            return None
        if step.axis == "child":
            return lambda n, e: tag in n.kids
        if step.axis == "attribute":
            return lambda n, e: tag in n.attributes
        if step.axis == axes.EVERY_ATTRIBUTE:
            # Quick where nobody has it; otherwise the step itself says where.
            run = axes.along(step.axis, step.test)
            return lambda n, e: tag in e[DOCUMENT].owners and bool(run(n, e))
        return None

    def _filtered(self, run: Run, predicates: tuple[Expr, ...], scope: Scope, *, node: bool) -> Run:
        for predicate in predicates:
            run = self._predicate(run, predicate, scope, node=node)
        return run

    def _predicate(self, run: Run, predicate: Expr, scope: Scope, *, node: bool) -> Run:
        if isinstance(predicate, Literal) and isinstance(predicate.value, int):
            index = predicate.value
            return lambda n, e: run(n, e)[index - 1 : index] if index > 0 else []
        focus = Focus(is_node=node, has_position=True)
        code = self.code(predicate, Scope(scope.names, focus))
        if code.by_name and code.kind == BOOLEAN and node:
            return by_name(run, test_of(code))
        if not focus.used_position and code.kind in (BOOLEAN, NODES_KIND, STRING):
            return _narrowed(run, self.kept_test(predicate, test_of(code)))
        return positional(run, code)

    def kept_test(self, expr: Expr, test: Run) -> Run:
        """A test of a node that many rules ask, answered once for each node of a document.

        Only for tests that look at nothing but the node and the document; errors are not kept.
        """
        if not is_shared(expr):
            return test
        slot = self._tests.get(expr)
        if slot is None:
            slot = self._tests[expr] = self.slot()
        place = slot

        def kept(n: Any, e: Env) -> bool:
            known = e[place]
            if known is None:
                known = e[place] = {}
            answer = known.get(n)
            if answer is None:
                answer = known[n] = bool(test(n, e))
            return answer  # type: ignore[no-any-return]

        return kept

    def _kept_values(self, expr: Expr, code: Code) -> Code:
        """Values below a node that are compared with one variable after another, read once."""
        if not isinstance(expr, Path) or code.kind != NUMBER or not is_closed([expr]):
            return code
        slot = self._tests.get(expr)
        if slot is None:
            slot = self._tests[expr] = self.slot()
        place, many = slot, code.many

        def kept(n: Any, e: Env) -> list[Any]:
            known = e[place]
            if known is None:
                known = e[place] = {}
            values = known.get(n)
            if values is None:
                values = known[n] = many(n, e)
            return values  # type: ignore[no-any-return]

        return Code(code.kind, kept)

    def _path(self, expr: Path, scope: Scope) -> Code:
        steps = shortened(expr.steps)
        code = self.code(steps[0], scope)
        if code.kind != NODES_KIND:
            if len(steps) > 1 and code.kind == ANY:
                code = checked_nodes(code)
            elif len(steps) > 1:
                raise OutsideSubset("a path from what are no nodes")
        inner = Scope(scope.names, Focus(is_node=True))
        closed = isinstance(steps[0], Root) and is_closed(steps)
        kept = worth_keeping(steps) if closed else ()
        for index, step in enumerate(steps[1:], 1):
            if code.kind != NODES_KIND:
                raise OutsideSubset("a step after values")
            code = self._joined(code, step, inner, last=index == len(steps) - 1)
            if closed and code.kind == NODES_KIND and index in kept:
                code = self._remembered(code, tuple(steps[: index + 1]))
        return code

    def _remembered(self, code: Code, steps: tuple[Expr, ...]) -> Code:
        """The nodes of a path from the root, found once for a document.

        Where finding all of them meets an error, a test still asks one by one: it may be
        answered before the error is reached.
        """
        slot = self._kept.get(steps)
        if slot is None:
            slot = self._kept[steps] = self.slot()
        place, many, lazily = slot, code.many, test_of(code)

        def all_of(n: Any, e: Env) -> list[Any]:
            found = e[place]
            if found is None:
                found = e[place] = many(n, e)
            return found  # type: ignore[no-any-return]

        def test(n: Any, e: Env) -> bool:
            if e[place] is None:
                try:
                    all_of(n, e)
                except XPathError:
                    return bool(lazily(n, e))
            return bool(e[place])

        return Code(NODES_KIND, all_of, None, test, ordered=code.ordered, flat=code.flat)

    def _joined(self, before: Code, step: Expr, scope: Scope, *, last: bool) -> Code:
        if not before.ordered:
            before = arranged(before)
        after = self.code(step, scope)
        if after.kind == ANY:
            after = Code(ANY, one_kind(after.many))
        if not last and after.kind != NODES_KIND:
            raise OutsideSubset("values in the middle of a path")
        starts = before.many
        if before.one is not None and before.kind == NODES_KIND:
            return from_one(before.one, after)
        if after.one is not None and after.kind != NODES_KIND:
            value_of = after.one

            def values(n: Any, e: Env) -> list[Any]:
                found = (value_of(m, e) for m in starts(n, e))
                return [value for value in found if value is not None]

            return Code(after.kind, values)

        return _each_step(starts, after, step, before_flat=before.flat)

    def _filter(self, expr: Filter, scope: Scope) -> Code:
        code = self.code(expr.base, scope)
        if not code.ordered and code.kind == NODES_KIND and not isinstance(expr.base, Sequence):
            code = arranged(code)
        run = self._filtered(code.many, expr.predicates, scope, node=code.kind == NODES_KIND)
        return Code(code.kind, run, ordered=code.ordered, flat=code.flat)

    # Operators and keywords.

    def _binary(self, expr: Binary, scope: Scope) -> Code:
        sign = expr.operator
        listed = code_list(expr)
        if listed is not None:
            return self._code_list(listed, scope)
        left, right = self.code(expr.left, scope), self.code(expr.right, scope)
        if isinstance(expr.right, Variable) and sign in operators.GENERAL:
            left = self._kept_values(expr.left, left)
        if sign in ("and", "or"):
            return logic(sign, left, right)
        if sign in operators.GENERAL:
            return operators.general_comparison(sign, left, right)
        if sign in operators.VALUE:
            return operators.value_comparison(sign, left, right)
        if sign in operators.ARITHMETIC:
            return operators.arithmetic(sign, left, right)
        if sign == "to":
            return Code(ANY, operators.range_of(left, right))
        return node_sets(sign, left, right)

    def _code_list(self, listed: CodeList, scope: Scope) -> Code:
        """One look-up instead of two searches through a long text."""
        value_of = text(self.code(listed.value, scope))
        words = listed.words
        return single(BOOLEAN, lambda n, e: value_of(n, e) in words)

    def _negation(self, expr: Negation, scope: Scope) -> Code:
        code = self.code(expr.operand, scope)
        if expr.operator == "-":
            return operators.negation(code)
        return operators.arithmetic("+", constant(NUMBER, 0), code)

    def _conditional(self, expr: Conditional, scope: Scope) -> Code:
        test = test_of(self.code(expr.test, scope))
        yes, no = self.code(expr.yes, scope), self.code(expr.no, scope)
        if_yes, if_no = yes.many, no.many
        many: Run = lambda n, e: if_yes(n, e) if test(n, e) else if_no(n, e)  # noqa: E731
        kind = yes.kind if yes.kind == no.kind else ANY
        code = Code(kind, many, ordered=yes.ordered and no.ordered)
        if yes.one is not None and no.one is not None:
            one_yes, one_no = yes.one, no.one
            code.one = lambda n, e: one_yes(n, e) if test(n, e) else one_no(n, e)
            if kind == BOOLEAN:
                code.test = lambda n, e: bool(code.one and code.one(n, e))
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

        return Code(body.kind if body.kind != NODES_KIND else ANY, many)

    def _quantified(self, expr: Quantified, scope: Scope) -> Code:
        (name, domain), rest = expr.bindings[0], expr.bindings[1:]
        values = self.code(domain, scope).many
        slot = self.slot()
        inner = Scope({**scope.names, name: slot}, scope.focus)
        body = Quantified(expr.every, rest, expr.body) if rest else expr.body
        test = test_of(self.code(body, inner))
        every = expr.every

        def one(n: Any, e: Env) -> bool:
            for item in values(n, e):
                e[slot] = [item]
                if bool(test(n, e)) is not every:
                    return not every
            return every

        return single(BOOLEAN, one)

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

        if not expr.only_asks:
            return single(_CAST_KINDS[expr.type_name], cast)

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

        return single(BOOLEAN, castable)

    def _call(self, expr: Call, scope: Scope) -> Code:
        if expr.space == XS:
            if len(expr.arguments) != 1:
                raise OutsideSubset("a constructor with more than one value")
            return self._cast(Cast(expr.arguments[0], expr.local, True, False), scope)
        if expr.space != FN:
            raise OutsideSubset(f"the function {expr.local} of {expr.space}")
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

    _WORK: Final[dict[type, Callable[..., Code]]] = {
        Literal: _literal,
        Variable: _variable,
        ContextItem: _context,
        Root: _root,
        Sequence: _sequence,
        Step: _step,
        Path: _path,
        Filter: _filter,
        Binary: _binary,
        Negation: _negation,
        Conditional: _conditional,
        Loop: _loop,
        Quantified: _quantified,
        Cast: _cast,
        Call: _call,
    }


def _each_step(starts: Run, after: Code, step: Expr, *, before_flat: bool) -> Code:
    """A step taken from each of several nodes."""
    then = after.many

    def many(n: Any, e: Env) -> list[Any]:
        nodes = starts(n, e)
        if len(nodes) == 1:
            return then(nodes[0], e)  # type: ignore[no-any-return]
        return [item for m in nodes for item in then(m, e)]

    if after.kind != NODES_KIND:
        return Code(after.kind, many)
    exists = after.test or then

    def test(n: Any, e: Env) -> bool:
        for m in starts(n, e):  # noqa: SIM110 (twice as fast as any())
            if exists(m, e):
                return True
        return False

    code = Code(NODES_KIND, many, None, test)
    return in_document_order(code, step, before_flat=before_flat)


def _narrowed(run: Run, test: Run) -> Run:
    def narrowed(n: Any, e: Env) -> Any:
        items = run(n, e)
        return [m for m in items if test(m, e)] if items else items

    return narrowed


def _cast_nodes(many: Run, work: Callable[[Any], Any]) -> Run:
    """The most frequent cast: of one node's string, or of nothing."""

    def run(n: Any, e: Env) -> Any:
        nodes = many(n, e)
        if not nodes:
            return None
        if len(nodes) > 1:
            raise XPathError("XPTY0004")
        return work(nodes[0].string())

    return run


_FOCUS: Final = ("position", "last", "current")


def _of_focus(name: str, focus: Focus) -> Code:
    if name == "current":
        return Code(NODES_KIND, lambda n, e: [e[CURRENT]], lambda n, e: e[CURRENT], flat=True)
    if not focus.has_position:
        raise OutsideSubset(f"{name}() outside a predicate")
    focus.used_position = True
    slot = POSITION if name == "position" else LAST
    return single(NUMBER, lambda n, e: e[slot])
