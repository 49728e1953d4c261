"""A presentation is signed as a whole, read from its bytes, and refused before the bank refuses."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.service.presenting import Order, PresentationService, present, read_presented
from zhidao.trade.wire.presentation_file import decode, encode, sign

ENTRY = (Path(__file__).parents[1] / "data" / "set_entry.json").read_bytes()
KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32)))
EXPORTER = party_id("exporter")
AT = Utc.parse("2026-09-15T08:00:00Z")


def changed(**fields: dict) -> bytes:
    plain = json.loads(ENTRY)
    for name, value in fields.items():
        plain[name] = {**plain[name], **value}
    return json.dumps(plain).encode()


@pytest.fixture(scope="module")
def made() -> bytes:
    return encode(present(ENTRY, Order(EXPORTER), signer=KEY, at=AT))


def test_a_bank_reads_what_was_entered_from_the_bytes_alone(made):
    found = read_presented(made)
    assert found.manifest.credit == json.loads(ENTRY)["documentaryCredit"]["id"]
    assert [paper.kind for paper in found.papers] == [
        *("presentation_letter", "invoice_ubl", "packing_list", "transport_document"),
        *("origin_rcep", "origin_form_e", "insurance_declaration"),
    ]
    assert found.findings == []
    assert found.missing == []
    assert found.key == KEY.public.multikey
    invoice = next(paper for paper in found.papers if paper.kind == "invoice_ubl")
    assert invoice.fields["consignorParty.name"] == "Suzhou Precision Pumps Co., Ltd."


def test_no_declaration_or_instruction_leaves_for_the_bank(made):
    assert b"export_declaration" not in made
    with pytest.raises(MalformedInput):
        present(
            ENTRY,
            Order(EXPORTER, ("presentation_letter", "import_declaration")),
            signer=KEY,
            at=AT,
        )


def test_a_changed_document_or_manifest_is_refused(made):
    plain = json.loads(made)
    digest, other = sorted(plain["contents"])[:2]
    swapped = {**plain, "contents": {**plain["contents"], digest: plain["contents"][other]}}
    with pytest.raises(Refused) as refusal:
        read_presented(jcs(swapped))
    assert refusal.value.code == "changed_document"
    drawn = {**plain, "manifest": {**plain["manifest"], "drawn": "47401"}}
    with pytest.raises(Refused) as refusal:
        read_presented(jcs(drawn))
    assert refusal.value.code == "bad_signature"


@pytest.mark.parametrize(
    "lie",
    [{"drawn": "4740"}, {"drawn": "x"}, {"currency": "EUR"}, {"credit": "LC-2"}],
)
def test_a_signed_manifest_that_its_letter_contradicts_is_refused(made, lie):
    honest = decode(made)
    manifest = msgspec.structs.replace(honest.manifest, **lie)
    with pytest.raises(Refused) as refusal:
        read_presented(encode(sign(manifest, honest.contents, KEY)))
    assert refusal.value.code == "manifest_differs"


@pytest.mark.parametrize("text", ["é" * 8, "====", "a"])
def test_contents_that_are_no_base64_are_malformed(made, text):
    plain = json.loads(made)
    plain["contents"] = dict.fromkeys(plain["contents"], text)
    with pytest.raises(MalformedInput):
        read_presented(jcs(plain))


@pytest.mark.parametrize("cut", [0, 1, 100, 5000])
def test_a_cut_file_is_malformed(made, cut):
    with pytest.raises(MalformedInput):
        read_presented(made[:cut])


def test_a_set_that_the_bank_would_refuse_is_not_made_but_on_purpose():
    late = changed(presentationDocument={"drawnAmount": "99000"})
    with pytest.raises(Refused) as refusal:
        present(late, Order(EXPORTER), signer=KEY, at=AT)
    assert refusal.value.code == "conflicting_documents"
    made = present(late, Order(EXPORTER, despite=True), signer=KEY, at=AT)
    assert any(one.verdict == "conflict" for one in made.manifest.findings)


def test_what_the_letter_names_and_the_set_lacks_is_told():
    kinds = ("presentation_letter", "invoice_ubl", "packing_list", "transport_document")
    found = read_presented(encode(present(ENTRY, Order(EXPORTER, kinds), signer=KEY, at=AT)))
    assert set(found.missing) == {"origin_rcep", "origin_form_e", "insurance_declaration"}


def presentations() -> PresentationService:
    clock, dice = HandClock(AT), SeededRandomness(3)
    ring = FixedKeyRing({EXPORTER: KEY})
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, dice.token(32)),
        ring=ring,
        clock=clock,
        ids=IdSource(clock, dice),
        randomness=dice,
    )
    records = Records(MemoryJournal(), scribe)
    return PresentationService(records=records, archive=MemoryArchive(), ring=ring, clock=clock)


def actor(name: str) -> Actor:
    return Actor(party_id(name), Role.PARTY)


BANK = party_id("importer-bank")


async def test_the_bank_reads_a_presentation_and_a_stranger_does_not():
    room = presentations()
    fact = await room.make(actor("exporter"), ENTRY, bank=BANK)
    number = fact.manifest.presentation
    assert (await room.presented(Actor(BANK, Role.PARTY), number)).manifest == fact.manifest
    assert [m.presentation for m in await room.listed(Actor(BANK, Role.PARTY), limit=5)] == [number]
    with pytest.raises(NotFound):
        await room.presented(actor("rival"), number)


async def test_the_same_again_changes_nothing_and_another_set_is_a_conflict():
    room = presentations()
    first = await room.make(actor("exporter"), ENTRY, bank=BANK)
    assert await room.make(actor("exporter"), ENTRY, bank=BANK) == first
    other = changed(transportContractDocument={"id": "SMLX2026041799"})
    with pytest.raises(Conflict):
        await room.make(actor("exporter"), other, bank=BANK)


async def test_a_party_without_a_key_here_cannot_present():
    with pytest.raises(Forbidden):
        await presentations().make(actor("rival"), ENTRY, bank=BANK)
