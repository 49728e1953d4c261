from __future__ import annotations

from typing import Any

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Unavailable
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trust.events import CredentialIssued
from zhidao.trust.service.credentials.credentials import CredentialService
from zhidao.trust.wire.identifiers.did import did_key, did_web, web_document

NODE, EXPORTER, CARRIER, STRANGER = map(party_id, ("node", "exporter", "carrier", "stranger"))
NODE_KEY = SoftwareKey(Algorithm.ED25519, b"n" * 32)
KEY = SoftwareKey(Algorithm.ED25519, b"e" * 32)
DOCUMENT = digest_of(b"invoice")
SUBJECT = {"id": "urn:example:invoice:7", "amount": "12.50", "lines": [1, 2]}


class Bench:
    def __init__(self) -> None:
        self.clock = HandClock(Utc.parse("2026-11-24T12:00:00Z"))
        randomness = SeededRandomness(1)
        ring = FixedKeyRing({EXPORTER: KEY})
        self.journal = MemoryJournal()
        self.archive = MemoryArchive()
        scribe = Scribe(
            node=NODE,
            key=NODE_KEY,
            ring=ring,
            clock=self.clock,
            ids=IdSource(self.clock, randomness),
            randomness=randomness,
        )
        self.service = CredentialService(
            records=Records(self.journal, scribe),
            archive=self.archive,
            ring=ring,
            node_key=NODE_KEY,
            clock=self.clock,
            known={},
        )

    async def issue(self, **changes: Any) -> dict[str, Any]:
        asked = {"kind": "invoice", "subject": SUBJECT, "document": DOCUMENT, "readers": [CARRIER]}
        return await self.service.issue(Actor(EXPORTER, Role.PARTY), **{**asked, **changes})


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_an_issued_credential_holds_and_is_recorded(bench: Bench) -> None:
    credential = await bench.issue()
    data = jcs(credential)
    assert await bench.service.verify(data) == (True, "")
    assert credential["type"] == ["VerifiableCredential", "InvoiceCredential"]
    assert credential["issuer"] == did_key(KEY.public)
    [entry] = bench.journal.written
    fact = CredentialIssued.of(entry.event)
    assert (fact.digest, fact.document, fact.subject) == (digest_of(data), DOCUMENT, SUBJECT["id"])
    assert await bench.archive.get(fact.digest) == data


async def test_asking_again_returns_the_same_credential_and_writes_nothing(bench: Bench) -> None:
    first = await bench.issue()
    bench.clock.advance(3600)
    assert await bench.issue() == first
    assert len(bench.journal.written) == 1


async def test_other_claims_about_the_same_document_conflict(bench: Bench) -> None:
    await bench.issue()
    with pytest.raises(Conflict):
        await bench.issue(subject={**SUBJECT, "amount": "99.00"})


async def test_another_kind_or_document_is_another_credential(bench: Bench) -> None:
    ids = {
        (await bench.issue())["id"],
        (await bench.issue(kind="origin_statement"))["id"],
        (await bench.issue(document=digest_of(b"other")))["id"],
    }
    assert len(ids) == 3


async def test_a_party_whose_key_is_elsewhere_cannot_issue(bench: Bench) -> None:
    with pytest.raises(Unavailable) as refusal:
        await bench.service.issue(
            Actor(CARRIER, Role.PARTY), kind="x", subject=SUBJECT, document=DOCUMENT, readers=[]
        )
    assert refusal.value.code == "no_key"


async def test_the_node_issues_with_its_own_key(bench: Bench) -> None:
    credential = await bench.service.issue(
        Actor(NODE, Role.NODE), kind="x", subject=SUBJECT, document=DOCUMENT, readers=[]
    )
    assert credential["issuer"] == did_key(NODE_KEY.public)


@pytest.mark.parametrize("kind", ["", "two words", "a" * 99])
async def test_a_kind_that_is_no_word_is_malformed(bench: Bench, kind: str) -> None:
    with pytest.raises(MalformedInput):
        await bench.issue(kind=kind)
    assert bench.journal.written == []


async def test_readers_see_a_credential_and_strangers_do_not(bench: Bench) -> None:
    data = jcs(await bench.issue())
    digest = digest_of(data)
    for party in (EXPORTER, CARRIER):
        assert await bench.service.read(Actor(party, Role.PARTY), digest) == data
    with pytest.raises(NotFound):
        await bench.service.read(Actor(STRANGER, Role.PARTY), digest)


@pytest.mark.parametrize("data", [b"secret", b"{}", b"[]", b'{"id":7}', b'{"id":"urn:uuid:x"}'])
async def test_other_bytes_of_the_archive_cannot_be_read_as_credentials(
    bench: Bench, data: bytes
) -> None:
    digest = await bench.archive.put(data)
    with pytest.raises(NotFound):
        await bench.service.read(Actor(EXPORTER, Role.PARTY), digest)


async def test_every_changed_byte_is_refused(bench: Bench) -> None:
    data = jcs(await bench.issue())
    for at in range(0, len(data), 7):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        holds, reason = await bench.service.verify(changed)
        assert (holds, bool(reason)) == (False, True)


async def test_reasons_are_named(bench: Bench) -> None:
    credential = await bench.issue()
    before = bench.clock.now()
    bench.clock.set(before.plus_ns(-1))
    assert (await bench.service.verify(jcs(credential)))[1] == "not_yet_valid"
    bench.clock.set(before)
    twice = jcs(credential).replace(b'{"@context"', b'{"id":"urn:x:y","@context"', 1)
    assert (await bench.service.verify(twice))[1] == "duplicate_key"
    assert (await bench.service.verify(b"{}"))[1] == "malformed_credential"
    assert (await bench.service.verify(b""))[1] == "malformed_input"
    claimed = {**credential, "issuer": did_key(NODE_KEY.public)}
    assert (await bench.service.verify(jcs(claimed)))[1] == "bad_proof"
    foreign = {**credential, "@context": [*credential["@context"], "https://x.example/c"]}
    assert (await bench.service.verify(jcs(foreign)))[1] == "unknown_context"


async def test_a_proof_by_another_key_than_the_issuers_is_refused(bench: Bench) -> None:
    from zhidao.trust.wire.credentials.data_integrity import secure
    from zhidao.trust.wire.identifiers.did import key_method

    credential = await bench.issue()
    forger = SoftwareKey(Algorithm.ED25519, b"f" * 32)
    document = {k: v for k, v in credential.items() if k != "proof"}
    forged = secure(
        document, signer=forger, method=key_method(forger.public), created=bench.clock.now()
    )
    assert (await bench.service.verify(jcs(forged)))[1] == "issuer_mismatch"
    unknown = {**credential, "proof": {**credential["proof"], "verificationMethod": "did:web:x#1"}}
    assert (await bench.service.verify(jcs(unknown)))[1] == "unknown_key"


def test_the_nodes_web_document_names_its_keys() -> None:
    document = web_document("node.example:8443", [NODE_KEY.public])
    assert document["id"] == did_web("node.example:8443") == "did:web:node.example%3A8443"
    [method] = document["verificationMethod"]
    assert method["publicKeyMultibase"] == NODE_KEY.public.multikey
    assert document["assertionMethod"] == [method["id"]]
    assert parse_strict(jcs(document)) == document
    for domain in ("", "a/b", "a b", "A.example", "x:port", "-" * 300):
        with pytest.raises(MalformedInput):
            did_web(domain)
