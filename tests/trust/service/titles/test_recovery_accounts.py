"""A lost key: guardians, a time lock, and every way around them that is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.trust.service.titles.test_acts import minted
from tests.trust.title_bench import BILL, CHAIN, TitleBench, actor

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS
from zhidao.trust.adapters.chain.own_artefacts import load_guard_code
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.evm import Address, address_text, parse_address
from zhidao.trust.service.titles.replayed_history import title_history
from zhidao.trust.wire.evm import title_guard as wire
from zhidao.trust.wire.evm.title_contract import transfer_call
from zhidao.trust.wire.evm.title_guard import GuardTerms, guard_code, guard_terms
from zhidao.trust.wire.evm.transaction import Draft, sign

DAY_S = 86_400
OWNER, NEW_OWNER, STRANGER = "exporter", "importer", "stranger"
GUARDIANS = ("carrier", "importer-bank", "stranger")


@pytest.fixture(scope="module")
def code() -> bytes:
    try:
        return load_guard_code()
    except Unavailable as absent:
        pytest.skip(f"{absent}: {absent.remedy}")


class Guarded:
    """A node with one title in one guard: 2 of 3 guardians, three days."""

    def __init__(self, node: TitleBench, code: bytes) -> None:
        self.node, self.code = node, code
        self.counts: dict[str, int] = {}
        self.guard = Address(bytes(20))

    def address(self, party: str) -> Address:
        return self.node.accounts.of_party(PartyId(party)).address

    async def raw(self, party: str, to: Address | None, data: bytes) -> bytes:
        account = self.node.accounts.of_party(PartyId(party))
        nonce = (await self.node.log.admission()).next_nonce(account.address)
        gas = 2_000_000 if to is None else 600_000
        draft = Draft(chain_id=CHAIN, nonce=nonce, to=to, data=data, gas=gas)
        return sign(draft, account.sign_digest)

    async def say(self, party: str, data: bytes, to: Address | None = None) -> str:
        raw = await self.raw(party, to or self.guard, data)
        return (await self.node.titles.guards.send(actor(party), raw)).guard

    async def begin(self) -> None:
        await minted(self.node)
        terms = GuardTerms(self.address(OWNER), tuple(map(self.address, GUARDIANS)), 2, 3 * DAY_S)
        raw = await self.raw(OWNER, None, guard_code(self.code, terms))
        made = await self.node.titles.guards.send(actor(OWNER), raw)
        self.guard = parse_address(made.guard)
        assert await self.node.titles.guards.send(actor(OWNER), raw) == made, "again: the same"
        await self.move(OWNER, transfer_call(self.guard), direct=True)

    async def move(self, party: str, call: bytes, *, direct: bool = False) -> str:
        escrow = self.node.registry.escrow(bytes.fromhex(BILL))
        data = call if direct else wire.act_call(escrow, call)
        raw = await self.raw(party, escrow if direct else self.guard, data)
        title = await self.node.titles.send(actor(party), raw=raw, title=BILL, purpose="test")
        return title.holder

    async def refused(self, what: object) -> str:
        before = len(self.node.transactions())
        with pytest.raises(Refused) as caught:
            await what  # type: ignore[misc]
        assert len(self.node.transactions()) == before, "nothing is logged"
        return str(caught.value)


@pytest.fixture
async def held(code: bytes) -> AsyncIterator[Guarded]:
    node = TitleBench()
    guarded = Guarded(node, code)
    await guarded.begin()
    yield guarded
    await node.stop()


def test_the_compiled_code_is_the_published_one(code: bytes):
    owner, *guardians = (Address(bytes([n]) * 20) for n in range(1, 5))
    terms = GuardTerms(owner, tuple(guardians), 2, DAY_S)
    data = guard_code(code, terms)
    assert guard_terms(data) == terms
    for spoiled in (data[:-1], data + b"\0", bytes([data[0] ^ 1]) + data[1:], code, b""):
        assert guard_terms(spoiled) is None
    for bad in (
        lambda: GuardTerms(owner, (owner, guardians[0]), 1, DAY_S),
        lambda: GuardTerms(owner, (guardians[0],) * 2, 1, DAY_S),
        lambda: GuardTerms(owner, tuple(guardians), 4, DAY_S),
        lambda: GuardTerms(owner, tuple(guardians), 0, DAY_S),
        lambda: GuardTerms(owner, tuple(guardians), 2, DAY_S - 1),
    ):
        with pytest.raises(Refused):
            bad()


async def test_a_lost_key_is_replaced_after_the_lock_and_the_log_tells_it(held: Guarded):
    node = held.node
    assert (await node.titles.title(BILL)).holder == address_text(held.guard)
    candidate = held.address(NEW_OWNER)
    await held.say("carrier", wire.support_call(candidate))
    assert "nobody is chosen" in await held.refused(held.say(STRANGER, wire.recover_call()))
    await held.say("importer-bank", wire.support_call(candidate))
    assert "too early" in await held.refused(held.say(STRANGER, wire.recover_call()))
    node.clock.advance(3 * DAY_S - 60)
    assert "too early" in await held.refused(held.say(NEW_OWNER, wire.recover_call()))
    node.clock.advance(120)
    await held.say(NEW_OWNER, wire.recover_call())
    # The former owner's key moves nothing any more, and the new one's does.
    away = transfer_call(held.address("importer-bank"))
    assert "not the owner" in await held.refused(held.move(OWNER, away))
    assert await held.move(NEW_OWNER, away) == address_text(held.address("importer-bank"))
    title = await node.titles.title(BILL)
    assert len(title.transactions) == 3
    told = title_history(
        [bytes.fromhex(one.raw) for one in node.transactions()],
        PyEvmEngine,
        times_s=[
            entry.event.recorded_at.unix_ns // NS
            for entry in node.journal.written
            if entry.event.type == "trust.ChainTransaction.v1"
        ],
    )
    assert [move.action for move in told.moves] == ["mint", "transfer", "transfer"]
    assert told.moves[-1].signer == address_text(candidate)
    assert told.moves[-1].holder == title.holder


async def test_guardians_below_the_threshold_choose_nobody(held: Guarded):
    candidate = held.address(NEW_OWNER)
    await held.say("carrier", wire.support_call(candidate))
    again = held.say("carrier", wire.support_call(candidate))
    assert "supported already" in await held.refused(again)
    # A second voice for somebody else is no second voice for the first.
    await held.say("importer-bank", wire.support_call(held.address("carrier")))
    held.node.clock.advance(30 * DAY_S)
    assert "nobody is chosen" in await held.refused(held.say("carrier", wire.recover_call()))
    outsider = held.say(NEW_OWNER, wire.support_call(candidate))
    assert "not a guardian" in await held.refused(outsider)
    assert "not a guardian" in await held.refused(held.say(OWNER, wire.support_call(candidate)))


async def test_an_owner_that_is_still_there_cancels_and_old_voices_count_nothing(held: Guarded):
    candidate = held.address(NEW_OWNER)
    for guardian in ("carrier", "importer-bank"):
        await held.say(guardian, wire.support_call(candidate))
    assert "not the owner" in await held.refused(held.say("carrier", wire.cancel_call()))
    await held.say(OWNER, wire.cancel_call())
    held.node.clock.advance(4 * DAY_S)
    assert "nobody is chosen" in await held.refused(held.say(NEW_OWNER, wire.recover_call()))
    await held.say("carrier", wire.support_call(candidate))
    held.node.clock.advance(4 * DAY_S)
    assert "nobody is chosen" in await held.refused(held.say(NEW_OWNER, wire.recover_call()))
    # The lock runs anew from the voice that completes the threshold.
    await held.say("stranger", wire.support_call(candidate))
    assert "too early" in await held.refused(held.say(NEW_OWNER, wire.recover_call()))
    assert await held.move(OWNER, transfer_call(held.address(OWNER)))


async def test_guardians_never_move_a_title_and_change_no_candidate(held: Guarded):
    away = transfer_call(held.address("carrier"))
    for party in ("carrier", NEW_OWNER):
        assert "not the owner" in await held.refused(held.move(party, away))
    for guardian in ("carrier", "importer-bank"):
        await held.say(guardian, wire.support_call(held.address(NEW_OWNER)))
    # Later voices for another do not take the place of the chosen one, nor restart his lock.
    held.node.clock.advance(2 * DAY_S)
    for guardian in ("carrier", "stranger"):
        await held.say(guardian, wire.support_call(held.address("carrier")))
    held.node.clock.advance(DAY_S + 60)
    await held.say("carrier", wire.recover_call())
    assert await held.move(NEW_OWNER, away) == address_text(held.address("carrier"))
    # Recovered once: nobody is chosen any more.
    assert "nobody is chosen" in await held.refused(held.say("carrier", wire.recover_call()))


async def test_what_a_title_refuses_the_guard_refuses_with_its_reason(held: Guarded):
    with pytest.raises(Refused) as caught:
        await held.move(OWNER, transfer_call(Address(bytes(20))))
    assert caught.value.code == "no_receiver"


async def test_only_published_guards_are_created_and_spoken_to(held: Guarded):
    node, escrow = held.node, held.node.registry.escrow(bytes.fromhex(BILL))
    cases = [
        (OWNER, None, held.code[:-1] + b"\0"),
        (OWNER, escrow, wire.cancel_call()),
        (OWNER, held.address(STRANGER), wire.support_call(held.address(NEW_OWNER))),
        (OWNER, held.guard, b"\x00\x01\x02\x03"),
        # A title moves by the route that knows who may see it.
        (OWNER, held.guard, wire.act_call(escrow, transfer_call(held.address(OWNER)))),
    ]
    for party, to, data in cases:
        with pytest.raises(Refused) as caught:
            await node.titles.guards.send(actor(party), await held.raw(party, to, data))
        assert caught.value.code == "no_guard"
    other = await held.raw(OWNER, held.guard, wire.act_call(held.guard, wire.cancel_call()))
    with pytest.raises(Refused) as caught:
        await node.titles.send(actor(OWNER), raw=other, title=BILL, purpose="test")
    assert caught.value.code == "wrong_registry"


async def test_a_restarted_node_knows_its_guards(held: Guarded):
    await held.node.stop()
    held.node.start()
    await held.say("carrier", wire.support_call(held.address(NEW_OWNER)))
