"""A key counts from its rotation to the next one, and never after its revocation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.trust.proof_bench import CARRIER, INVOICE, NODE, WINDOW, ProofBench, Published, key

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing, Records
from zhidao.core.keys import SoftwareKey
from zhidao.trust.domain.key_history import KeyHistory
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.service.log.key_register import KeyRegister
from zhidao.trust.wire.proof_file.zdproof import decode_proof

NEW, THIEF = key("carrier-2", "golden"), key("thief", "golden")


class Keys:
    """A bench whose carrier goes over to other keys."""

    def __init__(self) -> None:
        self.bench = ProofBench()
        self.ring = dict(self.bench.keys)
        scribe = self.bench.records._scribe
        scribe._ring = FixedKeyRing(self.ring)
        self.records = Records(self.bench.journal, scribe)
        self.register = KeyRegister(self.records)

    @property
    def old(self) -> SoftwareKey:
        return self.bench.keys[CARRIER]

    async def rotate(self, new: SoftwareKey) -> None:
        former = self.ring[CARRIER]
        self.bench.clock.advance(60)
        await self.register.rotate(CARRIER, former=former.public, new=new, reason="yearly")
        self.ring[CARRIER] = new

    async def say(self, text: str, by: SoftwareKey | None = None) -> SignedEvent:
        self.ring[CARRIER] = by or self.ring[CARRIER]
        self.bench.clock.advance(60)
        (event,) = await self.records.record(
            Actor(CARRIER, Role.PARTY), f"x/{text}", [Published(text=text)], after=0, owner=CARRIER
        )
        return event

    async def revoke(self, spoilt: SoftwareKey, *, ago_s: int = 0) -> None:
        self.bench.clock.advance(60)
        now = self.bench.clock.now()
        await self.register.revoke(
            CARRIER, spoilt.public, since=now.plus_ns(-ago_s * 10**9), now=now, reason="stolen"
        )

    def fault(self, event: SignedEvent) -> str:
        events = (entry.event for entry in self.bench.journal.written)
        history = KeyHistory.of(self.bench.trust(), events)
        return history.fault(CARRIER, event.asserted_by.key, event.recorded_at)

    async def verdict(self) -> str:
        await self.bench.road()
        await self.bench.relay()
        logged = list(enumerate(self.bench.journal.written))
        data = await self.bench.writer.write("c-1", logged, [INVOICE, WINDOW])
        return verify_log_part(decode_proof(data), self.bench.trust()).reason


async def test_a_list_that_knows_the_old_key_believes_the_new_one_through_the_rotation():
    keys = Keys()
    before = await keys.say("before")
    await keys.rotate(NEW)
    after = await keys.say("after")
    assert (keys.fault(before), keys.fault(after)) == ("", "")
    late = await keys.say("late", keys.old)
    assert keys.fault(late) == "retired_key"
    early = replace(after, recorded_at=before.recorded_at)
    assert keys.fault(early) == "early_key"
    assert await keys.verdict() == "retired_key"


async def test_proofs_hold_over_a_rotation_and_need_its_event():
    keys = Keys()
    await keys.rotate(NEW)
    assert await keys.verdict() == ""
    logged = [
        (index, entry)
        for index, entry in enumerate(keys.bench.journal.written)
        if not entry.event.aggregate.startswith("keys/")
    ]
    data = await keys.bench.writer.write("c-1", logged, [INVOICE, WINDOW])
    assert verify_log_part(decode_proof(data), keys.bench.trust()).reason == "unknown_speaker"


async def test_what_a_thief_said_and_rotated_after_the_loss_is_void():
    keys = Keys()
    honest = await keys.say("honest")
    stolen = await keys.say("stolen")
    await keys.rotate(THIEF)
    thiefs = await keys.say("thief's")
    assert keys.fault(thiefs) == ""
    await keys.revoke(keys.old, ago_s=200)
    assert keys.fault(honest) == ""
    assert keys.fault(stolen) == "revoked_key"
    assert keys.fault(thiefs) == "unknown_speaker"
    assert await keys.verdict() == "revoked_key"


async def test_nobody_else_rotates_or_revokes_a_partys_key():
    keys = Keys()
    await keys.rotate(NEW)
    rotation = keys.bench.journal.written[-1].event
    other = replace(rotation, owner=PartyId("exporter"))
    named = replace(rotation, payload={**rotation.payload, "former": THIEF.public.multikey})
    unproven = replace(rotation, payload={**rotation.payload, "key": THIEF.public.multikey})
    for forged in (other, named, unproven):
        with pytest.raises(Refused) as caught:
            KeyHistory.of(keys.bench.trust(), [forged])
        assert caught.value.code == "bad_key_event"
    await keys.revoke(NEW)
    revocation = keys.bench.journal.written[-1].event
    assert revocation.asserted_by.party == NODE
    exporters = replace(
        revocation,
        asserted_by=replace(revocation.asserted_by, party=PartyId("exporter")),
    )
    own = replace(revocation, asserted_by=replace(rotation.asserted_by, key=NEW.public))
    for nothing in (exporters, own):
        history = KeyHistory.of(keys.bench.trust(), [rotation, nothing])
        assert history.fault(CARRIER, NEW.public, revocation.recorded_at) == ""


async def test_the_register_repeats_itself_and_revives_no_key():
    keys = Keys()
    await keys.rotate(NEW)
    keys.ring[CARRIER] = keys.old
    written = len(keys.bench.journal.written)
    await keys.register.rotate(CARRIER, former=keys.old.public, new=NEW, reason="again")
    assert len(keys.bench.journal.written) == written
    with pytest.raises(Conflict) as caught:
        await keys.register.rotate(CARRIER, former=keys.old.public, new=THIEF, reason="x")
    assert caught.value.code == "key_spent"
    now = keys.bench.clock.now()
    with pytest.raises(Refused) as refused:
        await keys.register.revoke(
            CARRIER, NEW.public, since=now.plus_ns(1), now=now, reason="tomorrow"
        )
    assert refused.value.code == "future_time"
    await keys.revoke(NEW, ago_s=30)
    written = len(keys.bench.journal.written)
    await keys.revoke(NEW)
    assert len(keys.bench.journal.written) == written
