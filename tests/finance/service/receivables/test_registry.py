"""One invoice, one shipment, one home: nothing is pledged twice, and asking teaches nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.money import Currency
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.receivables.receivable import Receivable, home_of
from zhidao.finance.events import ReceivableAsked
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.receivables.registry import Payment, Receivables
from zhidao.finance.wire.blinded import ask, evaluate, finish, secret_of, token

NODES = ("node-a", "node-b", "node-c")
SECRETS = {node: secret_of(node.encode()) for node in NODES}
OWED = Receivable(
    obligor="DK 12345674",
    supplier="CN 91320594MA1ABCDE7X",
    invoice="INV-2026-0417",
    shipment="MEDUSH0417",
    amount_minor=4_440_000,
    currency=Currency("EUR"),
    due_on="2026-12-15",
)
HOME = home_of(OWED.obligor, NODES)
SELLER, BUYER, BANK, OTHER = (
    Actor(PartyId(name), Role.PARTY)
    for name in ("exporter", "importer", "exporter-bank", "customs")
)
Make = Callable[..., Receivables]


async def _shipped(shipment: str) -> bool:
    return shipment != "NOWHERE"


async def _paid(currency: str, transfer: UUID) -> Payment | None:
    """A ledger in which the buyer's payments of that amount stand; the last of the year is late."""
    if currency != "EUR" or transfer.int > 3:
        return None
    payer = {1: "importer", 2: "", 3: "customs"}[transfer.int]
    return Payment(payer, "exporter", OWED.amount_minor, date(2027, 1, 4))


@pytest.fixture
def registry(make_durable: Callable[[], Any]) -> Make:
    durables = {node: make_durable() for node in NODES}

    def made(node: str = HOME, **options: Any) -> Receivables:
        durable = durables[node]
        return Receivables(
            node=node,
            nodes=NODES,
            secret=SECRETS[node],
            records=Records(durable.journal, durable.scribe),
            clock=durable.clock,
            shipped=_shipped,
            paid=options.pop("paid", _paid),
            randomness=durable.randomness,
            approvals=Approvals(
                records=Records(durable.journal, durable.scribe),
                clock=durable.clock,
                limits=Limits.parse(options.pop("limits", "")),
            ),
            holds=None,
            **options,
        )

    return made


def _owed(**changes: Any) -> Receivable:
    fields = {name: getattr(OWED, name) for name in Receivable.__dataclass_fields__}
    return Receivable(**fields | changes)


async def _confirmed(receivables: Receivables) -> str:
    name = await receivables.register(SELLER, OWED, obligor_party=BUYER.party)
    await receivables.confirm(BUYER, name)
    return name


async def test_shares_add_up_to_the_whole_and_never_beyond(registry: Make) -> None:
    receivables = registry()
    name = await _confirmed(receivables)
    for _ in range(2):
        shares = await receivables.pledge(
            SELLER, name, share="s1", holder=BANK.party, amount_minor=4_000_000
        )
        assert shares.free_minor == 440_000
    with pytest.raises(Refused, match="440000 minor units are free"):
        await receivables.pledge(SELLER, name, share="s2", holder=OTHER.party, amount_minor=440_001)
    with pytest.raises(Conflict):
        await receivables.pledge(SELLER, name, share="s1", holder=BANK.party, amount_minor=1)
    shares = await receivables.assign(BANK, name, share="s1", to=OTHER.party)
    assert shares.pledges == {"s1": ("customs", 4_000_000)}
    with pytest.raises(Refused, match="not exporter-bank's"):
        await receivables.release(BANK, name, share="s1")
    assert (await receivables.release(OTHER, name, share="s1")).free_minor == OWED.amount_minor


@pytest.mark.parametrize(
    "again",
    [
        {"invoice": "inv 2O26-O4I7"},
        {"amount_minor": 1},
        {"invoice": "INV-2026-9999"},
        {"due_on": "2027-01-01"},
        {"shipment": "other", "invoice": "INV 2026 0417"},
    ],
)
async def test_an_invoice_or_shipment_in_other_clothes_is_registered_already(
    registry: Make, again: dict[str, Any]
) -> None:
    receivables = registry()
    name = await receivables.register(SELLER, OWED, obligor_party=BUYER.party)
    assert await receivables.register(SELLER, OWED, obligor_party=BUYER.party) == name
    with pytest.raises(Conflict, match="registered already"):
        await receivables.register(SELLER, _owed(**again), obligor_party=BUYER.party)


async def test_without_home_shipment_or_the_buyers_word_nothing_is_pledged(
    registry: Make,
) -> None:
    elsewhere = next(node for node in NODES if node != HOME)
    with pytest.raises(Refused, match=f"{HOME} registers"):
        await registry(elsewhere).register(SELLER, OWED, obligor_party=BUYER.party)
    receivables = registry()
    with pytest.raises(Refused, match="no verified shipment"):
        await receivables.register(SELLER, _owed(shipment="NOWHERE"), obligor_party=BUYER.party)
    name = await receivables.register(SELLER, OWED, obligor_party=BUYER.party)
    with pytest.raises(Refused, match="not confirmed"):
        await receivables.pledge(SELLER, name, share="s1", holder=BANK.party, amount_minor=1)
    with pytest.raises(Forbidden):
        await receivables.confirm(SELLER, name)
    with pytest.raises(NotFound):
        await receivables.shares(OTHER, name)
    await receivables.confirm(BUYER, name)
    with pytest.raises(Forbidden):
        await receivables.pledge(BUYER, name, share="s1", holder=BANK.party, amount_minor=1)


