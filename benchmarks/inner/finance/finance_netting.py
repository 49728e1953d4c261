"""Netting of a million obligations between a thousand parties, beside networkx and OR-Tools."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from conformance.rivals import rival

from benchmarks.measuring import claim
from zhidao.finance.adapters.offset import max_offset
from zhidao.finance.domain.receivables.netting import (
    Obligations,
    between_pairs,
    net,
    resolve_gridlock,
)

PARTIES = 1_000
_NETWORKX = """
import json, time, numpy as np, networkx as nx
random = np.random.default_rng(6)
count, parties = 200_000, 1_000
debtor = random.integers(0, parties, count)
creditor = (debtor + random.integers(1, parties, count)) % parties
amount = random.integers(1, 1_000_000, count)
rows = list(zip(debtor.tolist(), creditor.tolist(), amount.tolist()))
started = time.perf_counter()
graph = nx.MultiDiGraph()
graph.add_weighted_edges_from(rows)
paid, received = graph.out_degree(weight="weight"), graph.in_degree(weight="weight")
net = {node: received[node] - paid[node] for node in graph}
assert sum(net.values()) == 0
print(json.dumps({"ms": (time.perf_counter() - started) * 1e3}))
"""


def drawn(count: int) -> Obligations:
    """Random debts with a heavy tail: a few are a thousand times the usual."""
    random = np.random.default_rng(6)
    debtor = random.integers(0, PARTIES, count)
    creditor = (debtor + random.integers(1, PARTIES, count)) % PARTIES
    amount = random.integers(1, 1_000_000, count) * random.choice([1, 1, 1, 1, 30, 1000], count)
    return Obligations(debtor.astype(np.int32), creditor.astype(np.int32), amount, PARTIES)


def timed_ms(work: Callable[[], object], runs: int = 5) -> list[float]:
    """Milliseconds of each run after a first one."""
    work()
    took = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1e3)
    return took


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: ARG001, FBT001 (the common contract)
    """Positions, gridlock with a little and with much money, offset, and the rival."""
    table = drawn(1_000_000)
    yield claim(
        "net_1m_obligations_ms", timed_ms(lambda: net(table)), "ms", target=20, at_most=True
    )
    for name, share in (("tight", 2_000), ("ample", 50)):
        balance = np.full(PARTIES, table.gross_minor // PARTIES // share, np.int64)
        took = timed_ms(lambda money=balance: resolve_gridlock(table, money))
        yield claim(f"gridlock_1m_{name}_ms", took, "ms", target=500, at_most=True)
        part = resolve_gridlock(table, balance).value_minor * 100 / table.gross_minor
        yield claim(f"gridlock_1m_{name}_settled_percent", [part], "%")
    small = drawn(200_000)
    found = rival(_NETWORKX)
    if found:
        yield claim(
            "net_200k_against_networkx_ms",
            timed_ms(lambda: net(small)),
            "ms",
            target=500,
            at_most=True,
            rival="networkx MultiDiGraph, build and net",
            rival_values=[found["ms"]],
        )
    pairs = between_pairs(small)
    took = timed_ms(lambda: max_offset(pairs), runs=3)
    yield claim("max_offset_200k_ms", took, "ms", target=1000, at_most=True)
