"""Straight runs of contract code as Python functions, in front of py-evm's own opcodes.

Nine of ten opcodes of a contract only move and combine numbers. A run of them up to the next jump,
or up to an opcode that touches anything but stack and memory, is written out as one function: its
gas is taken at once, and what stays on the stack in between are local variables. All else is done
by py-evm, opcode by opcode, and so is a run for which gas or stack do not suffice: there the place
at which it fails must be found. Source: Ethereum Yellow Paper, Shanghai (appendix H: not checked);
held against anvil, transaction by transaction, in `conformance/trust/chain_lives.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

_MAX: Final = 2**256 - 1
_SIGN: Final = 2**255
_STACK_MAX: Final = 1024
_JUMPDEST: Final = 0x5B
_PUSH0: Final = 0x5F
_PUSH32: Final = 0x7F
_DUP1: Final = 0x80
_SWAP1: Final = 0x90
_SWAP16: Final = 0x9F
_OPCODES_MAX: Final = 400
# Contracts come from strangers: of so many the runs are kept, and so many of one.
_CODES_MAX: Final = 16
_RUNS_MAX: Final = 2_000

# Opcodes that take two numbers and give one: the gas, and the result; `a` was on top.
_BINARY: Final = {
    0x01: (3, f"({{a}} + {{b}}) & {_MAX}"),
    0x02: (5, f"({{a}} * {{b}}) & {_MAX}"),
    0x03: (3, f"({{a}} - {{b}}) & {_MAX}"),
    0x04: (5, "{a} // {b} if {b} else 0"),
    0x06: (5, "{a} % {b} if {b} else 0"),
    0x10: (3, "1 if {a} < {b} else 0"),
    0x11: (3, "1 if {a} > {b} else 0"),
    0x12: (3, f"1 if ({{a}} ^ {_SIGN}) < ({{b}} ^ {_SIGN}) else 0"),
    0x13: (3, f"1 if ({{a}} ^ {_SIGN}) > ({{b}} ^ {_SIGN}) else 0"),
    0x14: (3, "1 if {a} == {b} else 0"),
    0x16: (3, "{a} & {b}"),
    0x17: (3, "{a} | {b}"),
    0x18: (3, "{a} ^ {b}"),
    0x1B: (3, f"({{b}} << {{a}}) & {_MAX} if {{a}} < 256 else 0"),
    0x1C: (3, "{b} >> {a} if {a} < 256 else 0"),
}
_UNARY: Final = {
    0x15: (3, "0 if {a} else 1"),
    0x19: (3, f"{_MAX} - {{a}}"),
    0x35: (3, 'number(c.msg.data_as_bytes[{a}:{a} + 32].ljust(32, zero), "big")'),
}
# What is known of the call itself.
_KNOWN: Final = {
    0x30: (2, 'number(c.msg.storage_address, "big")'),
    0x33: (2, 'number(c.msg.sender, "big")'),
    0x34: (2, "c.msg.value"),
    0x36: (2, "len(c.msg.data)"),
}


class Run(NamedTuple):
    """A run: its function of computation and stack, which gives the next place, and what it asks.

    `needs`: items of the stack; `grows`: by how many the stack is higher at most.
    """

    do: Callable[[Any, list[Any]], int]
    gas: int
    needs: int
    grows: int


class Runs:
    """The runs of one contract's code, written as they turn out to be asked again."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        # Code that runs once is not worth writing.
        self._asked = bytearray(len(code) + 1)
        self._targets: frozenset[int] | None = None
        self.known: dict[int, Run | None] = {}

    def at(self, place: int) -> Run | None:
        """The run that begins at a place; None where py-evm is to go on."""
        if place >= len(self._asked) or len(self.known) >= _RUNS_MAX:
            return None
        if not self._asked[place]:
            self._asked[place] = 1
            return None
        if self._targets is None:
            self._targets = frozenset(_targets(self._code))
        run = self.known[place] = _Writer(self._code, self._targets).run(place)
        return run