async def test_of_many_pledges_at_once_from_two_processes_one_succeeds(registry: Make) -> None:
    registries = [registry(), registry()]
    name = await _confirmed(registries[0])
    racing = [
        registries[place % 2].pledge(
            SELLER, name, share=f"s{place}", holder=BANK.party, amount_minor=OWED.amount_minor
        )
        for place in range(20)
    ]
    answers = await asyncio.gather(*racing, return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert (await registries[1].shares(SELLER, name)).free_minor == 0


async def test_a_blinded_question_gives_the_homes_token_and_is_counted(registry: Make) -> None:
    receivables = registry(questions_a_day_max=2)
    question = ask(OWED.invoice_key, SeededRandomness(1))
    name = finish(question, await receivables.evaluate(BANK, question.blinded))
    assert await receivables.is_free(name)
    assert await receivables.register(SELLER, OWED, obligor_party=BUYER.party) == name
    assert not await receivables.is_free(name)
    await receivables.evaluate(BANK, question.blinded)
    with pytest.raises(Refused, match="enough"):
        await receivables.evaluate(BANK, question.blinded)


@pytest.mark.bound("finance.service.receivables.registry.QUESTIONS_A_DAY_MAX")
async def test_a_party_asks_a_thousand_questions_a_day_and_no_more(
    registry: Make, make_durable: Callable[[], Any]
) -> None:
    receivables = registry()
    day = str(make_durable().clock.now())[:10]
    earlier = [ReceivableAsked(questions=number + 1) for number in range(999)]
    await receivables._records.record(
        BANK, f"receivable-questions/{BANK.party}/{day}", earlier, after=0, owner=BANK.party
    )
    question = ask(OWED.invoice_key, SeededRandomness(1))
    assert await receivables.evaluate(BANK, question.blinded)
    with pytest.raises(Refused, match="1000 questions today are enough") as refusal:
        await receivables.evaluate(BANK, question.blinded)
    assert refusal.value.code == "too_many"
    assert await receivables.evaluate(OTHER, question.blinded)


def test_without_the_homes_secret_the_right_guess_gives_another_token() -> None:
    right = token(OWED.invoice_key, SECRETS[HOME])
    assert token(OWED.invoice_key, secret_of(b"a guess")) != right
    first, second = (ask(OWED.invoice_key, SeededRandomness(seed)) for seed in (1, 2))
    assert first.blinded != second.blinded
    answers = [evaluate(one.blinded, SECRETS[HOME]) for one in (first, second)]
    assert finish(first, answers[0]) == finish(second, answers[1]) == right
    assert finish(first, answers[1]) != right


@settings(max_examples=40)
@given(st.binary(max_size=40))
def test_a_question_is_answered_or_malformed(blinded: bytes) -> None:
    try:
        evaluate(blinded, SECRETS[HOME])
    except MalformedInput:
        return
    assert len(blinded) == 32


async def test_what_paid_is_a_transfer_and_pays_one_receivable_only(registry: Make) -> None:
    receivables = registry()
    name = await _confirmed(receivables)
    for nobody in (BANK, OTHER):
        with pytest.raises(NotFound):
            await receivables.settle(nobody, name, transfers=[UUID(int=1)])
    with pytest.raises(Refused, match="no such transfer"):
        await receivables.settle(SELLER, name, transfers=[UUID(int=9)])
    for foreign in (2, 3):  # not from the buyer's account: the supplier's word is not enough
        with pytest.raises(Refused, match="obligor's account"):
            await receivables.settle(SELLER, name, transfers=[UUID(int=foreign)])
    for _ in range(2):
        shares = await receivables.settle(SELLER, name, transfers=[UUID(int=9), UUID(int=1)])
        assert shares.paid_on == "2027-01-04"
    with pytest.raises(Conflict):
        await receivables.settle(BUYER, name, transfers=[UUID(int=2)])
    with pytest.raises(Refused, match="paid on"):
        await receivables.pledge(SELLER, name, share="a", holder=BANK.party, amount_minor=1)
    other = _owed(invoice="INV-2", shipment="MEDUSH0418")
    second = await receivables.register(SELLER, other, obligor_party=BUYER.party)
    with pytest.raises(Conflict, match="this transfer"):
        await receivables.settle(BUYER, second, transfers=[UUID(int=1)])
    assert (await receivables.settle(BUYER, second, transfers=[UUID(int=2)])).paid_on


async def test_only_the_obligor_disputes_and_what_it_disputes_is_not_pledged(
    registry: Make,
) -> None:
    receivables = registry()
    name = await _confirmed(receivables)
    with pytest.raises(Forbidden):
        await receivables.dispute(SELLER, name, reason="no")
    assert not (await receivables.dispute(BUYER, name, reason="")).disputed
    for _ in range(2):
        assert (await receivables.dispute(BUYER, name, reason="two pumps leak")).disputed
    with pytest.raises(Refused, match="disputes"):
        await receivables.pledge(SELLER, name, share="a", holder=BANK.party, amount_minor=1)
    for _ in range(2):
        assert not (await receivables.dispute(BUYER, name, reason="")).disputed
    await receivables.pledge(SELLER, name, share="a", holder=BANK.party, amount_minor=1)
    standing = await receivables.standing(SELLER, name)
    assert standing is not None
    assert (standing.was_disputed, standing.is_disputed) == (True, False)
    assert await receivables.standing(BUYER, name) is None
