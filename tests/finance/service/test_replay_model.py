"""Replays of random batches answer, and end, as an independent model of TigerBeetle does."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from uuid import UUID

import pytest
from tests.finance.tigerbeetle import OURS, TOP, Model, Move, S, Sums

from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Transfer, TransferFlag
from zhidao.finance.service.ledger.replay import Replay
from zhidao.finance.wire.replay import RequestBatch

IDS = ("id", "debit_account_id", "credit_account_id", "pending_id")
ODD = {
    **dict.fromkeys(IDS, (0, 1, 2, 9, TOP)),
    "amount": (0, 3, TOP, TOP - 3, 2**63, OURS),
    "flags": (0, 1, 2, 3, 6, 12, 64, 1 << 10),
    **dict.fromkeys(("timeout", "ledger", "code", "timestamp", "user_data_64"), (0, 1, 2)),
}


class Batches:
    """Random requests that use every kind of transfer and every kind of mistake."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        self.asked: list[Move] = []

    def account(self, number: int) -> Sums:
        return Sums(self.random.choice((1, 1, 1, 2)), self.random.choice((0, 0, 2, 4, 8, 32)))

    def batch(self) -> list[Move]:
        size = self.random.choice((1, 3, 8, 20)) if self.random.random() < 0.95 else 300
        return [self._one() for _ in range(size)]

    def _one(self) -> Move:
        draw = self.random
        self.number += 1
        move = Move(
            self.number,
            draw.randint(1, 8),
            draw.randint(1, 8),
            draw.choice((0, 1, 5, 10, draw.randint(0, 100))),
            **{name: draw.choice((0, 0, 7)) for name in ("user_data_128", "user_data_32")},
        )
        kind = draw.random()
        if kind < 0.3:
            move = replace(move, flags=2, timeout=draw.choice((0, 0, 1, 2)))
        elif kind < 0.55 and self.asked:
            move = self._resolving(move)
        elif kind < 0.65:
            most = draw.choice((TOP, 30, 2**63, 2**64 + 3))
            move = replace(move, flags=draw.choice((16, 32, 48, 18, 34)), amount=most)
        elif kind < 0.68:
            closing = 2 | draw.choice((64, 128, 192))
            move = replace(move, flags=closing, timeout=draw.choice((0, 1)))
        if draw.random() < 0.08 and self.asked:
            move = replace(draw.choice(self.asked[-40:]))
        if draw.random() < 0.1:
            name = draw.choice(list(ODD))
            move = replace(move, **{name: draw.choice(ODD[name])})
        if draw.random() < 0.15:
            move = replace(move, flags=move.flags | 1)
        self.asked.append(move)
        return move

    def _resolving(self, move: Move) -> Move:
        draw = self.random
        flags = draw.choice((4, 8))
        amount = draw.choice((TOP, 5, 0) if flags == 4 else (0, 5))
        held = draw.choice(self.asked[-60:]).id
        move = replace(move, flags=flags, amount=amount, pending_id=held)
        if draw.random() < 0.75:
            move = replace(move, debit_account_id=0, credit_account_id=0, ledger=0, code=0)
        return move


def request(move: Move) -> Transfer:
    fields = asdict(move)
    del fields["state"]
    named = {name: UUID(int=fields.pop(name)) for name in IDS}
    flags = TransferFlag(fields.pop("flags"))
    return Transfer(**named, **fields, flags=flags)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))]
)
def test_every_answer_and_every_sum_is_the_models(seed: int) -> None:
    replay, model, batches, now = Replay(), Model(), Batches(seed), 10**12
    model.accounts = {number: batches.account(number) for number in range(1, 9)}
    accounts = tuple(
        Account(UUID(int=number), one.ledger, 1, AccountFlag(one.flags))
        for number, one in model.accounts.items()
    )
    replay.submit(RequestBatch("create_accounts", accounts, timestamp=now))
    for _ in range(40):
        asked = batches.batch()
        now += batches.random.choice((1_000, S // 2, S, 2 * S)) + len(asked)
        transfers = tuple(map(request, asked))
        answers = replay.submit(
            RequestBatch("create_transfers", transfers=transfers, timestamp=now)
        )
        assert list(map(str, answers)) == model.batch(asked, now - len(asked) + 1)
        assert {a.id.int: _sums(a) for a in replay.accounts()} == model.accounts


def _sums(account: Account) -> Sums:
    return Sums(
        account.ledger,
        int(account.flags),
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
    )
