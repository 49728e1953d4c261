"""Whose transactions may be on their way: nobody who is refused stands before the others for good."""

from __future__ import annotations

from zhidao.core.ids import party_id
from zhidao.trust.adapters.chain.chain_accounts import SecretAccount
from zhidao.trust.domain.evm import Address
from zhidao.trust.service.chain.external_acts import REFUSALS, Act, Acts, Written
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

REGISTRAR = Address(b"\x01" * 20)


def written(version: int, secret: bytes, nonce: int = 0) -> Written:
    draft = Draft(chain_id=31337, nonce=nonce, to=REGISTRAR, data=b"", gas=21_000)
    return Written(
        version, decode(sign(draft, SecretAccount(secret * 32).sign_digest)), party_id("a"), "", ""
    )


def acts_of(*each: Written) -> Acts:
    acts = Acts()
    for one in each:
        acts._waiting[one.number] = Act([one])
    return acts


def test_two_who_are_refused_take_turns() -> None:
    poor, poorer, third = written(1, b"\x02"), written(2, b"\x03"), written(3, b"\x04")
    acts = acts_of(poor, poorer, third)
    turns = []
    for _ in range(6 * REFUSALS):
        [act] = acts.front(REGISTRAR)
        turns.append(act.newest.version)
        act.refusals += 1
    # Each has its first tries; then all come again and again, none of them alone.
    assert turns[: 3 * REFUSALS] == [v for v in (1, 2, 3) for _ in range(REFUSALS)]
    assert [turns[3 * REFUSALS :].count(v) for v in (1, 2, 3)] == [REFUSALS] * 3


def test_whoever_is_not_refused_comes_before_all_who_are() -> None:
    poor, rich = written(1, b"\x02"), written(2, b"\x03")
    acts = acts_of(poor, rich)
    acts._waiting[poor.number].refusals = REFUSALS
    assert [act.newest for act in acts.front(REGISTRAR)] == [rich]