class KnownRuns:
    """The runs of the contracts that ran lately."""

    def __init__(self) -> None:
        self._by_code: OrderedDict[bytes, Runs] = OrderedDict()

    def of(self, code: bytes) -> Runs:
        """Those of one code."""
        runs = self._by_code.get(code)
        if runs is None:
            runs = self._by_code[code] = Runs(code)
            if len(self._by_code) > _CODES_MAX:
                self._by_code.popitem(last=False)
        else:
            self._by_code.move_to_end(code)
        return runs


def _targets(code: bytes) -> Iterator[int]:
    """Where jumps may go: each JUMPDEST that is no part of a PUSH."""
    place = 0
    while place < len(code):
        opcode = code[place]
        if opcode == _JUMPDEST:
            yield place
        place += 1 + (opcode - _PUSH0 if _PUSH0 < opcode <= _PUSH32 else 0)


class _Writer:
    """Writes one run. The stack in it is a list of the names that Python knows its items by."""

    def __init__(self, code: bytes, targets: frozenset[int]) -> None:
        self._code = code
        self._targets = targets
        self._lines: list[str] = []
        self._stack: list[str] = []
        self._needs = self._grows = self._gas = self._names = 0

    def run(self, place: int) -> Run | None:
        """The run at a place, None if none begins there."""
        next_place = ""
        for _ in range(_OPCODES_MAX):
            opcode = self._code[place] if place < len(self._code) else 0
            if opcode in (0x56, 0x57):
                next_place = self._jump(place, is_sure=opcode == 0x56)
                break
            after = self._one(opcode, place)
            if after is None:
                break
            place = after
        if not self._gas:
            return None
        taken = "".join(f"{_entry(each)}, " for each in range(self._needs, 0, -1))
        begin = [f"{taken}= s[-{self._needs}:]"] if self._needs else []
        for each in range(1, self._needs + 1):
            name = _entry(each)
            begin.append(f"if {name}.__class__ is not int: {name} = number({name}, 'big')")
        left = f"[{', '.join(self._stack)}]"
        end = [f"s[-{self._needs}:] = {left}"] if self._needs else [f"s += {left}"]
        lines = [*begin, *self._lines, *end, f"return {next_place or place}"]
        space = {
            "number": int.from_bytes,
            "zero": b"\0",
            "targets": self._targets,
            "bad": _bad_jump,
        }
        # Every character comes from this module's own templates and from numbers.
        exec(compile("def run(c, s):\n " + "\n ".join(lines), "<contract>", "exec"), space)  # noqa: S102
        return Run(space["run"], self._gas, self._needs, self._grows)  # type: ignore[arg-type]

    def _one(self, opcode: int, place: int) -> int | None:
        """Writes one opcode; the place after it, None for one that is left to py-evm."""
        if _PUSH0 <= opcode <= _PUSH32:
            size = opcode - _PUSH0
            data = self._code[place + 1 : place + 1 + size].ljust(size, b"\0")
            self._push(str(int.from_bytes(data, "big")), 3 if size else 2)
            return place + 1 + size
        if _DUP1 <= opcode < _SWAP1:
            self._need(opcode - _DUP1 + 1)
            self._push(self._stack[_DUP1 - opcode - 1], 3)
        elif _SWAP1 <= opcode <= _SWAP16:
            depth = opcode - _SWAP1 + 2
            self._need(depth)
            stack = self._stack
            stack[-1], stack[-depth] = stack[-depth], stack[-1]
            self._gas += 3
        elif opcode in _BINARY:
            gas, text = _BINARY[opcode]
            self._put(text.format(a=self._pop(), b=self._pop()), gas)
        elif opcode in _UNARY:
            gas, text = _UNARY[opcode]
            self._put(text.format(a=self._pop()), gas)
        elif opcode in _KNOWN:
            gas, text = _KNOWN[opcode]
            self._put(text, gas)
        elif opcode == 0x50:
            self._pop()
            self._gas += 2
        elif opcode == _JUMPDEST:
            self._gas += 1
        elif opcode == 0x58:
            self._push(str(place), 2)
        elif not self._special(opcode):
            return None
        return place + 1

    def _special(self, opcode: int) -> bool:
        """Writes memory's opcodes, and the powers that are known; False for any other."""
        if opcode == 0x51:
            start = self._memory(self._pop())
            self._put(f'number(c._memory._bytes[{start}:{start} + 32], "big")', 3)
        elif opcode == 0x52:
            start, value = self._memory(self._pop()), self._pop()
            word = f'({value}).to_bytes(32, "big")'
            self._lines.append(f"c._memory._bytes[{start}:{start} + 32] = {word}")
            self._gas += 3
        elif opcode == 0x0A and len(self._stack) > 1 and "".join(self._stack[-2:]).isdecimal():
            # Compilers write the place of a packed field so; the gas depends on the exponent.
            base, exponent = int(self._stack.pop()), int(self._stack.pop())
            size = (exponent.bit_length() + 7) // 8
            self._push(str(pow(base, exponent, _MAX + 1)), 10 + 50 * size)
        else:
            return False
        return True

    def _jump(self, place: int, *, is_sure: bool) -> str:
        """Writes a jump; the expression of the place that comes next."""
        target = self._pop()
        self._gas += 8 if is_sure else 10
        if target.isdecimal():
            sure = target if int(target) in self._targets else f"bad(c, {target})"
        else:
            sure = f"{target} if {target} in targets else bad(c, {target})"
        if is_sure:
            return sure
        return f"({sure}) if {self._pop()} else {place + 1}"

    def _memory(self, start: str) -> str:
        """Writes that memory reaches over a word, which may take more gas."""
        self._lines.append(f"if {start} + 32 > len(c._memory._bytes): c.extend_memory({start}, 32)")
        return start

    def _need(self, count: int) -> None:
        while len(self._stack) < count:
            self._needs += 1
            self._stack.insert(0, _entry(self._needs))

    def _pop(self) -> str:
        self._need(1)
        return self._stack.pop()

    def _push(self, text: str, gas: int) -> None:
        self._stack.append(text)
        self._gas += gas
        self._grows = max(self._grows, len(self._stack) - self._needs)

    def _put(self, text: str, gas: int) -> None:
        """Keeps a result under a name of its own."""
        self._names += 1
        self._lines.append(f"v{self._names} = {text}")
        self._push(f"v{self._names}", gas)


