"""Runs of opcodes as functions do what py-evm does opcode by opcode: gas, output, logs, storage."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest
from eth.vm.forks.shanghai.computation import ShanghaiComputation

from zhidao.trust.adapters.chain import evm_runs, py_evm
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.evm import Address, Block, FlatState, Held, Outcome, Transaction
from zhidao.trust.wire.evm.keccak import keccak256

AT, FROM = Address(b"c" * 20), Address(b"s" * 20)
DEST, PUSH1, PUSH0 = 0x5B, 0x60, 0x5F
NUMBERS = [0, 1, 2, 31, 32, 33, 255, 256, 2**255 - 1, 2**255, 2**256 - 1]
SIMPLE = [
    *(*range(0x01, 0x0C), *range(0x10, 0x1E), 0x30, 0x33, 0x34, 0x35, 0x36),
    *(0x50, 0x58, 0x59, 0x5A, DEST, *range(0x80, 0xA0)),
]
OUTSIDE = [0x20, 0x31, 0x38, 0x3D, 0x42, 0x54, 0x55, 0xA1, 0xF1, 0xFA, 0xFE]


def push(value: int, size: int = 0) -> bytes:
    size = size or max(1, (value.bit_length() + 7) // 8)
    return bytes([PUSH0 + size]) + value.to_bytes(size, "big")


def program(choose: random.Random) -> bytes:
    """Mostly sensible code: numbers, memory, jumps to where one may jump, now and then anything."""
    code, targets = bytearray(), []
    for _ in range(choose.randrange(5, 120)):
        kind = choose.random()
        if kind < 0.35:
            code += push(choose.choice(NUMBERS) if choose.random() < 0.5 else choose.randrange(300))
        elif kind < 0.70:
            code.append(choose.choice(SIMPLE))
        elif kind < 0.78:
            code += push(choose.randrange(200)) + bytes([choose.choice((0x51, 0x52, 0x53))])
        elif kind < 0.84:
            targets.append(len(code))
            code.append(DEST)
        elif kind < 0.92:
            place = choose.choice(targets) if targets else choose.randrange(200)
            code += push(place, 2) + bytes([choose.choice((0x56, 0x57))])
        elif kind < 0.98:
            code.append(choose.choice(OUTSIDE))
        else:
            code += choose.randbytes(3)
    return bytes(code + push(64) + push(0) + bytes([choose.choice((0xF3, 0xFD))]))


@functools.cache
def engine(*, plain: bool) -> PyEvmEngine:
    return PyEvmEngine(5, written_runs=not plain)


def test_no_code_is_written_out_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(py_evm, "faster", lambda known: asked.append(known) or known)
    PyEvmEngine(5)
    assert asked == []
    PyEvmEngine(5, written_runs=True)
    assert len(asked) == 1


def call(nonce: int, data: bytes, gas: int) -> Transaction:
    return Transaction(5, nonce, 0, 0, gas, AT, 0, data, FROM, b"h" * 32, b"")


def told(made: PyEvmEngine, calls: list[Transaction]) -> list[Outcome]:
    return [made.execute(one, Block(n, 1_790_000_000 + n)) for n, one in enumerate(calls, 1)]


def same(code: bytes, calls: list[Transaction]) -> list[Outcome]:
    fast, plain = engine(plain=False), engine(plain=True)
    for each in (fast, plain):
        each.load(FlatState({AT: Held(1, 0, keccak256(code))}, {keccak256(code): code}, {}))
    found, wanted = told(fast, calls), told(plain, calls)
    assert found == wanted, code.hex()
    assert fast.dump() == plain.dump(), code.hex()
    return found


@pytest.mark.parametrize("seed", range(24))
def test_random_programs_give_the_same_to_the_last_unit_of_gas(seed: int) -> None:
    choose, failures = random.Random(seed), set()
    for _ in range(15):
        calls = [
            call(
                n, choose.randbytes(choose.choice((0, 4, 36, 100))), choose.choice((22_900, 45_000))
            )
            for n in range(4)
        ]
        failures |= {outcome.failure for outcome in same(program(choose), calls)}
    assert failures - {""}


def test_a_loop_runs_out_of_gas_at_the_same_unit() -> None:
    # Counts in memory for ever.
    loop = (
        bytes([DEST])
        + push(0)
        + b"\x51"
        + push(1)
        + b"\x01"
        + push(0)
        + b"\x52"
        + push(0, 2)
        + b"\x56"
    )
    outcomes = same(loop, [call(n, b"", gas) for n, gas in enumerate(range(30_000, 30_060))])
    assert {outcome.failure for outcome in outcomes} == {"OutOfGas"}


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (push(3, 2) + b"\x56", "InvalidJumpDestination"),
        (push(2**200) + b"\x56", "InvalidJumpDestination"),
        # The target is the second byte of a PUSH.
        (push(5, 2) + b"\x56" + bytes([PUSH1, PUSH1, DEST]), "InvalidJumpDestination"),
        (push(5, 2) + b"\x56" + bytes([PUSH1, DEST]), "InvalidInstruction"),
        (b"\x01", "InsufficientStack"),
        (bytes([DEST]) + push(1) + push(0, 2) + b"\x56", "FullStack"),
        (push(2**40) + b"\x51", "OutOfGas"),
        (bytes([0x0C]), "InvalidInstruction"),
    ],
)
def test_what_fails_fails_as_in_py_evm(code: bytes, failure: str) -> None:
    outcomes = same(code, [call(n, b"", 200_000) for n in range(3)])
    assert {outcome.failure for outcome in outcomes} == {failure}


def test_gas_of_each_opcode_is_py_evms() -> None:
    opcodes: Any = ShanghaiComputation.opcodes
    tables = (evm_runs._BINARY, evm_runs._UNARY, evm_runs._KNOWN)
    for table in tables:
        for opcode, (gas, _) in table.items():
            assert gas == opcodes[opcode].gas_cost, hex(opcode)


def test_code_of_strangers_is_kept_within_bounds() -> None:
    known = evm_runs.KnownRuns()
    # Many runs of a few codes, then many codes of few runs.
    for codes, size in ((3, evm_runs._RUNS_MAX + 1_000), (evm_runs._CODES_MAX + 40, 20)):
        for number in range(codes):
            runs = known.of(number.to_bytes(2, "big") + bytes([DEST]) * size)
            for _ in range(2):
                for place in range(size):
                    runs.at(place)
            assert len(runs.known) <= evm_runs._RUNS_MAX
    assert len(known._by_code) <= evm_runs._CODES_MAX
