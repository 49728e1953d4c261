"""The index of columns answers what the dictionary answers, whatever the names are."""

from __future__ import annotations

import numpy as np
import pytest

from zhidao.finance.domain.ledger import account_index
from zhidao.finance.domain.ledger.account_index import AccountIndex
from zhidao.finance.domain.ledger.records import Name


def halves(names: list[Name]) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return np.frombuffer(b"".join(names), "<u8").reshape(len(names), 2)


def names_of(kind: str, count: int) -> list[Name]:
    if kind == "random":
        data = np.random.default_rng(3).bytes(16 * count)
        return [data[start : start + 16] for start in range(0, len(data), 16)]
    if kind == "counted":
        return [number.to_bytes(16, "little") for number in range(count)]
    return [number.to_bytes(8, "little") + bytes(8) for number in range(1, count + 1)]


@pytest.mark.parametrize("kind", ["random", "counted", "low halves"])
def test_every_name_is_found_where_it_was_put_and_no_other(kind: str) -> None:
    names = names_of(kind, 3_000)
    index, known = AccountIndex(), {}
    for place, name in enumerate(names[:2_000]):
        index.add(name)
        known[name] = place
    asked = [*names[500:], *names[:700]]
    found = index.find(halves(asked), known).tolist()
    assert found == [known.get(name, -1) for name in asked]


def test_names_that_collide_are_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AccountIndex, "_begin", lambda _, names: np.zeros(len(names), np.int64))
    names = names_of("random", 4 * account_index._LOOKS_MAX)
    index, known = AccountIndex(), {}
    for place, name in enumerate(names[:-2]):
        index.add(name)
        known[name] = place
    assert index.find(halves(names), known).tolist() == [*range(len(names) - 2), -1, -1]


def test_an_empty_index_knows_nobody() -> None:
    assert AccountIndex().find(halves(names_of("counted", 3)), {}).tolist() == [-1, -1, -1]
    assert len(AccountIndex().find(np.zeros((0, 2), np.uint64), {})) == 0