def _entry(depth: int) -> str:
    """The name of what lay on the stack when the run began; 1 was on top."""
    return f"e{depth}"


def _bad_jump(computation: Any, target: int) -> int:
    """Lets py-evm say what is wrong with a jump."""
    from eth.vm.logic.flow import jump

    computation.stack_push_int(target)
    jump(computation)
    raise AssertionError(f"py-evm takes {target} for a target")


def faster(computation_class: Any) -> Any:
    """py-evm's class of computations, with runs in front of its opcodes."""
    from eth.vm.code_stream import CodeStream

    known = KnownRuns()

    class CodeByRuns(CodeStream):
        __slots__ = ("_computation", "_runs")

        def __init__(self, code: bytes, computation: Any) -> None:
            super().__init__(code)
            self._computation = computation
            self._runs = known.of(code)

        def __iter__(self) -> Iterator[int]:
            """The opcodes that are left to py-evm; what lies between is done on the way."""
            computation, runs = self._computation, self._runs
            code, by_place = self._raw_code_bytes, runs.known
            stack, meter, size = computation._stack.values, computation._gas_meter, len(code)
            while True:
                place = self.program_counter
                run = by_place[place] if place in by_place else runs.at(place)
                if (
                    run is not None
                    and meter.gas_remaining >= run.gas
                    and (run.needs <= len(stack) <= _STACK_MAX - run.grows)
                ):
                    meter.gas_remaining -= run.gas
                    self.program_counter = run.do(computation, stack)
                    continue
                self.program_counter = place + 1
                # Behind its end a code stops.
                yield code[place] if place < size else 0

    class ByRuns(computation_class):  # type: ignore[misc]
        def __init__(self, state: Any, message: Any, transaction_context: Any) -> None:
            super().__init__(state, message, transaction_context)
            self.code = CodeByRuns(message.code, self)

    return ByRuns
